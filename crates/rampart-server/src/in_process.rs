//! Operations without the edge, for tests that make very many calls: no sockets, no signatures, the caller is given.

use std::sync::Arc;

use bytes::Bytes;
use rampart_core::{AccountId, Region};

use crate::app::{App, Call};
use crate::edge::{perform, read_form};
use crate::failure::Failure;
use crate::identity::Caller;
use crate::operations::{Operation, Request};

/// Runs an operation as the root of `account`, as open mode lets in whoever signs with a key that is an account. Gives the
/// answer's body, or the code of the error.
pub async fn call(
    app: &Arc<App>,
    (account, region): (AccountId, Region),
    operation: &'static Operation,
    query: String,
    body: Bytes,
) -> Result<String, &'static str> {
    let dialect = operation.service.dialect();
    let code_of = |failure: Failure| failure.to_wire(dialect, Some(operation)).code;
    let form = read_form(dialect, &query, &body).map_err(code_of)?;
    let call = Call {
        account,
        caller: Arc::new(Caller::unverified(account)),
        region,
        operation,
        invocation_id: None,
        source_ip: None,
        user_agent: None,
        request_id: app.entropy.uuid(),
        membership: Arc::default(),
        now: app.clock.now(),
    };
    let request = Request { call, body, query, form };
    perform(app, request).await.map_err(code_of)
}

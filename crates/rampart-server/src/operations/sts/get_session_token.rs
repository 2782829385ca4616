//! GetSessionToken: temporary credentials of the user, or the root, that calls.

use std::sync::Arc;

use rampart_aws::query::response_xml;
use rampart_core::iam::IamRefusal;

use super::NAMESPACE;
use super::credentials::write_credentials;
use crate::app::App;
use crate::identity::{Session, SessionBearer, Who, issue};
use crate::operations::iam::input::number;
use crate::operations::{Answer, Request};

/// How long a session lasts when the caller does not say.
const DURATION_DEFAULT_S: i64 = 43_200;
/// How long one of a root lasts, at the most.
const DURATION_OF_ROOT_S: i64 = 3_600;

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let (call, form) = (&request.call, &request.form);
        let wanted = number(form, "DurationSeconds", 900, 129_600)?;
        if form.get("SerialNumber").is_some() || form.get("TokenCode").is_some() {
            return Err(IamRefusal::MultiFactorUnsupported.into());
        }
        if call.caller.session.is_some() {
            return Err(IamRefusal::SessionOfSession.into());
        }
        // AWS: a root that asks for more than an hour gets one.
        let (bearer, seconds) = match &call.caller.who {
            Who::User(user) => {
                let bearer = SessionBearer::User { name: user.name.clone(), id: user.id.clone() };
                (bearer, wanted.unwrap_or(DURATION_DEFAULT_S))
            }
            Who::Root => (SessionBearer::Root, wanted.unwrap_or(DURATION_OF_ROOT_S).min(DURATION_OF_ROOT_S)),
            Who::Role { .. } => return Err(IamRefusal::SessionOfSession.into()),
        };
        let expires = call.now.saturating_add_ms(seconds * 1_000);
        let session = Session { bearer, issued: call.now, expires, policies: Vec::new() };
        let issued = issue(&app, call.account, session);
        Ok(response_xml("GetSessionToken", NAMESPACE, &call.request_id.to_string(), |xml| {
            write_credentials(xml, &issued);
        }))
    })
}

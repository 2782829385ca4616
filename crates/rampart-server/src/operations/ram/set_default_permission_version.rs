//! SetDefaultPermissionVersion: another version is the one that can be attached (reference §10.22).

use std::sync::Arc;

use futures_util::future::try_join;
use rampart_aws::rest_json::parse_body;
use rampart_core::permission::customer::decide_set_default;
use rampart_store::{Abort, Transaction, Work};
use serde::{Deserialize, Serialize};

use super::answering::write;
use super::input::required;
use super::permissions::{own_name, with_default};
use crate::app::{App, Call};
use crate::idempotency::Once;
use crate::operations::{Answer, Request};

const NAME: &str = "SetDefaultPermissionVersion";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    permission_arn: Option<String>,
    permission_version: Option<i64>,
    client_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    return_value: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<String>,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: Input = parse_body(&request.body)?;
        let arn = required(input.permission_arn, "permissionArn")?;
        let number = required(input.permission_version, "permissionVersion")?;
        let name = own_name(&app, &request.call, &arn)?;
        let once = Once::new(&request.call, NAME, input.client_token.as_deref(), &(&arn, number))?;
        let (owner, client_token) = (request.call.account, input.client_token);
        write(&app, owner, SetDefault { call: request.call, name, number, client_token, once }).await
    })
}

struct SetDefault {
    call: Call,
    name: String,
    number: i64,
    client_token: Option<String>,
    once: Once,
}

impl Work for SetDefault {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        if let Some(answer) = self.once.recall(tx).await? {
            return Ok(answer);
        }
        let (owner, region, now) = (self.call.account, self.call.region, self.call.now);
        let version = async { Ok(tx.permission_version(owner, region, &self.name, self.number).await?) };
        let ((permission, default), version) =
            try_join(with_default(tx, &self.call, &self.name), version).await?;
        let changes = decide_set_default(&permission, &default, version.as_ref(), self.number, now)?;
        tx.apply(&changes, now).await?;
        self.once.answer(tx, &Output { return_value: true, client_token: self.client_token.clone() }).await
    }
}

//! UpdatePermission: deprecates a permission, or takes that back (reference §10.25).

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::Refusal;
use rampart_core::permission::customer::decide_update;
use rampart_core::refusal::PermissionRefusal;
use rampart_store::{Abort, Transaction, Work};
use serde::{Deserialize, Serialize};

use super::answering::write;
use super::input::required;
use super::permissions::{own, own_name};
use crate::app::{App, Call};
use crate::idempotency::Once;
use crate::operations::{Answer, Request};

const NAME: &str = "UpdatePermission";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    permission_arn: Option<String>,
    status: Option<String>,
    client_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    permission_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<String>,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: Input = parse_body(&request.body)?;
        let arn = required(input.permission_arn, "permissionArn")?;
        let deprecated = match required(input.status.as_deref(), "status")? {
            "ATTACHABLE" => false,
            "DEPRECATED" => true,
            other => {
                let value = other.chars().take(64).collect();
                return Err(Refusal::from(PermissionRefusal::StatusInvalid { value }).into());
            }
        };
        let name = own_name(&app, &request.call, &arn)?;
        let once = Once::new(&request.call, NAME, input.client_token.as_deref(), &(&arn, deprecated))?;
        let (owner, client_token) = (request.call.account, input.client_token);
        let command =
            Update { app: Arc::clone(&app), call: request.call, name, deprecated, client_token, once };
        write(&app, owner, command).await
    })
}

struct Update {
    app: Arc<App>,
    call: Call,
    name: String,
    deprecated: bool,
    client_token: Option<String>,
    once: Once,
}

impl Work for Update {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        if let Some(answer) = self.once.recall(tx).await? {
            return Ok(answer);
        }
        let (owner, region, now) = (self.call.account, self.call.region, self.call.now);
        let permission = own(tx, &self.call, &self.name).await?;
        let usage = tx.permission_use(owner, region, &permission.resource_type).await?;
        let quotas = &self.app.settings.quotas;
        let changes = decide_update(&permission, self.deprecated, usage, quotas, now)?;
        tx.apply(&changes, now).await?;
        let permission_status = if self.deprecated { "DEPRECATED" } else { "ATTACHABLE" };
        self.once.answer(tx, &Output { permission_status, client_token: self.client_token.clone() }).await
    }
}

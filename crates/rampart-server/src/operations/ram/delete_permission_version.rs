//! DeletePermissionVersion: one that is neither the default nor attached (reference §7.5). Its parameters stand in the
//! query.

use std::sync::Arc;

use futures_util::future::try_join3;
use rampart_aws::query::parse_form;
use rampart_core::permission::PermissionName;
use rampart_core::permission::customer::{DELETE_ACKNOWLEDGED, decide_delete_version};
use rampart_core::refusal::PermissionRefusal;
use rampart_store::{Abort, Transaction, Work};
use serde::Serialize;

use super::answering::write;
use super::input::required;
use super::permissions::{own, own_name};
use crate::app::{App, Call};
use crate::idempotency::Once;
use crate::operations::{Answer, Request};

const NAME: &str = "DeletePermissionVersion";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    return_value: bool,
    permission_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<String>,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let query = parse_form(request.query.as_bytes())?;
        let arn = required(query.get("permissionArn"), "permissionArn")?;
        let version = required(query.get("permissionVersion"), "permissionVersion")?;
        let client_token = query.get("clientToken").map(str::to_owned);
        let invalid = |_| PermissionRefusal::VersionInvalid { value: version.chars().take(64).collect() };
        let number: i64 = version.parse().map_err(invalid).map_err(rampart_core::Refusal::from)?;
        let name = own_name(&app, &request.call, arn)?;
        let once = Once::new(&request.call, NAME, client_token.as_deref(), &(arn, number))?;
        let owner = request.call.account;
        write(&app, owner, DeleteVersion { call: request.call, name, number, client_token, once }).await
    })
}

struct DeleteVersion {
    call: Call,
    name: String,
    number: i64,
    client_token: Option<String>,
    once: Once,
}

impl Work for DeleteVersion {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        if let Some(answer) = self.once.recall(tx).await? {
            return Ok(answer);
        }
        let (owner, region, now) = (self.call.account, self.call.region, self.call.now);
        let named = PermissionName::Customer(self.name.clone());
        let loaded = try_join3(
            own(tx, &self.call, &self.name),
            async { Ok(tx.permission_version(owner, region, &self.name, self.number).await?) },
            async { Ok(tx.is_attached(owner, region, &named, Some(self.number)).await?) },
        );
        let (permission, version, attached) = loaded.await?;
        let changes = decide_delete_version(&permission, version.as_ref(), self.number, attached, now)?;
        tx.apply(&changes, now).await?;
        let output = Output {
            return_value: true,
            permission_status: DELETE_ACKNOWLEDGED.as_str(),
            client_token: self.client_token.clone(),
        };
        self.once.answer(tx, &output).await
    }
}

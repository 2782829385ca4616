//! DeletePermission: a permission that no share has, with all its versions (reference §7.5). Its parameters stand in the
//! query.

use std::sync::Arc;

use futures_util::future::try_join;
use rampart_aws::query::parse_form;
use rampart_core::permission::PermissionName;
use rampart_core::permission::customer::{DELETE_ACKNOWLEDGED, decide_delete};
use rampart_store::{Abort, Transaction, Work};
use serde::Serialize;

use super::answering::write;
use super::input::required;
use super::permissions::{own, own_name};
use crate::app::{App, Call};
use crate::idempotency::Once;
use crate::operations::{Answer, Request};

const NAME: &str = "DeletePermission";

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
        let client_token = query.get("clientToken").map(str::to_owned);
        let name = own_name(&app, &request.call, arn)?;
        let once = Once::new(&request.call, NAME, client_token.as_deref(), &arn)?;
        let owner = request.call.account;
        write(&app, owner, Delete { call: request.call, name, client_token, once }).await
    })
}

struct Delete {
    call: Call,
    name: String,
    client_token: Option<String>,
    once: Once,
}

impl Work for Delete {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        if let Some(answer) = self.once.recall(tx).await? {
            return Ok(answer);
        }
        let (owner, region, now) = (self.call.account, self.call.region, self.call.now);
        let named = PermissionName::Customer(self.name.clone());
        let attached = async { Ok(tx.is_attached(owner, region, &named, None).await?) };
        let (permission, attached) = try_join(own(tx, &self.call, &self.name), attached).await?;
        let usage = tx.permission_use(owner, region, &permission.resource_type).await?;
        let changes = decide_delete(&permission, attached, usage, now)?;
        tx.apply(&changes, now).await?;
        let output = Output {
            return_value: true,
            permission_status: DELETE_ACKNOWLEDGED.as_str(),
            client_token: self.client_token.clone(),
        };
        self.once.answer(tx, &output).await
    }
}

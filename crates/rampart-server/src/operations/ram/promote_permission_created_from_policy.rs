//! PromotePermissionCreatedFromPolicy: a customer managed permission with what RAM made of a policy (reference §7.7,
//! §10.32). The one that RAM made stays, and so do the shares that have it.

use std::sync::Arc;

use futures_util::future::try_join;
use rampart_aws::rest_json::parse_body;
use rampart_core::permission::Found;
use rampart_core::permission::customer::{check_permission_name, decide_create};
use rampart_core::permission::find;
use rampart_core::policy_share::promote::promoted_permission;
use rampart_core::refusal::PermissionRefusal;
use rampart_store::{Abort, Transaction, Work};
use serde::{Deserialize, Serialize};

use super::answering::write;
use super::input::required;
use super::permission_shapes::PermissionShape;
use super::permissions::with_default;
use crate::app::{App, Call};
use crate::idempotency::Once;
use crate::operations::{Answer, Request};

const NAME: &str = "PromotePermissionCreatedFromPolicy";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    permission_arn: Option<String>,
    name: Option<String>,
    client_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    permission: PermissionShape,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<String>,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: Input = parse_body(&request.body)?;
        let arn = required(input.permission_arn, "permissionArn")?;
        let new_name = required(input.name, "name")?;
        check_permission_name(&new_name)?;
        let (call, client_token) = (request.call, input.client_token);
        let name = match find(app.catalog, &arn, call.account, call.region)? {
            Found::Own(name) => name,
            Found::Managed(known) => {
                let refusal = PermissionRefusal::NotFromPolicy { name: known.name.clone() };
                return Err(rampart_core::Refusal::from(refusal).into());
            }
        };
        let once = Once::new(&call, NAME, client_token.as_deref(), &(&arn, &new_name))?;
        let owner = call.account;
        let command = Promote { app: Arc::clone(&app), call, name, new_name, client_token, once };
        write(&app, owner, command).await
    })
}

struct Promote {
    app: Arc<App>,
    call: Call,
    name: String,
    new_name: String,
    client_token: Option<String>,
    once: Once,
}

impl Work for Promote {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        if let Some(answer) = self.once.recall(tx).await? {
            return Ok(answer);
        }
        let (owner, region) = (self.call.account, self.call.region);
        let existing = async { Ok(tx.permission(owner, region, &self.new_name).await?) };
        let ((permission, version), existing) =
            try_join(with_default(tx, &self.call, &self.name), existing).await?;
        let new = promoted_permission(&permission, &version, &self.new_name)?.checked(self.app.catalog)?;
        let usage = tx.permission_use(owner, region, &new.resource_type).await?;
        let (quotas, now) = (&self.app.settings.quotas, self.call.now);
        let id = self.app.entropy.uuid();
        let made = decide_create(&new, (owner, region), id, existing.as_ref(), usage, quotas, now)?;
        tx.apply(&made.changes, now).await?;
        let (permission, version) = made.reply;
        let status = permission.status(now, self.app.timing()).expect("a permission made now is not deleted");
        let permission = PermissionShape::of_own(&permission, &version.head, status);
        self.once.answer(tx, &Output { permission, client_token: self.client_token.clone() }).await
    }
}

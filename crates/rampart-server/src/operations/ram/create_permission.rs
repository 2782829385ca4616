//! CreatePermission: a permission of the account's own, with its first version (reference §10.20).

use std::sync::Arc;

use futures_util::future::try_join;
use rampart_aws::rest_json::parse_body;
use rampart_core::permission::customer::{NewPermission, NewTemplate, decide_create};
use rampart_store::{Abort, Transaction, Work};
use serde::{Deserialize, Serialize};

use super::answering::write;
use super::input::required;
use super::permission_shapes::PermissionShape;
use super::permissions::{DeclarationInput, declarations};
use super::tag_resource::{TagInput, tags};
use crate::app::{App, Call};
use crate::idempotency::Once;
use crate::operations::{Answer, Request};

const NAME: &str = "CreatePermission";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    name: Option<String>,
    resource_type: Option<String>,
    policy_template: Option<String>,
    permission_template_parameters: Option<Vec<DeclarationInput>>,
    client_token: Option<String>,
    tags: Option<Vec<TagInput>>,
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
        let name = required(input.name, "name")?;
        let resource_type = required(input.resource_type, "resourceType")?;
        let template = NewTemplate {
            text: required(input.policy_template, "policyTemplate")?,
            parameters: declarations(input.permission_template_parameters)?,
        };
        let tags = tags(input.tags.unwrap_or_default())?;
        let new = NewPermission { name, resource_type, template, tags }.checked(app.catalog)?;
        let once = Once::new(&request.call, NAME, input.client_token.as_deref(), &new)?;
        let (owner, client_token) = (request.call.account, input.client_token);
        let command = Create { app: Arc::clone(&app), call: request.call, new, client_token, once };
        write(&app, owner, command).await
    })
}

struct Create {
    app: Arc<App>,
    call: Call,
    new: NewPermission,
    client_token: Option<String>,
    once: Once,
}

impl Work for Create {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        if let Some(answer) = self.once.recall(tx).await? {
            return Ok(answer);
        }
        let (owner, region) = (self.call.account, self.call.region);
        let existing = tx.permission(owner, region, &self.new.name);
        let usage = tx.permission_use(owner, region, &self.new.resource_type);
        let (existing, usage) = try_join(existing, usage).await?;
        let (quotas, now) = (&self.app.settings.quotas, self.call.now);
        let id = self.app.entropy.uuid();
        let made = decide_create(&self.new, (owner, region), id, existing.as_ref(), usage, quotas, now)?;
        tx.apply(&made.changes, now).await?;
        let (permission, version) = made.reply;
        let status = permission.status(now, self.app.timing()).expect("a permission made now is not deleted");
        let permission = PermissionShape::of_own(&permission, &version.head, status);
        self.once.answer(tx, &Output { permission, client_token: self.client_token.clone() }).await
    }
}

//! CreatePermissionVersion: a new text, the default from now on; shares keep theirs (reference §7.5, §10.21).

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::Refusal;
use rampart_core::permission::customer::{NewTemplate, check_template, decide_create_version};
use rampart_store::{Abort, Transaction, Work};
use serde::{Deserialize, Serialize};

use super::answering::write;
use super::input::required;
use super::permission_shapes::PermissionShape;
use super::permissions::{DeclarationInput, declarations, own_name, with_default};
use crate::app::{App, Call};
use crate::idempotency::Once;
use crate::operations::{Answer, Request};

const NAME: &str = "CreatePermissionVersion";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    permission_arn: Option<String>,
    policy_template: Option<String>,
    permission_template_parameters: Option<Vec<DeclarationInput>>,
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
        let template = NewTemplate {
            text: required(input.policy_template, "policyTemplate")?,
            parameters: declarations(input.permission_template_parameters)?,
        };
        let name = own_name(&app, &request.call, &arn)?;
        let once = Once::new(&request.call, NAME, input.client_token.as_deref(), &(&arn, &template))?;
        let (owner, client_token) = (request.call.account, input.client_token);
        let command =
            CreateVersion { app: Arc::clone(&app), call: request.call, name, template, client_token, once };
        write(&app, owner, command).await
    })
}

struct CreateVersion {
    app: Arc<App>,
    call: Call,
    name: String,
    template: NewTemplate,
    client_token: Option<String>,
    once: Once,
}

impl Work for CreateVersion {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        if let Some(answer) = self.once.recall(tx).await? {
            return Ok(answer);
        }
        let (permission, default) = with_default(tx, &self.call, &self.name).await?;
        let resource_type = self.app.catalog.type_named(&permission.resource_type);
        let gone = || Refusal::ResourceTypeInvalid { value: permission.resource_type.clone() };
        check_template(self.app.catalog, resource_type.ok_or_else(gone)?, &self.template)?;
        let (quotas, now) = (&self.app.settings.quotas, self.call.now);
        let made = decide_create_version(&permission, &default, &self.template, quotas, now)?;
        tx.apply(&made.changes, now).await?;
        let (permission, version) = made.reply;
        let status = permission.status(now, self.app.timing()).expect("it is not deleted");
        let shape = PermissionShape::of_own(&permission, &version.head, status);
        let permission = shape.with_text(Some(version.template));
        self.once.answer(tx, &Output { permission, client_token: self.client_token.clone() }).await
    }
}

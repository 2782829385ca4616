//! AssociateResourceSharePermission: the owner chooses what a share allows for a type (reference §10.26).

use std::sync::Arc;

use futures_util::future::try_join3;
use rampart_aws::rest_json::parse_body;
use rampart_core::permission::attach::{Attach, decide_attach};
use rampart_core::permission::find;
use rampart_core::resource_share::check_own;
use rampart_core::{Change, Refusal, ShareArn};
use rampart_store::{Abort, Transaction, Work};
use serde::{Deserialize, Serialize};

use super::answering::write;
use super::input::{required, share_arn};
use super::permissions::{ValuesInput, attachable, values};
use crate::app::{App, Call};
use crate::idempotency::Once;
use crate::operations::{Answer, Request};

const NAME: &str = "AssociateResourceSharePermission";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    resource_share_arn: Option<String>,
    permission_arn: Option<String>,
    replace: Option<bool>,
    client_token: Option<String>,
    permission_version: Option<i64>,
    permission_template_parameters: Option<Vec<ValuesInput>>,
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
        let text = required(input.resource_share_arn, "resourceShareArn")?;
        let permission_arn = required(input.permission_arn, "permissionArn")?;
        let share = share_arn(&text)?;
        // What can be refused without the store is refused before it.
        find(app.catalog, &permission_arn, request.call.account, request.call.region)?;
        let values = values(input.permission_template_parameters)?;
        let wanted =
            Attach { version: input.permission_version, replace: input.replace.unwrap_or(false), values };
        let canonical = (&text, &permission_arn, wanted.replace, wanted.version, &wanted.values);
        let once = Once::new(&request.call, NAME, input.client_token.as_deref(), &canonical)?;
        let (owner, client_token, call) = (request.call.account, input.client_token, request.call);
        let app_too = Arc::clone(&app);
        write(
            &app,
            owner,
            AttachPermission { app: app_too, call, share, permission_arn, wanted, client_token, once },
        )
        .await
    })
}

struct AttachPermission {
    app: Arc<App>,
    call: Call,
    share: ShareArn,
    permission_arn: String,
    wanted: Attach,
    client_token: Option<String>,
    once: Once,
}

impl Work for AttachPermission {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        if let Some(answer) = self.once.recall(tx).await? {
            return Ok(answer);
        }
        let not_found = Refusal::ShareNotFound { share: self.share };
        if !self.call.owns(self.share) {
            return Err(not_found.into());
        }
        let loaded = try_join3(
            async { Ok(tx.resource_share(self.share).await?) },
            async { Ok(tx.share_permissions(self.share).await?) },
            attachable(tx, &self.app, &self.call, &self.permission_arn),
        );
        let (share, attached, permission) = loaded.await?;
        // AWS: InvalidStateTransition is not modelled here, so a deleted share is unknown (reference §3.1).
        check_own(&share.filter(|share| share.deleted.is_none()).ok_or(not_found)?)?;
        let holds_type = tx.share_holds_type(self.share, permission.resource_type()).await?;
        let row = decide_attach(self.share, &attached, &permission, &self.wanted, holds_type, self.call.now)?;
        let changes: Vec<_> = row.into_iter().map(Change::PermissionAttached).collect();
        tx.apply(&changes, self.call.now).await?;
        self.once.answer(tx, &Output { return_value: true, client_token: self.client_token.clone() }).await
    }
}

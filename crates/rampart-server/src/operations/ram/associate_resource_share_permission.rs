//! AssociateResourceSharePermission: the owner chooses what a share allows for a type (reference §10.26).

use std::sync::Arc;

use futures_util::future::try_join3;
use rampart_aws::rest_json::parse_body;
use rampart_core::catalog::ManagedPermission;
use rampart_core::permission::{decide_attach, find};
use rampart_core::{Change, Refusal, ShareArn};
use rampart_store::{Abort, Transaction, Work};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::answering::write;
use super::input::{required, share_arn};
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
    permission_template_parameters: Option<Vec<IgnoredAny>>,
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
        if input.permission_template_parameters.is_some_and(|list| !list.is_empty()) {
            return Err(Refusal::PermissionTemplatesUnsupported.into());
        }
        let share = share_arn(&text)?;
        let permission = find(app.catalog, &permission_arn, request.call.region.partition())?;
        let (replace, version) = (input.replace.unwrap_or(false), input.permission_version);
        let canonical = (&text, &permission_arn, replace, version);
        let once = Once::new(&request.call, NAME, input.client_token.as_deref(), &canonical)?;
        let (owner, client_token) = (request.call.account, input.client_token);
        let command = Attach { call: request.call, share, permission, replace, version, client_token, once };
        write(&app, owner, command).await
    })
}

struct Attach {
    call: Call,
    share: ShareArn,
    permission: &'static ManagedPermission,
    replace: bool,
    version: Option<i64>,
    client_token: Option<String>,
    once: Once,
}

impl Work for Attach {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        if let Some(answer) = self.once.recall(tx).await? {
            return Ok(answer);
        }
        let not_found = Refusal::ShareNotFound { share: self.share };
        if !self.call.owns(self.share) {
            return Err(not_found.into());
        }
        let holds = tx.share_holds_type(self.share, &self.permission.resource_type);
        let loaded =
            try_join3(tx.resource_share(self.share), tx.share_permissions(self.share), holds).await?;
        let (share, attached, holds_type) = loaded;
        // AWS: InvalidStateTransition is not modelled here, so a deleted share is unknown (reference §3.1).
        share.filter(|share| share.deleted.is_none()).ok_or(not_found)?;
        let (now, replace) = (self.call.now, self.replace);
        let row =
            decide_attach(self.share, &attached, self.permission, self.version, replace, holds_type, now)?;
        let changes: Vec<_> = row.into_iter().map(Change::PermissionAttached).collect();
        tx.apply(&changes, now).await?;
        self.once.answer(tx, &Output { return_value: true, client_token: self.client_token.clone() }).await
    }
}

//! DisassociateResourceSharePermission: takes a permission off a share that holds nothing of its type (reference §10.27).

use std::sync::Arc;

use futures_util::future::try_join;
use rampart_aws::rest_json::parse_body;
use rampart_core::permission::attach::decide_detach;
use rampart_core::permission::{PermissionName, find};
use rampart_core::resource_share::check_active;
use rampart_core::{Change, Refusal, ShareArn};
use rampart_store::{Abort, Transaction, Work};
use serde::{Deserialize, Serialize};

use super::answering::write;
use super::input::{required, share_arn};
use crate::app::{App, Call};
use crate::idempotency::Once;
use crate::operations::{Answer, Request};

const NAME: &str = "DisassociateResourceSharePermission";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    resource_share_arn: Option<String>,
    permission_arn: Option<String>,
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
        let text = required(input.resource_share_arn, "resourceShareArn")?;
        let permission_arn = required(input.permission_arn, "permissionArn")?;
        let share = share_arn(&text)?;
        let permission =
            find(app.catalog, &permission_arn, request.call.account, request.call.region)?.name();
        let canonical = (&text, &permission_arn);
        let once = Once::new(&request.call, NAME, input.client_token.as_deref(), &canonical)?;
        let (owner, client_token) = (request.call.account, input.client_token);
        let command =
            Detach { app: Arc::clone(&app), call: request.call, share, permission, client_token, once };
        write(&app, owner, command).await
    })
}

struct Detach {
    app: Arc<App>,
    call: Call,
    share: ShareArn,
    permission: PermissionName,
    client_token: Option<String>,
    once: Once,
}

impl Work for Detach {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        if let Some(answer) = self.once.recall(tx).await? {
            return Ok(answer);
        }
        let not_found = Refusal::ShareNotFound { share: self.share };
        if !self.call.owns(self.share) {
            return Err(not_found.into());
        }
        let loaded = try_join(tx.resource_share(self.share), tx.share_permissions(self.share));
        let (share, attached) = loaded.await?;
        let (now, timing) = (self.call.now, self.app.timing());
        check_active(&share.filter(|share| share.status(now, timing).is_some()).ok_or(not_found)?)?;
        let resource_type = attached.iter().find(|row| row.permission == self.permission);
        let holds_type = match resource_type {
            Some(row) => tx.share_holds_type(self.share, &row.resource_type).await?,
            None => false,
        };
        let row = decide_detach(&attached, &self.permission, holds_type)?;
        let (owner, region, share) = (row.owner, row.region, row.share);
        let detached = Change::PermissionDetached { owner, region, share, resource_type: row.resource_type };
        tx.apply(&[detached], self.call.now).await?;
        self.once.answer(tx, &Output { return_value: true, client_token: self.client_token.clone() }).await
    }
}

//! AssociateResourceShare: the owner puts resources and principals into a share (reference §10.5).

use std::sync::Arc;

use futures_util::future::try_join4;
use rampart_aws::rest_json::parse_body;
use rampart_core::associate::{Ledger, decide_associate};
use rampart_core::permission::attach::attach_missing;
use rampart_core::{Change, Refusal, ShareArn};
use rampart_store::{Abort, Transaction, Work};
use serde::{Deserialize, Serialize};

use super::answering::write_past_what_is_over;
use super::effect::circle_for;
use super::entities::Named;
use super::input::{required, share_arn};
use super::shapes::AssociationShape;
use crate::app::{App, Call};
use crate::idempotency::Once;
use crate::operations::{Answer, Request};

const NAME: &str = "AssociateResourceShare";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    resource_share_arn: Option<String>,
    resource_arns: Option<Vec<String>>,
    principals: Option<Vec<String>>,
    client_token: Option<String>,
    sources: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    resource_share_associations: Vec<AssociationShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<String>,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: Input = parse_body(&request.body)?;
        let text = required(input.resource_share_arn, "resourceShareArn")?;
        let share = share_arn(&text)?;
        let named = Named::new(input.resource_arns, input.principals, input.sources)?;
        if named.is_empty() {
            return Err(Refusal::EntitiesMissing.into());
        }
        named.recognise(&app, &request.call)?;
        let once = Once::new(&request.call, NAME, input.client_token.as_deref(), &(&text, &named))?;
        let owner = request.call.account;
        let client_token = input.client_token;
        let command =
            Associate { app: Arc::clone(&app), call: request.call, share, named, client_token, once };
        write_past_what_is_over(&app, owner, command).await
    })
}

struct Associate {
    app: Arc<App>,
    call: Call,
    share: ShareArn,
    named: Named,
    client_token: Option<String>,
    once: Once,
}

impl Work for Associate {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        if let Some(answer) = self.once.recall(tx).await? {
            return Ok(answer);
        }
        let not_found = Refusal::ShareNotFound { share: self.share };
        if !self.call.owns(self.share) {
            return Err(not_found.into());
        }
        let (now, timing) = (self.call.now, self.app.timing());
        let existing = self.named.load_existing(tx, self.share);
        let usage = tx.owner_usage(self.call.account, self.call.region);
        let permissions = tx.share_permissions(self.share);
        let (share, existing, usage, permissions) =
            try_join4(tx.resource_share(self.share), existing, usage, permissions).await?;
        let share = share.filter(|share| share.status(now, timing).is_some()).ok_or(not_found)?;
        let entities = self.named.recognise(&self.app, &self.call)?;
        let circle = circle_for(tx, share.owner, &entities.principals, &existing).await?;
        let quotas = &self.app.settings.quotas;
        let ledger = Ledger { usage, quotas, timing, circle: circle.as_ref() };
        let decision =
            decide_associate(&share, &entities, existing, ledger, now, &mut || self.app.entropy.uuid())?;
        // AWS: a type that comes without a permission gets its default (reference §7.2).
        let types = entities.resource_types();
        let added = attach_missing(self.app.catalog, self.share, &permissions, &types, now);
        let mut changes = decision.changes;
        changes.extend(added.into_iter().map(Change::PermissionAttached));
        tx.apply(&changes, now).await?;
        let output = Output {
            resource_share_associations: decision.reply.iter().map(AssociationShape::of_outcome).collect(),
            client_token: self.client_token.clone(),
        };
        self.once.answer(tx, &output).await
    }
}

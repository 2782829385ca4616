//! DisassociateResourceShare: the owner takes entities out of a share, or a consumer leaves it (reference §5.5, §10.6).

use std::sync::Arc;

use futures_util::future::try_join4;
use rampart_aws::rest_json::parse_body;
use rampart_core::disassociate::{decide_disassociate, decide_leave};
use rampart_core::organization::circle::lasts;
use rampart_core::{AssociationKind, Refusal, ShareArn};
use rampart_store::{Abort, Transaction, Work};
use serde::{Deserialize, Serialize};

use super::answering::write;
use super::effect::circle_for;
use super::entities::{Named, check_form};
use super::input::{required, share_arn};
use super::shapes::AssociationShape;
use crate::app::{App, Call};
use crate::idempotency::Once;
use crate::operations::{Answer, Request};

const NAME: &str = "DisassociateResourceShare";

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
        let once = Once::new(&request.call, NAME, input.client_token.as_deref(), &(&text, &named))?;
        let client_token = input.client_token;
        let command =
            Disassociate { app: Arc::clone(&app), call: request.call, share, named, client_token, once };
        // A consumer who leaves changes the owner's share, so the write is the owner's either way.
        write(&app, share.owner, command).await
    })
}

struct Disassociate {
    app: Arc<App>,
    call: Call,
    share: ShareArn,
    named: Named,
    client_token: Option<String>,
    once: Once,
}

impl Work for Disassociate {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        if let Some(answer) = self.once.recall(tx).await? {
            return Ok(answer);
        }
        let (now, timing) = (self.call.now, self.app.timing());
        let rows = self.named.load_rows(tx, self.share);
        let company = self.named.load_company(tx, self.share);
        let usage = tx.owner_usage(self.share.owner, self.share.region);
        let (share, rows, company, usage) =
            try_join4(tx.resource_share(self.share), rows, company, usage).await?;
        for ((kind, entity), row) in self.named.entities().zip(&rows) {
            // What is associated can be removed, however it is written.
            if row.is_none() || !self.call.owns(self.share) {
                check_form(kind, entity, self.call.region.partition())?;
            }
        }
        let here = self.share.region == self.call.region;
        let share = share.filter(|_| here).ok_or(Refusal::ShareNotFound { share: self.share })?;
        let caller = self.call.account;
        let decision = if share.owner == caller {
            let based: Vec<_> = rows.iter().flatten().filter(|row| row.basis().is_some()).cloned().collect();
            let circle = if based.is_empty() { None } else { circle_for(tx, caller, &[], &based).await? };
            let named = self.named.entities().map(|(_, entity)| entity).zip(rows).collect();
            decide_disassociate(&share, named, &company, usage, circle.as_ref(), now, timing)?
        } else if self.named.entities().eq([(AssociationKind::Principal, caller.as_str())]) {
            let any_type = self.app.settings.leave_any_type;
            let circle = circle_for(tx, share.owner, &[], &company).await?;
            let company: Vec<_> = company.into_iter().filter(|row| lasts(row, circle.as_ref())).collect();
            decide_leave(&share, caller, &company, usage, now, timing, any_type)?
        } else {
            // Another account's share: as if it were unknown.
            return Err(Refusal::ShareNotFound { share: self.share }.into());
        };
        tx.apply(&decision.changes, now).await?;
        let output = Output {
            resource_share_associations: decision.reply.iter().map(AssociationShape::of_outcome).collect(),
            client_token: self.client_token.clone(),
        };
        self.once.answer(tx, &output).await
    }
}

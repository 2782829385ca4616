//! PromoteResourceShareCreatedFromPolicy: a share that RAM made of a policy becomes a standard one, with a managed
//! permission that grants exactly the same (reference §7.7, §10.33). Its parameter stands in the query.
//!
//! Round trips on PostgreSQL: 5, one for the texts of the owner's permissions of the type, and two where it is shared with
//! the organization.

use std::sync::Arc;

use futures_util::future::{try_join, try_join3};
use rampart_aws::query::parse_form;
use rampart_core::permission::PermissionName;
use rampart_core::policy_share::promote::{Promotion, check_promotable, decide_promote_share};
use rampart_core::policy_share::read::{POLICY_PRINCIPALS_MAX, statements_of};
use rampart_core::{AssociationKind, Refusal, ShareArn};
use rampart_store::{Abort, AssociationCursor, AssociationScope, StoreError, Transaction, Work};
use serde::Serialize;

use super::answering::write;
use super::effect::end_what_is_over;
use super::input::{required, share_arn};
use super::policy_candidates::candidates;
use crate::app::{App, Call};
use crate::idempotency::Once;
use crate::operations::{Answer, Request};

const NAME: &str = "PromoteResourceShareCreatedFromPolicy";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    return_value: bool,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let query = parse_form(request.query.as_bytes())?;
        let text = required(query.get("resourceShareArn"), "resourceShareArn")?;
        let share = share_arn(text)?;
        let once = Once::new(&request.call, NAME, None, &text)?;
        let owner = request.call.account;
        let command = Promote { app: Arc::clone(&app), call: request.call, share, once };
        write(&app, owner, command).await
    })
}

struct Promote {
    app: Arc<App>,
    call: Call,
    share: ShareArn,
    once: Once,
}

impl Work for Promote {
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
        let (share, attached) =
            try_join(tx.resource_share(self.share), tx.share_permissions(self.share)).await?;
        let share = share.filter(|share| share.status(now, timing).is_some()).ok_or(not_found)?;
        check_promotable(&share, now, timing)?;
        let lost = || StoreError::Corrupt { what: format!("{} has no permission of its policy", self.share) };
        let [attached] = &attached[..] else { return Err(lost().into()) };
        let PermissionName::Customer(name) = &attached.permission else { return Err(lost().into()) };
        let (owner, region, kind) = (self.share.owner, self.share.region, AssociationKind::Principal);
        let limit = u32::try_from(POLICY_PRINCIPALS_MAX).expect("a bound of rows fits");
        let (scope, start) = (AssociationScope::Share(self.share), AssociationCursor::START);
        let (permission, version, principals) = try_join3(
            tx.permission(owner, region, name),
            tx.permission_version(owner, region, name, i64::from(attached.version)),
            tx.associations(scope, owner, region, kind, start, now, timing, limit),
        )
        .await?;
        let (permission, version) = permission.zip(version).ok_or_else(lost)?;
        let allowed = statements_of(&version.template).map_err(|_| lost())?;
        let mut principals: Vec<_> = principals.into_iter().map(|row| row.association).collect();
        if principals.iter().any(|row| row.basis().is_some()) {
            let membership = tx.membership(owner).await?;
            end_what_is_over(tx, membership.as_ref(), principals.iter_mut(), now).await?;
        }
        let candidates = candidates(tx, &self.app, (owner, region), &attached.resource_type, now).await?;
        let attached = (attached, &permission);
        let promotion = Promotion { share: &share, attached, allowed: &allowed, principals: &principals };
        let changes = decide_promote_share(&promotion, &candidates, now, timing)?;
        tx.apply(&changes, now).await?;
        self.once.answer(tx, &Output { return_value: true }).await
    }
}

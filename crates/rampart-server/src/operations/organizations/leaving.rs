//! RemoveAccountFromOrganization, LeaveOrganization, CloseAccount.

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::organization::change::Tidying;
use rampart_core::organization::member::{self, decide_close, decide_leave};
use rampart_core::organization::{Member, Organization};
use rampart_core::{AccountId, Change, Decision, OrganizationChange, OrganizationRefusal, TimestampMs};
use rampart_store::{Abort, Transaction, Work};
use serde::{Deserialize, Serialize};

use super::input::account_id;
use super::managing::{At, Managing, Nothing, done, manage};
use crate::app::{App, Call};
use crate::failure::Failure;
use crate::idempotency::Once;
use crate::operations::{Answer, Request};

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct RemoveInput {
    account_id: Option<String>,
}

pub(crate) fn remove_account_from_organization(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: RemoveInput = parse_body(&request.body)?;
        let call = request.call;
        let account = account_id(input.account_id.as_deref(), "AccountId")?;
        let member = app.store.reader().await?.member(call.account, account).await?;
        let answer = manage(Arc::clone(&app), call.clone(), input).await?;
        if let Some(member) = member {
            release(&app, &call, &member).await?;
        }
        Ok(answer)
    })
}

/// Lets an account that left be claimed by another organization at once. Should this fail, its claim lapses by itself.
async fn release(app: &App, call: &Call, member: &Member) -> Result<(), Failure> {
    let command = Release { account: member.account, epoch: member.epoch, now: call.now };
    Ok(app.store.write(app.store.partition_of(member.account), command).await?)
}

struct Release {
    account: AccountId,
    epoch: i64,
    now: TimestampMs,
}

impl Work for Release {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        let claim = tx.organization_claim(self.account).await?;
        let free = claim.and_then(|claim| member::release(claim, self.epoch, self.now));
        let changes: Vec<_> =
            free.map(|claim| Change::Organization(OrganizationChange::Claimed(claim))).into_iter().collect();
        Ok(tx.apply(&changes, self.now).await?)
    }
}

impl Managing for RemoveInput {
    type Reply = Nothing;

    async fn decide(&self, tx: &Transaction, at: &At<'_>) -> Result<Decision<Nothing>, Abort> {
        let account = account_id(self.account_id.as_deref(), "AccountId")?;
        let member = tx.member(at.organization.management, account).await?;
        let member = member.ok_or(OrganizationRefusal::AccountNotFound)?;
        Ok(done(departure(at.organization, &member, at.call.now)?))
    }
}

/// The rows of an account that is a member no more. What it had by being one ends with its row.
fn departure(
    organization: &Organization,
    member: &Member,
    now: TimestampMs,
) -> Result<Vec<OrganizationChange>, OrganizationRefusal> {
    let after = decide_leave(organization, member)?;
    let (management, account) = (organization.management, member.account);
    let (generation, target) = (organization.policies_generation, account.to_string());
    Ok(vec![
        OrganizationChange::Stored(after),
        OrganizationChange::MemberDeleted { management, account },
        OrganizationChange::TagsDropped { management, resource: target.clone() },
        OrganizationChange::TargetDropped { management, generation, target },
        OrganizationChange::TidyingStored(Tidying { management, account: Some(account), at: now }),
    ])
}

/// Called by the account itself; its row is in the partition of the management account.
pub(crate) fn leave_organization(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let call = request.call;
        let once = Once::new(&call, call.operation.name, None, &())?;
        let member = {
            let reader = app.store.reader().await?;
            if let Some(answer) = once.recall(&reader).await? {
                drop(reader);
                return Ok(once.confirmed(&app, answer).await?);
            }
            let membership = reader.membership(call.account).await?;
            membership.ok_or(OrganizationRefusal::NotInUse)?.member
        };
        let partition = app.store.partition_of(member.management);
        let answer = app.store.write(partition, Leave { call: call.clone(), once }).await?;
        release(&app, &call, &member).await?;
        Ok(answer)
    })
}

struct Leave {
    call: Call,
    once: Once,
}

impl Work for Leave {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        if let Some(answer) = self.once.recall(tx).await? {
            return Ok(answer);
        }
        let membership = tx.membership(self.call.account).await?.ok_or(OrganizationRefusal::NotInUse)?;
        let changes = departure(&membership.organization, &membership.member, self.call.now)?;
        let changes: Vec<_> = changes.into_iter().map(Change::Organization).collect();
        tx.apply(&changes, self.call.now).await?;
        self.once.answer(tx, &Nothing {}).await
    }
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct CloseInput {
    account_id: Option<String>,
}

pub(crate) fn close_account(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: CloseInput = parse_body(&request.body)?;
        manage(app, request.call, input).await
    })
}

impl Managing for CloseInput {
    type Reply = Nothing;

    async fn decide(&self, tx: &Transaction, at: &At<'_>) -> Result<Decision<Nothing>, Abort> {
        let account = account_id(self.account_id.as_deref(), "AccountId")?;
        let member = tx.member(at.organization.management, account).await?;
        let member = member.ok_or(OrganizationRefusal::AccountNotFound)?;
        let closed = decide_close(at.organization, &member, at.call.now)?;
        Ok(done(vec![OrganizationChange::MemberStored(closed)]))
    }
}

//! RemoveAccountFromOrganization, LeaveOrganization, CloseAccount.

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::organization::member::{decide_close, decide_leave};
use rampart_core::organization::{Member, Organization};
use rampart_core::{Change, Decision, OrganizationChange, OrganizationRefusal};
use rampart_store::{Abort, Transaction, Work};
use serde::{Deserialize, Serialize};

use super::input::account_id;
use super::managing::{At, Managing, Nothing, done, manage};
use crate::app::{App, Call};
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
        manage(app, request.call, input).await
    })
}

impl Managing for RemoveInput {
    type Reply = Nothing;

    async fn decide(&self, tx: &Transaction, at: &At<'_>) -> Result<Decision<Nothing>, Abort> {
        let account = account_id(self.account_id.as_deref(), "AccountId")?;
        let member = tx.member(at.organization.management, account).await?;
        let member = member.ok_or(OrganizationRefusal::AccountNotFound)?;
        Ok(done(departure(at.organization, &member)?))
    }
}

/// The rows of an account that is a member no more. What it had by being one ends with its row.
fn departure(
    organization: &Organization,
    member: &Member,
) -> Result<Vec<OrganizationChange>, OrganizationRefusal> {
    let after = decide_leave(organization, member)?;
    let (management, account) = (organization.management, member.account);
    let (generation, target) = (organization.policies_generation, account.to_string());
    Ok(vec![
        OrganizationChange::Stored(after),
        OrganizationChange::MemberDeleted { management, account },
        OrganizationChange::TagsDropped { management, resource: target.clone() },
        OrganizationChange::TargetDropped { management, generation, target },
    ])
}

/// Called by the account itself; its row is in the partition of the management account.
pub(crate) fn leave_organization(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let call = request.call;
        let once = Once::new(&call, call.operation.name, None, &())?;
        let management = {
            let reader = app.store.reader().await?;
            if let Some(answer) = once.recall(&reader).await? {
                return Ok(answer);
            }
            let membership = reader.membership(call.account).await?;
            membership.ok_or(OrganizationRefusal::NotInUse)?.organization.management
        };
        let partition = app.store.partition_of(management);
        Ok(app.store.write(partition, Leave { call, once }).await?)
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
        let changes = departure(&membership.organization, &membership.member)?;
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

//! Calls that the management account alone may make.

use std::future::Future;
use std::sync::Arc;

use futures_util::future::try_join;
use rampart_core::organization::Organization;
use rampart_core::organization::member::check_claim;
use rampart_core::{AccountId, Change, Decision, OrganizationChange, OrganizationRefusal};
use rampart_store::{Abort, Reader, Transaction, Work};
use serde::Serialize;

use crate::app::{App, Call};
use crate::failure::Failure;
use crate::idempotency::Once;

/// What a decision is made with.
pub(super) struct At<'a> {
    pub(super) app: &'a App,
    pub(super) call: &'a Call,
    pub(super) organization: &'a Organization,
}

/// The input of a call that changes the caller's organization.
pub(super) trait Managing: Serialize + Send + Sync + 'static {
    /// The answer.
    type Reply: Serialize + Send + Sync;

    /// Loads what it needs, and decides.
    fn decide(
        &self,
        tx: &Transaction,
        at: &At<'_>,
    ) -> impl Future<Output = Result<Decision<Self::Reply>, Abort>> + Send;
}

/// The answer of operations without one.
#[derive(Serialize)]
pub(super) struct Nothing {}

/// A decision without an answer.
pub(super) fn done(changes: Vec<OrganizationChange>) -> Decision<Nothing> {
    decided(changes, Nothing {})
}

/// A decision.
pub(super) fn decided<T>(changes: Vec<OrganizationChange>, reply: T) -> Decision<T> {
    Decision { changes: changes.into_iter().map(Change::Organization).collect(), reply }
}

/// Runs a call in the partition of the caller, once.
pub(super) async fn manage<M: Managing>(app: Arc<App>, call: Call, input: M) -> Result<String, Failure> {
    let once = Once::new(&call, call.operation.name, None, &input)?;
    let partition = app.store.partition_of(call.account);
    let command = Managed { app: Arc::clone(&app), call, input, once };
    Ok(app.store.write(partition, command).await?)
}

struct Managed<M> {
    app: Arc<App>,
    call: Call,
    input: M,
    once: Once,
}

impl<M: Managing> Work for Managed<M> {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        if let Some(answer) = self.once.recall(tx).await? {
            return Ok(answer);
        }
        let organization = managed_by(tx, self.call.account).await?;
        let at = At { app: &self.app, call: &self.call, organization: &organization };
        let decision = self.input.decide(tx, &at).await?;
        tx.apply(&decision.changes, self.call.now).await?;
        self.once.answer(tx, &decision.reply).await
    }
}

/// The organization that `account` decides for. Other members are denied, others still have none.
pub(super) async fn managed_by(reader: &Reader, account: AccountId) -> Result<Organization, Abort> {
    if let Some(organization) = reader.organization(account).await? {
        return Ok(organization);
    }
    Err(match reader.membership(account).await? {
        Some(_) => OrganizationRefusal::AccessDenied.into(),
        None => OrganizationRefusal::NotInUse.into(),
    })
}

/// Makes sure, in the transaction by which an account joins, that the claim of that number lets it: since it was made, this
/// node may have been held up, and another organization may have claimed the account.
pub(super) async fn check_claimed(
    tx: &Transaction,
    app: &App,
    management: AccountId,
    (account, epoch): (AccountId, i64),
) -> Result<(), Abort> {
    let (claim, membership) = try_join(tx.organization_claim(account), tx.membership(account)).await?;
    if membership.is_some() {
        return Err(OrganizationRefusal::ConcurrentModification.into());
    }
    // Not the time of the call, which may be long ago.
    Ok(check_claim(claim, management, epoch, app.clock.now())?)
}

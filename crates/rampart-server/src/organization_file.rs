//! A whole organization from a file: what it would change, and changing it. Works on the store itself, whether or not a
//! server runs on it.

use std::collections::{BTreeSet, HashMap, HashSet};

use futures_util::{StreamExt, TryStreamExt, stream};
use rampart_core::iam::{IdentityKind, service_linked};
use rampart_core::organization::change::Tidying;
use rampart_core::organization::member::{decide_claim, decide_leave};
use rampart_core::organization::plan::{
    AccountEntry, OrganizationFile, PlanFault, Snapshot, Step, accounts_of, new_member, plan,
};
use rampart_core::organization::unit::Parent;
use rampart_core::organization::{
    Member, Organization, RAM_SERVICE, sharing_enabled, trusted_access_disabled, trusted_access_enabled,
};
use rampart_core::{AccountId, Change, OrganizationChange, OrganizationRefusal, TimestampMs};
use rampart_store::{Abort, Reader, Store, StoreError, Transaction, Work};

use crate::Entropy;
use crate::background::remove_remains;

/// Rows that are read together.
const PAGE: u32 = 500;
/// Steps that are taken together.
const STEPS_AT_ONCE: usize = 200;
/// Accounts that are claimed at once.
const CLAIMS_AT_ONCE: usize = 8;

/// Why a file was not applied, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// It says what cannot be.
    #[error("{0}")]
    Plan(#[from] PlanFault),
    /// The store failed, or somebody changed the organization meanwhile.
    #[error("{0}")]
    Store(#[from] Abort),
}

impl From<StoreError> for ApplyError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.into())
    }
}

/// What applying `file` would do to the store, in order.
pub async fn plan_file(
    store: &Store,
    file: &OrganizationFile,
    prune: bool,
    entropy: &Entropy,
    now: TimestampMs,
) -> Result<Vec<Step>, ApplyError> {
    let snapshot = snapshot(&store.reader().await?, file).await?;
    Ok(plan(file, &snapshot, prune, now, &mut || entropy.bytes())?)
}

async fn snapshot(reader: &Reader, file: &OrganizationFile) -> Result<Snapshot, StoreError> {
    let management = file.management_account.id;
    let organization = reader.organization(management).await?;
    let (mut units, mut members, mut services) = (Vec::new(), Vec::new(), BTreeSet::new());
    if organization.is_some() {
        loop {
            let after = units
                .last()
                .map_or("", |unit: &rampart_core::organization::OrganizationalUnit| unit.id.as_str());
            let page = reader.units(management, after, PAGE).await?;
            if page.is_empty() {
                break;
            }
            units.extend(page);
        }
        loop {
            let after = members.last().map_or("", |member: &Member| member.account.as_str());
            let page = reader.members(management, after, PAGE).await?;
            if page.is_empty() {
                break;
            }
            members.extend(page);
        }
        services = reader
            .services_with_access(management, "", PAGE)
            .await?
            .into_iter()
            .map(|(name, _)| name)
            .collect();
    }
    let known: HashSet<AccountId> = members.iter().map(|member| member.account).collect();
    let mut elsewhere = HashSet::new();
    for account in accounts_of(file).into_iter().filter(|account| !known.contains(account)) {
        if reader.membership(account).await?.is_some() {
            elsewhere.insert(account);
        }
    }
    Ok(Snapshot { organization, units, members, services, elsewhere })
}

/// Takes the steps of a plan, in order and some at a time. What was done before a failure stays done; applying the file
/// again goes on from there.
pub async fn apply(
    store: &Store,
    management: AccountId,
    steps: Vec<Step>,
    entropy: &Entropy,
    now: TimestampMs,
) -> Result<(), ApplyError> {
    if matches!(steps.first(), Some(Step::CreateOrganization { .. })) {
        remove_remains(store, management).await?;
    }
    for steps in steps.chunks(STEPS_AT_ONCE) {
        let newcomers = steps.iter().filter_map(|step| match step {
            Step::Join { account, .. } => Some(account.id),
            Step::CreateOrganization { management, .. } => Some(management.id),
            _ => None,
        });
        let claims = newcomers.map(async |account| {
            let claim = Claim { account, management, now };
            Ok::<_, Abort>((account, store.write(store.partition_of(account), claim).await?))
        });
        let epochs: HashMap<AccountId, i64> =
            stream::iter(claims).buffer_unordered(CLAIMS_AT_ONCE).try_collect().await?;
        let command = Take { management, steps: steps.to_vec(), epochs, random: entropy.bytes(), now };
        store.write(store.partition_of(management), command).await?;
    }
    Ok(())
}

struct Claim {
    account: AccountId,
    management: AccountId,
    now: TimestampMs,
}

impl Work for Claim {
    type Reply = i64;

    async fn run(&self, tx: &Transaction) -> Result<i64, Abort> {
        if tx.membership(self.account).await?.is_some() {
            return Err(OrganizationRefusal::AlreadyInOrganization.into());
        }
        let last = tx.organization_claim(self.account).await?;
        let claim = decide_claim(self.account, self.management, last, self.now)?;
        tx.apply(&[Change::Organization(OrganizationChange::Claimed(claim))], self.now).await?;
        Ok(claim.epoch)
    }
}

/// Some steps in one transaction of the organization's partition.
struct Take {
    management: AccountId,
    steps: Vec<Step>,
    epochs: HashMap<AccountId, i64>,
    random: [u8; 17],
    now: TimestampMs,
}

impl Work for Take {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        let mut taken = Taken { organization: tx.organization(self.management).await?, changes: Vec::new() };
        for step in &self.steps {
            self.take(tx, step, &mut taken).await?;
        }
        let Taken { organization, mut changes } = taken;
        changes.extend(organization.map(|row| Change::Organization(OrganizationChange::Stored(row))));
        Ok(tx.apply(&changes, self.now).await?)
    }
}

/// The organization as it is after the steps so far, and the rows that they write.
struct Taken {
    organization: Option<Organization>,
    changes: Vec<Change>,
}

impl Taken {
    fn push(&mut self, change: OrganizationChange) {
        self.changes.push(Change::Organization(change));
    }

    fn organization(&mut self) -> Result<&mut Organization, OrganizationRefusal> {
        self.organization.as_mut().ok_or(OrganizationRefusal::NotInUse)
    }
}

impl Take {
    async fn take(&self, tx: &Transaction, step: &Step, taken: &mut Taken) -> Result<(), Abort> {
        match step {
            Step::CreateOrganization { organization, management } => {
                if tx.remains_of(self.management).await?.is_some() {
                    return Err(OrganizationRefusal::ConcurrentModification.into());
                }
                taken.organization = Some(organization.clone());
                let member = self.member(management, &Parent::root(organization));
                taken.push(OrganizationChange::MemberStored(member));
            }
            Step::Join { account, parent } => {
                taken.organization()?.accounts += 1;
                taken.push(OrganizationChange::MemberStored(self.member(account, parent)));
            }
            Step::CreateUnit(unit) => {
                taken.organization()?.units += 1;
                taken.push(OrganizationChange::UnitStored(unit.clone()));
            }
            Step::RenameUnit { unit, .. } => taken.push(OrganizationChange::UnitStored(unit.clone())),
            Step::Change { member, .. } => {
                let member = self.changed(tx, member).await?;
                taken.push(OrganizationChange::MemberStored(member));
            }
            Step::Remove(account) => self.remove(tx, *account, taken).await?,
            Step::DeleteUnit(unit) => {
                let organization = taken.organization()?;
                organization.units = organization.units.saturating_sub(1);
                let (management, generation) = (self.management, organization.policies_generation);
                let target = unit.id.to_string();
                taken.push(OrganizationChange::UnitDeleted { management, unit: unit.id.clone() });
                taken.push(OrganizationChange::TagsDropped { management, resource: target.clone() });
                taken.push(OrganizationChange::TargetDropped { management, generation, target });
            }
            Step::Trust(service) => self.trust(service, taken)?,
            Step::Distrust(service) => self.distrust(service, taken)?,
            Step::Share => self.share(tx, taken).await?,
            Step::Unshare => self.distrust(RAM_SERVICE, taken)?,
        }
        Ok(())
    }

    fn member(&self, account: &AccountEntry, parent: &Parent) -> Member {
        let epoch = self.epochs.get(&account.id).copied().unwrap_or(1);
        new_member(account, parent, self.management, epoch, self.now)
    }

    /// A member as the plan wants it, of the epoch that it has.
    async fn changed(&self, tx: &Transaction, wanted: &Member) -> Result<Member, Abort> {
        let epoch = if let Some(epoch) = self.epochs.get(&wanted.account) {
            *epoch
        } else {
            let found = tx.member(self.management, wanted.account).await?;
            found.ok_or(OrganizationRefusal::AccountNotFound)?.epoch
        };
        Ok(Member { epoch, ..wanted.clone() })
    }

    async fn remove(&self, tx: &Transaction, account: AccountId, taken: &mut Taken) -> Result<(), Abort> {
        let member =
            tx.member(self.management, account).await?.ok_or(OrganizationRefusal::AccountNotFound)?;
        let organization = taken.organization()?;
        *organization = decide_leave(organization, &member)?;
        let (management, generation) = (self.management, organization.policies_generation);
        let target = account.to_string();
        taken.push(OrganizationChange::MemberDeleted { management, account });
        taken.push(OrganizationChange::TagsDropped { management, resource: target.clone() });
        taken.push(OrganizationChange::TargetDropped { management, generation, target });
        let tidying = Tidying { management, account: Some(account), at: self.now };
        taken.push(OrganizationChange::TidyingStored(tidying));
        Ok(())
    }

    fn trust(&self, service: &str, taken: &mut Taken) -> Result<(), Abort> {
        let organization = taken.organization()?;
        if let Some(after) = trusted_access_enabled(organization, service) {
            *organization = after;
        }
        let (management, service) = (self.management, service.to_owned());
        taken.push(OrganizationChange::ServiceAccessStored { management, service, enabled: self.now });
        Ok(())
    }

    fn distrust(&self, service: &str, taken: &mut Taken) -> Result<(), Abort> {
        let management = self.management;
        let organization = taken.organization()?;
        if let Some(after) = trusted_access_disabled(organization, service) {
            *organization = after;
            let tidying = Tidying { management, account: None, at: self.now };
            taken.push(OrganizationChange::TidyingStored(tidying));
        }
        taken.push(OrganizationChange::ServiceAccessDeleted { management, service: service.to_owned() });
        Ok(())
    }

    async fn share(&self, tx: &Transaction, taken: &mut Taken) -> Result<(), Abort> {
        let organization = taken.organization()?;
        if let Some(after) = sharing_enabled(organization) {
            *organization = after;
        }
        let (management, service) = (self.management, RAM_SERVICE.to_owned());
        taken.push(OrganizationChange::ServiceAccessStored { management, service, enabled: self.now });
        let name = service_linked::ram_role_name();
        if tx.iam_identity_alike(management, IdentityKind::Role, &name).await?.is_none() {
            let (_, role) = service_linked::create(management, None, self.random, self.now);
            taken.changes.extend(role);
        }
        Ok(())
    }
}

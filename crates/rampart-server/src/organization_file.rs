//! A whole organization from a file: what it would change, and changing it. Works on the store itself, whether or not a
//! server runs on it.

use std::collections::{HashMap, HashSet};

use futures_util::{StreamExt, TryStreamExt, stream};
use rampart_core::iam::{IdentityKind, service_linked};
use rampart_core::organization::change::Tidying;
use rampart_core::organization::member::{decide_claim, decide_leave};
use rampart_core::organization::plan::{
    AccountEntry, OrganizationFile, PlanFault, Snapshot, Step, Tags, accounts_of, new_member, plan,
};
use rampart_core::organization::policy::{Attachment, Policy, decide_disable, decide_enable};
use rampart_core::organization::unit::Parent;
use rampart_core::organization::{
    Member, Organization, OrganizationalUnit, PolicyId, RAM_SERVICE, TargetId, sharing_enabled,
    trusted_access_disabled, trusted_access_enabled,
};
use rampart_core::resource_share::Tag;
use rampart_core::{AccountId, Change, OrganizationChange, OrganizationRefusal, TimestampMs};
use rampart_store::{Abort, Reader, Store, StoreError, Transaction, Work};

use crate::Entropy;
use crate::background::remove_remains;

/// Rows that are read together.
const PAGE: u32 = 500;
/// Rows that are written together.
const ROWS_AT_ONCE: usize = 800;
/// Accounts that are claimed at once.
const CLAIMS_AT_ONCE: usize = 8;

/// Why a file was not applied, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// It says what cannot be.
    #[error(transparent)]
    Plan(#[from] PlanFault),
    /// The store failed, or somebody changed the organization meanwhile.
    #[error(transparent)]
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
    let mut snapshot = match reader.organization(management).await? {
        Some(organization) => of_organization(reader, organization).await?,
        None => Snapshot::default(),
    };
    let known: HashSet<AccountId> = snapshot.members.iter().map(|member| member.account).collect();
    for account in accounts_of(file).into_iter().filter(|account| !known.contains(account)) {
        if reader.membership(account).await?.is_some() {
            snapshot.elsewhere.insert(account);
        }
    }
    Ok(snapshot)
}

async fn of_organization(reader: &Reader, organization: Organization) -> Result<Snapshot, StoreError> {
    let management = organization.management;
    let units = all(async |last: Option<&OrganizationalUnit>| {
        reader.units(management, last.map_or("", |unit| unit.id.as_str()), PAGE).await
    });
    let members = all(async |last: Option<&Member>| {
        reader.members(management, last.map_or("", |member| member.account.as_str()), PAGE).await
    });
    let policies = all(async |last: Option<&Policy>| {
        reader.policies(management, last.map_or("", |policy| policy.id.as_str()), PAGE).await
    });
    let attachments = all(async |last: Option<&Attachment>| {
        let after = last.map_or(("", ""), |row| (row.target.as_str(), row.policy.as_str()));
        reader.attachments(&organization, after, PAGE).await
    });
    let of_resources = all(async |last: Option<&(String, Tag)>| {
        let after = last.map_or(("", ""), |(resource, tag)| (resource, &tag.key));
        reader.all_organization_tags(management, after, PAGE).await
    });
    let services = reader.services_with_access(management, "", PAGE).await?;
    let (units, members, policies) = (units.await?, members.await?, policies.await?);
    let (attachments, mut tags) = (attachments.await?, HashMap::<String, Tags>::new());
    for (resource, tag) in of_resources.await? {
        tags.entry(resource).or_default().insert(tag.key, tag.value);
    }
    let services = services.into_iter().map(|(name, _)| name).collect();
    let elsewhere = HashSet::new();
    let organization = Some(organization);
    Ok(Snapshot { organization, units, members, services, elsewhere, policies, attachments, tags })
}

/// All pages of a list, each after the last item of the one before.
async fn all<T>(page: impl AsyncFn(Option<&T>) -> Result<Vec<T>, StoreError>) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::new();
    loop {
        let mut more = page(found.last()).await?;
        if more.is_empty() {
            return Ok(found);
        }
        found.append(&mut more);
    }
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
    for steps in at_once(&steps) {
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

/// The steps that are taken together: their rows make no large transaction.
fn at_once(mut steps: &[Step]) -> Vec<&[Step]> {
    let mut parts = Vec::new();
    while !steps.is_empty() {
        let mut rows = 0;
        let count = steps
            .iter()
            .take_while(|step| {
                rows += step.rows();
                rows <= ROWS_AT_ONCE
            })
            .count();
        let (part, rest) = steps.split_at(count.max(1));
        parts.push(part);
        steps = rest;
    }
    parts
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
            Step::EnablePolicies => Self::enable_policies(taken)?,
            Step::DisablePolicies => self.disable_policies(taken)?,
            Step::CreatePolicy(policy) => {
                taken.organization()?.policies += 1;
                taken.push(OrganizationChange::PolicyStored(policy.clone()));
            }
            Step::ChangePolicy(policy) => taken.push(OrganizationChange::PolicyStored(policy.clone())),
            Step::DeletePolicy(policy) => self.delete_policy(policy, taken)?,
            Step::Attachment { policy, target, is_attached } => {
                self.attach(policy, target, *is_attached, taken)?;
            }
            Step::Tag { resource, added, removed } => {
                let (management, resource) = (self.management, resource.clone());
                let (added, removed) = (added.clone(), removed.clone());
                taken.push(OrganizationChange::Tagged { management, resource, added, removed });
            }
        }
        Ok(())
    }

    fn enable_policies(taken: &mut Taken) -> Result<(), Abort> {
        let organization = taken.organization()?;
        *organization = decide_enable(organization)?;
        Ok(())
    }

    fn disable_policies(&self, taken: &mut Taken) -> Result<(), Abort> {
        let organization = taken.organization()?;
        let (management, generation) = (self.management, organization.policies_generation);
        *organization = decide_disable(organization)?;
        taken.push(OrganizationChange::AttachmentsDropped { management, generation });
        Ok(())
    }

    fn delete_policy(&self, policy: &Policy, taken: &mut Taken) -> Result<(), Abort> {
        let organization = taken.organization()?;
        organization.policies = organization.policies.saturating_sub(1);
        let (management, resource) = (self.management, policy.id.as_str().to_owned());
        taken.push(OrganizationChange::PolicyDeleted { management, policy: policy.id.clone() });
        taken.push(OrganizationChange::TagsDropped { management, resource });
        Ok(())
    }

    fn attach(
        &self,
        policy: &PolicyId,
        target: &TargetId,
        attached: bool,
        taken: &mut Taken,
    ) -> Result<(), Abort> {
        let (management, generation) = (self.management, taken.organization()?.policies_generation);
        // AWS's policy is attached where no row says otherwise.
        let is_default = policy.is_full_access() == attached;
        let row =
            Attachment { management, generation, target: target.clone(), policy: policy.clone(), attached };
        taken.push(if is_default {
            OrganizationChange::AttachmentDeleted(row)
        } else {
            OrganizationChange::AttachmentStored(row)
        });
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

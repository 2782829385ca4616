//! The service control policies of a file, and what they are attached to.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::Value;

use super::{Described, IdSource, OrganizationFile, PlanFault, PolicyEntry, Snapshot, Step};
use crate::limits::POLICIES_PER_TARGET_MAX;
use crate::organization::policy::{Policy, attached, check_content, check_description, check_name};
use crate::organization::{FeatureSet, Organization, OrganizationRefusal, PolicyId, TargetId};
use rampart_aws::timestamp::TimestampMs;

/// What is planned with.
pub(super) struct Policies<'a> {
    pub(super) file: &'a OrganizationFile,
    pub(super) snapshot: &'a Snapshot,
    pub(super) organization: &'a Organization,
    pub(super) described: &'a [Described<'a>],
    /// Accounts and units that go.
    pub(super) removed: &'a HashSet<String>,
    pub(super) prune: bool,
    pub(super) now: TimestampMs,
}

/// The policies as they will be.
#[derive(Default)]
pub(super) struct Known {
    /// By name.
    pub(super) ids: BTreeMap<String, PolicyId>,
    unwanted: Vec<Policy>,
}

impl Policies<'_> {
    /// The steps, and the policies as they will be.
    pub(super) fn plan(&self, ids: IdSource<'_>) -> Result<(Vec<Step>, Known), PlanFault> {
        let mut steps = Vec::new();
        let is_enabled = self.is_enabled()?;
        if is_enabled && !self.organization.policies_enabled {
            steps.push(Step::EnablePolicies);
        }
        let known = self.known(&mut steps, ids)?;
        if is_enabled {
            self.attachments(&known, &mut steps)?;
        } else if self.organization.policies_enabled {
            steps.push(Step::DisablePolicies);
        }
        steps.extend(known.unwanted.iter().cloned().map(Step::DeletePolicy));
        Ok((steps, known))
    }

    /// Whether policies are in force afterwards: as the file says, or else as it is, or as it takes to attach some.
    fn is_enabled(&self) -> Result<bool, PlanFault> {
        let attaches = self.described.iter().any(Described::attaches);
        let is_enabled = match self.file.policies_enabled {
            Some(false) if attaches => return Err(PlanFault::PoliciesDisabled),
            Some(is_enabled) => is_enabled,
            None => attaches || self.organization.policies_enabled,
        };
        if is_enabled && self.organization.feature_set != FeatureSet::All {
            return Err(PlanFault::PoliciesNeedAllFeatures);
        }
        Ok(is_enabled)
    }

    fn known(&self, steps: &mut Vec<Step>, ids: IdSource<'_>) -> Result<Known, PlanFault> {
        let entries = self.file.policies.as_deref().unwrap_or_default();
        let mut kept = HashSet::new();
        let mut known = Known::default();
        for entry in entries {
            let step = self.policy(entry, ids)?;
            let id = match &step {
                PolicyStep::Same(id) => id.clone(),
                PolicyStep::Made(policy) | PolicyStep::Changed(policy) => policy.id.clone(),
            };
            match step {
                PolicyStep::Same(_) => {}
                PolicyStep::Made(policy) => steps.push(Step::CreatePolicy(policy)),
                PolicyStep::Changed(policy) => steps.push(Step::ChangePolicy(policy)),
            }
            kept.insert(id.as_str().to_owned());
            if known.ids.insert(entry.name.clone(), id).is_some() {
                return Err(PlanFault::PolicyTwice(entry.name.clone()));
            }
        }
        let others = self.snapshot.policies.iter().filter(|policy| !kept.contains(policy.id.as_str()));
        for policy in others {
            if self.prune && self.file.policies.is_some() {
                known.unwanted.push(policy.clone());
            } else if known.ids.insert(policy.name.clone(), policy.id.clone()).is_some() {
                return Err(PlanFault::PolicyTwice(policy.name.clone()));
            }
        }
        Ok(known)
    }

    /// The policy of an entry: by its id, else by its name, else a new one.
    fn policy(&self, entry: &PolicyEntry, ids: IdSource<'_>) -> Result<PolicyStep, PlanFault> {
        let full_access = Policy::full_access(self.organization.management);
        if entry.name == full_access.name {
            return Err(PlanFault::PolicyTwice(entry.name.clone()));
        }
        let content = match &entry.content {
            Value::String(text) => text.clone(),
            document => document.to_string(),
        };
        let description = entry.description.clone().unwrap_or_default();
        let checked = check_name(&entry.name).and_then(|()| check_description(&description));
        checked
            .and_then(|()| check_content(&content))
            .map_err(|refusal| PlanFault::Policy(entry.name.clone(), reason(&refusal)))?;
        let id = match &entry.id {
            None => None,
            Some(text) => {
                let id = PolicyId::parse(text).filter(|id| !id.is_full_access());
                Some(id.ok_or_else(|| PlanFault::Id(text.clone(), "policy's id"))?)
            }
        };
        let found = self.snapshot.policies.iter().find(|policy| match &id {
            Some(id) => policy.id == *id,
            None => policy.name == entry.name,
        });
        let Some(found) = found else {
            let id = id.unwrap_or_else(|| PolicyId::new(ids()));
            let (management, created) = (self.organization.management, self.now);
            let name = entry.name.clone();
            return Ok(PolicyStep::Made(Policy { management, id, name, description, content, created }));
        };
        let mut after = Policy { name: entry.name.clone(), ..found.clone() };
        if entry.description.is_some() {
            after.description = description;
        }
        // Another layout of the same document is no change.
        if serde_json::from_str::<Value>(&content).ok() != serde_json::from_str::<Value>(&found.content).ok()
        {
            after.content = content;
        }
        Ok(if after == *found { PolicyStep::Same(after.id) } else { PolicyStep::Changed(after) })
    }

    fn attachments(&self, known: &Known, steps: &mut Vec<Step>) -> Result<(), PlanFault> {
        let mut now: HashMap<&str, Vec<_>> = HashMap::new();
        if self.organization.policies_enabled {
            for row in &self.snapshot.attachments {
                now.entry(row.target.as_str()).or_default().push(row.clone());
            }
        }
        let described: HashMap<&str, &Described<'_>> =
            self.described.iter().map(|described| (described.target.as_str(), described)).collect();
        let unwanted: HashSet<&str> = known.unwanted.iter().map(|policy| policy.id.as_str()).collect();
        let loses = |rows: &Vec<crate::organization::policy::Attachment>| {
            rows.iter().any(|row| unwanted.contains(row.policy.as_str()))
        };
        let affected = now.iter().filter(|(target, rows)| loses(rows) && !self.removed.contains(**target));
        let targets: BTreeSet<&str> =
            affected.map(|(target, _)| *target).chain(described.keys().copied()).collect();
        for target in targets {
            let has = attached(now.get(target).map(Vec::as_slice).unwrap_or_default());
            let mut wanted: Vec<_> =
                has.iter().filter(|policy| !unwanted.contains(policy.as_str())).cloned().collect();
            if let Some(described) = described.get(target) {
                self.wanted(described, known, &mut wanted)?;
            }
            if wanted.is_empty() {
                return Err(PlanFault::WithoutPolicies(target.to_owned()));
            }
            if wanted.len() > POLICIES_PER_TARGET_MAX {
                return Err(PlanFault::TooManyPolicies(target.to_owned()));
            }
            let id = TargetId::parse(target).ok_or_else(|| PlanFault::Id(target.to_owned(), "target"))?;
            let step = |policy: &PolicyId, is_attached| Step::Attachment {
                policy: policy.clone(),
                target: id.clone(),
                is_attached,
            };
            steps.extend(
                wanted.iter().filter(|policy| !has.contains(policy)).map(|policy| step(policy, true)),
            );
            steps.extend(
                has.iter().filter(|policy| !wanted.contains(policy)).map(|policy| step(policy, false)),
            );
        }
        Ok(())
    }

    /// What an entry of the file makes of the policies of its target.
    fn wanted(
        &self,
        described: &Described<'_>,
        known: &Known,
        wanted: &mut Vec<PolicyId>,
    ) -> Result<(), PlanFault> {
        if let Some(names) = described.policies {
            let mut named = Vec::new();
            for name in names {
                let id = known.ids.get(name).ok_or_else(|| PlanFault::PolicyUnknown(name.clone()))?;
                named.push(id.clone());
            }
            if self.prune {
                wanted.retain(|policy| policy.is_full_access() || named.contains(policy));
            }
            named.retain(|policy| !wanted.contains(policy));
            wanted.append(&mut named);
        }
        let full_access = PolicyId::full_access();
        match described.full_access {
            Some(true) if !wanted.contains(&full_access) => wanted.push(full_access),
            Some(false) => wanted.retain(|policy| !policy.is_full_access()),
            _ => {}
        }
        Ok(())
    }
}

enum PolicyStep {
    Same(PolicyId),
    Made(Policy),
    Changed(Policy),
}

/// Why a policy is none, for people.
fn reason(refusal: &OrganizationRefusal) -> String {
    match refusal {
        OrganizationRefusal::PolicyMalformed { reason } => reason.clone(),
        OrganizationRefusal::Constraint(_) => "its content is too long".to_owned(),
        _ => "its name has 1 to 128 characters, its description up to 512".to_owned(),
    }
}

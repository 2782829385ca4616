//! A whole organization in a file, and what it takes to have the store hold it.
//!
//! Applying a file again changes nothing. What the file does not speak of stays, unless it is told to be pruned.

mod fault;
mod file;
mod policies;
mod step;
mod tags;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rampart_aws::AccountId;
use rampart_aws::timestamp::TimestampMs;

pub use self::fault::PlanFault;
pub use self::file::{AccountEntry, Node, OrganizationFile, PolicyEntry, accounts_of};
pub use self::step::Step;
pub use self::tags::Tags;
use super::creation::check_email;
use super::member::{JoinedMethod, Joining};
use super::policy::{Attachment, Policy};
use super::unit::{Parent, check_unit_name};
use super::{FeatureSet, Member, Organization, OrganizationId, OrganizationalUnit, ParentId, Sharing};
use crate::limits::UNIT_DEPTH_MAX;

/// What the file says of a root, a unit or an account besides its place.
struct Described<'a> {
    /// Its id.
    target: String,
    policies: Option<&'a [String]>,
    full_access: Option<bool>,
    tags: Option<&'a Tags>,
}

impl<'a> Described<'a> {
    fn node(id: &ParentId, node: &'a Node) -> Self {
        let Node { policies, full_access, tags, .. } = node;
        let (policies, tags) = (policies.as_deref(), tags.as_ref());
        Self { target: id.to_string(), policies, full_access: *full_access, tags }
    }

    fn account(account: &'a AccountEntry) -> Self {
        let AccountEntry { id, policies, full_access, tags, .. } = account;
        let (policies, tags) = (policies.as_deref(), tags.as_ref());
        Self { target: id.to_string(), policies, full_access: *full_access, tags }
    }

    fn says_something(&self) -> bool {
        self.policies.is_some() || self.full_access.is_some() || self.tags.is_some()
    }

    /// Whether it is in force only while policies are.
    fn attaches(&self) -> bool {
        self.policies.is_some_and(|policies| !policies.is_empty()) || self.full_access == Some(false)
    }
}

/// Gives fresh random bytes at each call.
type IdSource<'a> = &'a mut dyn FnMut() -> [u8; 10];

/// What the store holds of the organization.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The organization, if there is one.
    pub organization: Option<Organization>,
    /// Its units.
    pub units: Vec<OrganizationalUnit>,
    /// Its members.
    pub members: Vec<Member>,
    /// The services that it trusts.
    pub services: BTreeSet<String>,
    /// Accounts of the file that are in another organization.
    pub elsewhere: HashSet<AccountId>,
    /// Its policies.
    pub policies: Vec<Policy>,
    /// What they are attached to.
    pub attachments: Vec<Attachment>,
    /// The tags of roots, units, accounts and policies, by their ids.
    pub tags: HashMap<String, Tags>,
}

/// What it takes. `ids` gives fresh random bytes at each call; with `prune` what the file does not name goes.
pub fn plan(
    file: &OrganizationFile,
    snapshot: &Snapshot,
    prune: bool,
    now: TimestampMs,
    ids: &mut dyn FnMut() -> [u8; 10],
) -> Result<Vec<Step>, PlanFault> {
    let mut steps = Vec::new();
    let organization = if let Some(organization) = &snapshot.organization {
        check_same(file, organization)?
    } else {
        let organization = new_organization(file, now, ids)?;
        let management = file.management_account.clone();
        steps.push(Step::CreateOrganization { organization: organization.clone(), management });
        organization
    };
    let mut planner = Planner::new(&organization, snapshot, now, ids);
    planner.node(&file.root, &Parent::root(&organization), 0)?;
    planner.management(&file.management_account)?;
    planner.accounts(snapshot)?;
    if prune {
        planner.prune(snapshot, &organization);
    }
    steps.append(&mut planner.steps);
    let described = planner.described;
    steps.extend(services(file, snapshot, prune));
    steps.extend(sharing(file, &organization)?);
    let removed: HashSet<String> = steps.iter().filter_map(Step::removes).collect();
    let organization = &organization;
    let of_file = policies::Policies {
        file,
        snapshot,
        organization,
        described: &described,
        removed: &removed,
        prune,
        now,
    };
    let (of_policies, known) = of_file.plan(ids)?;
    steps.extend(of_policies);
    let of_nodes =
        described.iter().filter_map(|described| Some((described.target.as_str(), described.tags?)));
    let entries = file.policies.iter().flatten();
    let of_policies =
        entries.filter_map(|entry| Some((known.ids.get(&entry.name)?.as_str(), entry.tags.as_ref()?)));
    for (resource, wanted) in of_nodes.chain(of_policies) {
        steps.extend(tags::step(resource, wanted, snapshot, prune)?);
    }
    Ok(steps)
}

fn check_same(file: &OrganizationFile, found: &Organization) -> Result<Organization, PlanFault> {
    if let Some(wanted) = file.id.as_ref().filter(|id| **id != found.id.as_str()) {
        let (wanted, management, found) = (wanted.clone(), found.management, found.id.to_string());
        return Err(PlanFault::OtherOrganization { wanted, management, found });
    }
    if file.feature_set.as_ref().is_some_and(|set| FeatureSet::parse(set) != Some(found.feature_set)) {
        return Err(PlanFault::FeatureSet);
    }
    if file.root.id.as_ref().is_some_and(|id| *id != found.root.as_str()) {
        return Err(PlanFault::RootId);
    }
    Ok(found.clone())
}

fn new_organization(
    file: &OrganizationFile,
    now: TimestampMs,
    ids: &mut dyn FnMut() -> [u8; 10],
) -> Result<Organization, PlanFault> {
    let id = match &file.id {
        None => OrganizationId::new(ids()),
        Some(id) => {
            OrganizationId::parse(id).ok_or_else(|| PlanFault::Id(id.clone(), "organization's id"))?
        }
    };
    let root = match &file.root.id {
        None => {
            let [a, b, c, d, ..] = ids();
            ParentId::new_root([a, b, c, d])
        }
        Some(id) => ParentId::parse(id)
            .filter(ParentId::is_root)
            .ok_or_else(|| PlanFault::Id(id.clone(), "root's id"))?,
    };
    let set = file.feature_set.as_deref().map_or(Some(FeatureSet::All), FeatureSet::parse);
    let set = set.ok_or(PlanFault::FeatureSet)?;
    Ok(Organization::new(file.management_account.id, id, root, set, now))
}

struct Planner<'a, 'i> {
    organization: &'a Organization,
    units: HashMap<&'a str, &'a OrganizationalUnit>,
    named: HashMap<(&'a str, &'a str), &'a OrganizationalUnit>,
    now: TimestampMs,
    ids: IdSource<'i>,
    steps: Vec<Step>,
    /// Where each account is wanted.
    wanted: BTreeMap<AccountId, (AccountEntry, Option<Parent>)>,
    emails: HashSet<String>,
    described: Vec<Described<'a>>,
    kept_units: HashSet<String>,
}

impl<'a, 'i> Planner<'a, 'i> {
    fn new(
        organization: &'a Organization,
        snapshot: &'a Snapshot,
        now: TimestampMs,
        ids: IdSource<'i>,
    ) -> Self {
        let units = snapshot.units.iter().map(|unit| (unit.id.as_str(), unit)).collect();
        let named =
            snapshot.units.iter().map(|unit| ((unit.parent.as_str(), unit.name.as_str()), unit)).collect();
        let (steps, wanted, emails, described) = (Vec::new(), BTreeMap::new(), HashSet::new(), Vec::new());
        Self {
            organization,
            units,
            named,
            now,
            ids,
            steps,
            wanted,
            emails,
            described,
            kept_units: HashSet::new(),
        }
    }

    fn node(&mut self, node: &'a Node, at: &Parent, depth: usize) -> Result<(), PlanFault> {
        self.described.push(Described::node(&at.id, node));
        for account in &node.accounts {
            self.described.push(Described::account(account));
            self.want(account, Some(at.clone()))?;
        }
        let mut names = HashSet::new();
        for unit in &node.units {
            let name = unit.name.clone().unwrap_or_default();
            if check_unit_name(&name).is_err() || !names.insert(name.clone()) {
                return Err(PlanFault::UnitName(name));
            }
            if depth >= UNIT_DEPTH_MAX {
                return Err(PlanFault::TooDeep(name));
            }
            let found = self.unit(unit, &name, at)?;
            self.node(unit, &found, depth + 1)?;
        }
        Ok(())
    }

    /// The unit of an entry: by its id, else by its name among its siblings, else a new one.
    fn unit(&mut self, entry: &Node, name: &str, at: &Parent) -> Result<Parent, PlanFault> {
        let found = match &entry.id {
            Some(id) => self.units.get(id.as_str()),
            None => self.named.get(&(at.id.as_str(), name)),
        };
        if let Some(unit) = found.copied() {
            if unit.parent != at.id {
                return Err(PlanFault::UnitMoved(unit.id.clone()));
            }
            self.kept_units.insert(unit.id.to_string());
            if unit.name != name {
                let renamed = OrganizationalUnit { name: name.to_owned(), ..unit.clone() };
                self.steps.push(Step::RenameUnit { unit: renamed, from: unit.name.clone() });
            }
            return Ok(Parent::unit(unit));
        }
        let id = if let Some(id) = &entry.id {
            let unit = ParentId::parse(id).filter(|id| !id.is_root());
            unit.ok_or_else(|| PlanFault::Id(id.clone(), "unit's id"))?
        } else {
            let bytes: [u8; 10] = (self.ids)();
            let (unit, _) = bytes.split_first_chunk::<8>().expect("ten bytes hold eight");
            self.organization.root.new_unit(*unit)
        };
        let unit = OrganizationalUnit {
            management: self.organization.management,
            path: format!("{}{id}/", at.path),
            id,
            parent: at.id.clone(),
            name: name.to_owned(),
            created: self.now,
        };
        let parent = Parent::unit(&unit);
        self.steps.push(Step::CreateUnit(unit));
        Ok(parent)
    }

    fn want(&mut self, account: &AccountEntry, at: Option<Parent>) -> Result<(), PlanFault> {
        if let Some(email) = account.email.as_ref().filter(|email| check_email(email).is_err()) {
            return Err(PlanFault::Email(email.clone()));
        }
        if let Some(email) = account.email.as_ref().filter(|email| !self.emails.insert((*email).clone())) {
            return Err(PlanFault::EmailTwice(email.clone()));
        }
        match self.wanted.insert(account.id, (account.clone(), at)) {
            Some(_) => Err(PlanFault::AccountTwice(account.id)),
            None => Ok(()),
        }
    }

    /// The management account stands where the tree says, or stays where it is.
    fn management(&mut self, account: &'a AccountEntry) -> Result<(), PlanFault> {
        let id = account.id.to_string();
        self.described.retain(|other| other.target != id || other.says_something());
        if self.described.iter().all(|other| other.target != id) {
            self.described.push(Described::account(account));
        }
        if self.wanted.contains_key(&account.id) { Ok(()) } else { self.want(account, None) }
    }

    fn accounts(&mut self, snapshot: &Snapshot) -> Result<(), PlanFault> {
        let members: HashMap<AccountId, &Member> =
            snapshot.members.iter().map(|member| (member.account, member)).collect();
        let is_new = snapshot.organization.is_none();
        let wanted: Vec<_> = self.wanted.values().cloned().collect();
        for (account, parent) in &wanted {
            if snapshot.elsewhere.contains(&account.id) {
                return Err(PlanFault::AccountElsewhere(account.id));
            }
            let made = is_new && self.organization.is_managed_by(account.id);
            let root = Parent::root(self.organization);
            let member = match members.get(&account.id) {
                Some(member) => (*member).clone(),
                None if made => new_member(account, &root, self.organization.management, 1, self.now),
                None => {
                    let parent = parent.clone().unwrap_or(root);
                    self.steps.push(Step::Join { account: account.clone(), parent });
                    continue;
                }
            };
            self.steps.extend(change(&member, account, parent.as_ref()));
        }
        Ok(())
    }

    /// Accounts first, then units from the innermost out.
    fn prune(&mut self, snapshot: &Snapshot, organization: &Organization) {
        let unwanted =
            snapshot.members.iter().map(|member| member.account).filter(|account| {
                !self.wanted.contains_key(account) && !organization.is_managed_by(*account)
            });
        let accounts: Vec<_> = unwanted.collect();
        self.steps.extend(accounts.into_iter().map(Step::Remove));
        let kept = &self.kept_units;
        let mut units: Vec<_> =
            snapshot.units.iter().filter(|unit| !kept.contains(unit.id.as_str())).cloned().collect();
        units.sort_by_key(|unit| std::cmp::Reverse(unit.path.len()));
        self.steps.extend(units.into_iter().map(Step::DeleteUnit));
    }
}

/// A member as the file describes it.
pub fn new_member(
    account: &AccountEntry,
    parent: &Parent,
    management: AccountId,
    epoch: i64,
    now: TimestampMs,
) -> Member {
    let mut joining = Joining::existing(account.id, account.name.as_deref().unwrap_or_default(), epoch);
    if let Some(email) = &account.email {
        joining.email.clone_from(email);
    }
    Member::new(joining, management, parent, JoinedMethod::Invited, now)
}

fn change(member: &Member, wanted: &AccountEntry, parent: Option<&Parent>) -> Option<Step> {
    let mut after = member.clone();
    let mut what = "describe";
    if let Some(name) = &wanted.name {
        after.name.clone_from(name);
    }
    if let Some(email) = &wanted.email {
        after.email.clone_from(email);
    }
    if let Some(parent) = parent.filter(|parent| parent.id != member.parent) {
        what = "move";
        after.parent = parent.id.clone();
        after.path.clone_from(&parent.path);
    }
    (after != *member).then_some(Step::Change { member: after, what })
}

fn services(file: &OrganizationFile, snapshot: &Snapshot, prune: bool) -> Vec<Step> {
    let Some(wanted) = &file.trusted_services else { return Vec::new() };
    let missing = wanted.iter().filter(|service| !snapshot.services.contains(*service)).cloned();
    let extra = snapshot.services.iter().filter(|service| prune && !wanted.contains(service)).cloned();
    missing.map(Step::Trust).chain(extra.map(Step::Distrust)).collect()
}

fn sharing(file: &OrganizationFile, organization: &Organization) -> Result<Option<Step>, PlanFault> {
    match (file.sharing, organization.sharing) {
        (Some(true), Sharing::Off | Sharing::Half) if organization.feature_set != FeatureSet::All => {
            Err(PlanFault::SharingNeedsAllFeatures)
        }
        (Some(true), Sharing::Off | Sharing::Half) => Ok(Some(Step::Share)),
        (Some(false), Sharing::On | Sharing::Half) => Ok(Some(Step::Unshare)),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::organization;
    use super::super::{PolicyId, TargetId};
    use super::*;

    fn entry(id: &str) -> AccountEntry {
        AccountEntry::new(id.parse().unwrap())
    }

    fn unit(name: &str, accounts: &[&str], units: Vec<Node>) -> Node {
        let accounts = accounts.iter().map(|id| entry(id)).collect();
        Node { name: Some(name.to_owned()), accounts, units, ..Node::default() }
    }

    fn file(units: Vec<Node>) -> OrganizationFile {
        OrganizationFile {
            management_account: entry("111111111111"),
            id: None,
            feature_set: None,
            trusted_services: None,
            sharing: None,
            policies_enabled: None,
            policies: None,
            root: Node { units, ..Node::default() },
        }
    }

    fn steps(file: &OrganizationFile, snapshot: &Snapshot) -> Result<Vec<String>, PlanFault> {
        let mut next = 0;
        let mut ids = || {
            next += 1;
            [next; 10]
        };
        let steps = plan(file, snapshot, true, TimestampMs(9), &mut ids)?;
        Ok(steps.iter().map(Step::to_string).collect())
    }

    #[test]
    fn a_number_in_a_policy_is_the_same_however_often_it_is_written_down() {
        let mut entry: PolicyEntry = serde_json::from_str(r#"{"name": "n", "content": 0}"#).unwrap();
        for number in [1.111_111_111_112_222_3e24, 0.1, 1e-7, 5e-324] {
            entry.content = serde_json::Value::from(number);
            let printed = serde_json::to_string(&entry).unwrap();
            assert_eq!(serde_json::from_str::<PolicyEntry>(&printed).unwrap(), entry, "{number}");
        }
    }

    fn existing() -> Snapshot {
        let organization = organization();
        let root = Parent::root(&organization);
        let id = ParentId::parse("ou-ab12-abcdefgh").unwrap();
        let old = OrganizationalUnit {
            management: organization.management,
            path: format!("{}{id}/", root.path),
            id,
            parent: root.id.clone(),
            name: "old".to_owned(),
            created: TimestampMs(1),
        };
        let member = |id| new_member(&entry(id), &root, organization.management, 1, TimestampMs(1));
        let members = vec![member("111111111111"), member("222222222222")];
        Snapshot {
            organization: Some(organization.clone()),
            units: vec![old],
            members,
            ..Snapshot::default()
        }
    }

    #[test]
    fn a_new_organization_is_made_from_the_top() {
        let file = file(vec![unit("a", &["222222222222"], vec![unit("b", &[], Vec::new())])]);
        let made = steps(&file, &Snapshot::default()).unwrap();
        let kinds: Vec<_> =
            made.iter().map(|step| step.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(kinds, ["create organization", "create unit", "create unit", "add account"]);
    }

    #[test]
    fn what_is_there_stays_moves_or_is_pruned() {
        let same = file(vec![unit("old", &[], Vec::new())]);
        let mut same = same;
        same.root.accounts.push(entry("222222222222"));
        assert_eq!(steps(&same, &existing()), Ok(Vec::new()));
        let moved = file(vec![unit("old", &["222222222222"], Vec::new())]);
        assert_eq!(steps(&moved, &existing()).unwrap(), ["move account 222222222222 (ou-ab12-abcdefgh)"]);
        let gone = steps(&file(Vec::new()), &existing()).unwrap();
        assert_eq!(gone, ["remove account 222222222222", "delete unit ou-ab12-abcdefgh (old)"]);
        let mut renamed = unit("new", &["222222222222"], Vec::new());
        renamed.id = Some("ou-ab12-abcdefgh".to_owned());
        let renamed = steps(&file(vec![renamed]), &existing()).unwrap();
        assert_eq!(renamed[0], "rename unit ou-ab12-abcdefgh from old to new");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let twice = file(vec![unit("a", &["222222222222"], vec![unit("b", &["222222222222"], Vec::new())])]);
        assert!(matches!(steps(&twice, &existing()), Err(PlanFault::AccountTwice(_))));
        let mut alike = file(Vec::new());
        for id in ["222222222222", "333333333333"] {
            let email = Some("a@acme.example".to_owned());
            alike.root.accounts.push(AccountEntry { email, ..entry(id) });
        }
        assert!(matches!(steps(&alike, &existing()), Err(PlanFault::EmailTwice(_))));
        let twins = file(vec![unit("a", &[], Vec::new()), unit("a", &[], Vec::new())]);
        assert!(matches!(steps(&twins, &existing()), Err(PlanFault::UnitName(_))));
        let deep = (0..6).fold(Vec::new(), |units, n| vec![unit(&n.to_string(), &[], units)]);
        assert!(matches!(steps(&file(deep), &existing()), Err(PlanFault::TooDeep(_))));
        let elsewhere = Snapshot { elsewhere: ["333333333333".parse().unwrap()].into(), ..existing() };
        let taken = file(vec![unit("a", &["333333333333"], Vec::new())]);
        assert!(matches!(steps(&taken, &elsewhere), Err(PlanFault::AccountElsewhere(_))));
        let other = OrganizationFile { id: Some("o-zzzzzzzzzz".to_owned()), ..file(Vec::new()) };
        assert!(matches!(steps(&other, &existing()), Err(PlanFault::OtherOrganization { .. })));
    }

    const DENY: &str =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;

    fn policy(name: &str) -> PolicyEntry {
        let content = serde_json::from_str(DENY).unwrap();
        PolicyEntry { id: None, name: name.to_owned(), description: None, content, tags: None }
    }

    /// An organization with policy p-old000000 attached to its root, which has two tags.
    fn with_policies() -> Snapshot {
        let organization =
            Organization { policies_enabled: true, policies_generation: 1, policies: 1, ..organization() };
        let (management, id) = (organization.management, PolicyId::parse("p-old000000").unwrap());
        let old = Policy {
            management,
            id: id.clone(),
            name: "old".to_owned(),
            description: String::new(),
            content: DENY.replace(',', ", "),
            created: TimestampMs(1),
        };
        let target = TargetId::Parent(organization.root.clone());
        let row = Attachment { management, generation: 1, target, policy: id, attached: true };
        let tags = [("a", "1"), ("b", "2")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let mut snapshot = existing();
        snapshot.members.truncate(1);
        Snapshot {
            tags: [(organization.root.to_string(), tags.into())].into(),
            organization: Some(organization),
            units: Vec::new(),
            policies: vec![old],
            attachments: vec![row],
            ..snapshot
        }
    }

    #[test]
    fn policies_are_made_attached_detached_and_deleted() {
        let mut wanted = file(Vec::new());
        wanted.policies = Some(vec![policy("old"), policy("new")]);
        wanted.root.policies = Some(vec!["old".to_owned(), "new".to_owned()]);
        let made = steps(&wanted, &with_policies()).unwrap();
        let new = PolicyId::new([1; 10]);
        let new = new.as_str();
        // Another layout of the same document is no change, and AWS's policy stays.
        assert_eq!(made, [format!("create policy {new} (new)"), format!("attach policy {new} to r-ab12")]);
        wanted.policies = Some(vec![policy("new")]);
        wanted.root.policies = Some(vec!["new".to_owned()]);
        wanted.root.full_access = Some(false);
        let replaced = steps(&wanted, &with_policies()).unwrap();
        let expected = [
            format!("create policy {new} (new)"),
            format!("attach policy {new} to r-ab12"),
            "detach policy p-FullAWSAccess from r-ab12".to_owned(),
            "detach policy p-old000000 from r-ab12".to_owned(),
            "delete policy p-old000000 (old)".to_owned(),
        ];
        assert_eq!(replaced, expected);
        // What the file does not speak of stays; and policies come into force when some are attached.
        assert_eq!(steps(&file(Vec::new()), &with_policies()), Ok(Vec::new()));
        let mut snapshot = existing();
        snapshot.members.truncate(1);
        snapshot.units.clear();
        wanted.root.full_access = None;
        assert_eq!(steps(&wanted, &snapshot).unwrap()[0], "enable service control policies");
        let off = OrganizationFile { policies_enabled: Some(false), ..file(Vec::new()) };
        assert_eq!(steps(&off, &with_policies()).unwrap(), ["disable service control policies"]);
    }

    #[test]
    fn policies_that_cannot_be_are_refused() {
        let plan = |change: &dyn Fn(&mut OrganizationFile)| {
            let mut wanted = file(Vec::new());
            wanted.policies = Some(vec![policy("old")]);
            change(&mut wanted);
            steps(&wanted, &with_policies()).unwrap_err()
        };
        let names = |names: &[&str]| Some(names.iter().map(|&name| name.to_owned()).collect());
        assert_eq!(
            plan(&|file| file.root.policies = names(&["x"])),
            PlanFault::PolicyUnknown("x".to_owned())
        );
        let bare = PlanFault::WithoutPolicies("r-ab12".to_owned());
        let without = |file: &mut OrganizationFile| {
            file.root.policies = names(&[]);
            file.root.full_access = Some(false);
        };
        assert_eq!(plan(&without), bare);
        let six = |file: &mut OrganizationFile| {
            let all = ["1", "2", "3", "4", "5"];
            file.policies = Some(all.iter().map(|name| policy(name)).collect());
            file.root.policies = names(&all);
        };
        assert_eq!(plan(&six), PlanFault::TooManyPolicies("r-ab12".to_owned()));
        let off = |file: &mut OrganizationFile| {
            file.policies_enabled = Some(false);
            file.root.policies = names(&["old"]);
        };
        assert_eq!(plan(&off), PlanFault::PoliciesDisabled);
        let twins = |file: &mut OrganizationFile| file.policies = Some(vec![policy("a"), policy("a")]);
        assert_eq!(plan(&twins), PlanFault::PolicyTwice("a".to_owned()));
        let reserved = |file: &mut OrganizationFile| file.policies = Some(vec![policy("FullAWSAccess")]);
        assert!(matches!(plan(&reserved), PlanFault::PolicyTwice(_)));
        let empty = |file: &mut OrganizationFile| {
            file.policies = Some(vec![PolicyEntry { content: serde_json::json!({}), ..policy("a") }]);
        };
        assert!(matches!(plan(&empty), PlanFault::Policy(..)));
    }

    #[test]
    fn tags_are_added_changed_and_removed() {
        let tags = |tags: &[(&str, &str)]| {
            let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            Some(tags.collect::<Tags>())
        };
        let mut wanted = file(Vec::new());
        wanted.root.tags = tags(&[("a", "1"), ("c", "3")]);
        wanted.management_account.tags = tags(&[("d", "4")]);
        let expected = ["tag r-ab12: c=3, -b", "tag 111111111111: d=4"];
        assert_eq!(steps(&wanted, &with_policies()).unwrap(), expected);
        wanted.root.tags = tags(&[("aws:x", "1")]);
        assert_eq!(steps(&wanted, &with_policies()), Err(PlanFault::Tags("r-ab12".to_owned())));
    }

    #[test]
    fn services_and_sharing_follow_the_file() {
        let wanted = OrganizationFile {
            trusted_services: Some(vec!["sso.amazonaws.com".to_owned()]),
            sharing: Some(true),
            ..file(Vec::new())
        };
        let mut snapshot = Snapshot { units: Vec::new(), ..existing() };
        snapshot.members.truncate(1);
        snapshot.services.insert("old.amazonaws.com".to_owned());
        let expected = [
            "trust sso.amazonaws.com",
            "trust old.amazonaws.com no more",
            "enable sharing within the organization",
        ];
        assert_eq!(steps(&wanted, &snapshot).unwrap(), expected);
    }
}

//! The store's rows as a follower of the change log knows them: plain maps, changed by what the log says alone.

use std::collections::BTreeMap;

use rampart_core::organization::OrganizationChange;
use rampart_core::{AccountId, Change};
use rampart_store::{Follow, LogEntry, LogPosition, PartitionId, Snapshot};
use serde_json::{Value, json};

/// What names a row: its noun and its key.
type Key = Vec<String>;

/// What is forgotten after a while without an entry in the log: it is history, and lets nobody reach anything.
const FORGOTTEN: [&str; 2] = ["handshake", "account creation"];

/// Every row that is known, by partition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mirror {
    rows: BTreeMap<PartitionId, BTreeMap<Key, Value>>,
}

/// A mirror that follows, and what it was told.
#[derive(Debug, Default)]
pub struct Following {
    /// The rows.
    pub mirror: Mirror,
    /// Where each entry stood, in the order in which they were told.
    pub told: Vec<(PartitionId, LogPosition)>,
    /// How often a partition was told anew from its rows.
    pub forgotten: usize,
}

impl Follow for Following {
    fn forget(&mut self, part: PartitionId) {
        self.mirror.rows.remove(&part);
        self.forgotten += 1;
    }

    fn rows(&mut self, part: PartitionId, rows: Vec<Change>) {
        for row in rows {
            self.mirror.apply(part, &row);
        }
    }

    fn entry(&mut self, part: PartitionId, entry: LogEntry) {
        self.told.push((part, entry.position));
        for change in entry.changes {
            self.mirror.apply(part, &change);
        }
    }
}

/// What a change does to the rows.
enum Effect {
    Put(Key),
    Drop(Key),
    /// All rows whose key begins so.
    DropAll(Vec<Key>),
    Clear,
    /// It concerns no row of its own.
    Nothing,
}

impl Mirror {
    /// What stands in the tables.
    ///
    /// # Panics
    /// When they cannot be read.
    pub async fn of(snapshot: &Snapshot) -> Self {
        let mut mirror = Self::default();
        for part in snapshot.partitions() {
            let mut rows = snapshot.partition(part).await.expect("the store can be read");
            while let Some(page) = rows.next().await.expect("the store can be read") {
                for row in page {
                    mirror.apply(part, &row);
                }
            }
        }
        mirror
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.values().map(BTreeMap::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fails with the first row that is not the same in the tables as the log says.
    ///
    /// # Panics
    /// When they differ.
    #[track_caller]
    pub fn assert_same(&self, tables: &Self) {
        let mine: BTreeMap<_, _> = self.flat().collect();
        let theirs: BTreeMap<_, _> = tables.flat().collect();
        for (key, row) in &theirs {
            assert_eq!(mine.get(key), Some(row), "{key:?}");
        }
        for (key, row) in mine {
            let is_forgotten = FORGOTTEN.contains(&key.1[0].as_str()) && !theirs.contains_key(&key);
            assert!(is_forgotten || theirs.get(&key) == Some(&row), "no more in the tables: {key:?} {row}");
        }
    }

    fn flat(&self) -> impl Iterator<Item = ((PartitionId, &Key), &Value)> {
        self.rows.iter().flat_map(|(part, rows)| rows.iter().map(|(key, row)| ((*part, key), row)))
    }

    fn apply(&mut self, part: PartitionId, change: &Change) {
        if let Change::Organization(OrganizationChange::Tagged { management, resource, added, removed }) =
            change
        {
            let key = |tag: &str| key("organization tag", &[management.as_str(), resource, tag]);
            let rows = self.rows.entry(part).or_default();
            for tag in removed {
                rows.remove(&key(tag));
            }
            rows.extend(added.iter().map(|tag| (key(&tag.key), json!(tag.value))));
            return;
        }
        let rows = self.rows.entry(part).or_default();
        match effect(change) {
            Effect::Put(key) => {
                rows.insert(key, serde_json::to_value(change).expect("a change serializes"));
            }
            Effect::Drop(key) => drop(rows.remove(&key)),
            Effect::DropAll(prefixes) => {
                rows.retain(|key, _| !prefixes.iter().any(|prefix| key.starts_with(prefix)));
            }
            Effect::Clear => rows.clear(),
            Effect::Nothing => {}
        }
    }
}

fn key(noun: &str, parts: &[&str]) -> Key {
    std::iter::once(noun).chain(parts.iter().copied()).map(str::to_owned).collect()
}

/// A name of a variant or an id, whatever its type.
fn text(value: impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).expect("an id serializes");
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn effect(change: &Change) -> Effect {
    use Effect::{Clear, Drop, DropAll, Nothing, Put};
    match change {
        Change::AccountStored(row) => Put(key("account", &[row.id.as_str()])),
        Change::AccessKeyStored(row) => Put(key("access key", &[row.account.as_str(), &row.id])),
        Change::AccessKeyDropped { account, id } => Drop(key("access key", &[account.as_str(), id])),
        Change::IdentityStored(row) => {
            Put(key("identity", &[row.account.as_str(), &text(row.kind()), &text(&row.name)]))
        }
        Change::IdentityDropped { account, kind, name } => {
            Drop(key("identity", &[account.as_str(), &text(kind), &text(name)]))
        }
        Change::IdentityPolicyStored(row) => {
            let (kind, inline) = (text(row.kind), text(row.document.is_some()));
            let (identity, name) = (text(&row.identity), text(&row.name));
            Put(key("identity policy", &[row.account.as_str(), &kind, &identity, &inline, &name]))
        }
        Change::IdentityPolicyDropped { account, kind, identity, inline, policy } => {
            let (kind, inline, identity, policy) = (text(kind), text(inline), text(identity), text(policy));
            Drop(key("identity policy", &[account.as_str(), &kind, &identity, &inline, &policy]))
        }
        Change::IamUsageStored(row) => Put(key("IAM usage", &[row.account.as_str()])),
        Change::ShareStored(row) => {
            Put(key("share", &[row.owner.as_str(), row.region.as_str(), &text(row.id)]))
        }
        Change::SharePurged { owner, region, share } => {
            let of_share = [owner.as_str(), region.as_str(), &text(share)];
            DropAll(vec![key("share", &of_share), key("attached permission", &of_share)])
        }
        Change::AssociationStored(row) => Put(key(
            "association",
            &[
                row.owner.as_str(),
                row.region.as_str(),
                &text(row.share),
                &format!("{:?}", row.kind()),
                &row.entity,
            ],
        )),
        Change::AssociationPurged { owner, region, share, kind, entity } => Drop(key(
            "association",
            &[owner.as_str(), region.as_str(), &text(share), &format!("{kind:?}"), entity],
        )),
        Change::InvitationStored(row) => {
            Put(key("invitation", &[row.sender.as_str(), row.region.as_str(), &text(row.id)]))
        }
        Change::InvitationDropped { sender, region, invitation } => {
            Drop(key("invitation", &[sender.as_str(), region.as_str(), &text(invitation)]))
        }
        Change::PermissionAttached(row) => Put(key(
            "attached permission",
            &[row.owner.as_str(), row.region.as_str(), &text(row.share), &row.resource_type],
        )),
        Change::PermissionDetached { owner, region, share, resource_type } => {
            Drop(key("attached permission", &[owner.as_str(), region.as_str(), &text(share), resource_type]))
        }
        Change::ResourcePolicyStored(row) => {
            Put(key("resource policy", &[row.owner.as_str(), row.region.as_str(), &row.resource]))
        }
        Change::ResourcePolicyDropped { owner, region, resource } => {
            Drop(key("resource policy", &[owner.as_str(), region.as_str(), resource]))
        }
        Change::PermissionStored(row) => {
            Put(key("permission", &[row.owner.as_str(), row.region.as_str(), &row.name]))
        }
        Change::PermissionVersionStored(row) => {
            let number = row.head.number.to_string();
            Put(key("permission version", &[row.owner.as_str(), row.region.as_str(), &row.name, &number]))
        }
        Change::PermissionPurged { owner, region, name } => {
            let of_name = [owner.as_str(), region.as_str(), name];
            DropAll(vec![key("permission", &of_name), key("permission version", &of_name)])
        }
        Change::PermissionVersionPurged { owner, region, name, number } => {
            Drop(key("permission version", &[owner.as_str(), region.as_str(), name, &number.to_string()]))
        }
        Change::PermissionUsageStored(row) => {
            Put(key("permission usage", &[row.owner.as_str(), row.region.as_str(), &row.resource_type]))
        }
        Change::ReplaceWorkStored(row) => {
            Put(key("replacement", &[row.owner.as_str(), row.region.as_str(), &text(row.id)]))
        }
        Change::ReplaceWorkPurged { owner, region, id } => {
            Drop(key("replacement", &[owner.as_str(), region.as_str(), &text(id)]))
        }
        Change::UsageStored(row) => Put(key("usage", &[row.owner.as_str(), row.region.as_str()])),
        Change::Organization(change) => effect_in_organization(change),
        Change::PartitionEmptied => Clear,
        // A share's row has its tags; what was recorded is told, not kept.
        Change::ShareTagged { .. } | Change::EventRecorded(_) => Nothing,
    }
}

fn effect_in_organization(change: &OrganizationChange) -> Effect {
    use Effect::{Drop, DropAll, Nothing, Put};
    use OrganizationChange as Of;
    let of = |noun: &str, management: &AccountId, id: &str| key(noun, &[management.as_str(), id]);
    let attachments =
        |management: &AccountId, generation: i64| of("attachment", management, &generation.to_string());
    match change {
        Of::Stored(row) => Put(key("organization", &[row.management.as_str()])),
        Of::Deleted { management } => DropAll(
            [
                "organization",
                "unit",
                "member",
                "account creation",
                "handshake",
                "service access",
                "policy",
                "attachment",
                "organization tag",
            ]
            .map(|noun| key(noun, &[management.as_str()]))
            .to_vec(),
        ),
        Of::UnitStored(row) => Put(of("unit", &row.management, row.id.as_str())),
        Of::UnitDeleted { management, unit } => Drop(of("unit", management, unit.as_str())),
        Of::MemberStored(row) => Put(of("member", &row.management, row.account.as_str())),
        Of::MemberDeleted { management, account } => Drop(of("member", management, account.as_str())),
        Of::Claimed(row) => Put(key("claim", &[row.account.as_str()])),
        Of::CreationStored(row) => Put(of("account creation", &row.management, &text(&row.id))),
        Of::HandshakeStored(row) => Put(of("handshake", &row.management, &text(&row.id))),
        Of::ServiceAccessStored { management, service, .. } => Put(of("service access", management, service)),
        Of::ServiceAccessDeleted { management, service } => Drop(of("service access", management, service)),
        Of::PolicyStored(row) => Put(of("policy", &row.management, &text(&row.id))),
        Of::PolicyDeleted { management, policy } => Drop(of("policy", management, &text(policy))),
        Of::AttachmentStored(row) | Of::AttachmentDeleted(row) => {
            let mut key = attachments(&row.management, row.generation);
            key.extend([row.target.as_str().to_owned(), text(&row.policy)]);
            if matches!(change, Of::AttachmentStored(_)) { Put(key) } else { Drop(key) }
        }
        Of::AttachmentsDropped { management, generation } => {
            DropAll(vec![attachments(management, *generation)])
        }
        Of::TargetDropped { management, generation, target } => {
            let mut key = attachments(management, *generation);
            key.push(target.clone());
            DropAll(vec![key])
        }
        Of::TagsDropped { management, resource } => {
            DropAll(vec![of("organization tag", management, resource)])
        }
        Of::TidyingStored(row) | Of::TidyingDone(row) => {
            let key = of("tidying", &row.management, row.account.as_ref().map_or("", AccountId::as_str));
            if matches!(change, Of::TidyingStored(_)) { Put(key) } else { Drop(key) }
        }
        Of::Tagged { .. } => Nothing,
    }
}

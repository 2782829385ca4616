//! A resource share: its row, its status, and what may be done to it.

use rampart_aws::timestamp::TimestampMs;
use rampart_aws::{AccountId, Region};
use serde::{Deserialize, Serialize};

use crate::contents::Contents;
use crate::ids::{ShareArn, ShareId};
use crate::limits::{SHARE_NAME_CHARS_MAX, TAG_KEY_CHARS_MAX, TAG_VALUE_CHARS_MAX, TAGS_PER_SHARE_MAX};
use crate::organization::Circle;
use crate::timing::{Timing, after};
use crate::{Change, Decision, OwnerUsage, Refusal};

/// A label on a share, the owner's own business.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tag {
    /// 1–128 characters, not beginning with `aws:`.
    pub key: String,
    /// 0–256 characters.
    #[serde(default)]
    pub value: String,
}

/// One row of `resource_share`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceShare {
    /// The account that made it.
    pub owner: AccountId,
    /// Its home Region.
    pub region: Region,
    /// Its id.
    pub id: ShareId,
    /// Not unique.
    pub name: String,
    /// Whether accounts outside the owner's organization may be added.
    pub allow_external_principals: bool,
    /// Whether members keep access when they leave the organization; settable at creation only.
    pub retain_sharing_on_account_leave_organization: bool,
    /// The owner's tags, ordered by key.
    pub tags: Vec<Tag>,
    /// When it was made.
    pub created: TimestampMs,
    /// When its own members last changed. Associations do not count (reference §10.3).
    pub updated: TimestampMs,
    /// When DeleteResourceShare was acknowledged.
    pub deleted: Option<TimestampMs>,
    /// What is in it, kept so that no operation counts rows.
    pub contents: Contents,
    /// Where it comes from.
    #[serde(default, skip_serializing_if = "Origin::is_made")]
    pub origin: Origin,
}

/// Where a share comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// CreateResourceShare.
    #[default]
    Made,
    /// RAM made it of a resource's own policy: its owner alone sees it, and nobody can change it.
    Policy,
    /// RAM made it of a policy, and it was promoted.
    Promoted {
        /// When.
        at: TimestampMs,
    },
}

impl Origin {
    fn is_made(&self) -> bool {
        *self == Self::Made
    }

    /// The wire's `featureSet` at `now` (reference §3.2).
    pub fn feature_set(self, now: TimestampMs, timing: &Timing) -> &'static str {
        match self {
            Self::Policy => "CREATED_FROM_POLICY",
            Self::Promoted { at } if now < after(at, timing.settle_delay_ms) => "PROMOTING_TO_STANDARD",
            Self::Promoted { .. } | Self::Made => "STANDARD",
        }
    }
}

/// The `status` of a share on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "AWS's own terms")]
pub enum ShareStatus {
    Active,
    Deleting,
    Deleted,
}

impl ShareStatus {
    /// The wire's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Deleting => "DELETING",
            Self::Deleted => "DELETED",
        }
    }
}

impl ResourceShare {
    /// The share's ARN.
    pub fn arn(&self) -> ShareArn {
        ShareArn { owner: self.owner, region: self.region, id: self.id }
    }

    /// The status at `now`, or `None` when the share has vanished.
    // AWS: deleted shares stay visible for two hours (reference §3.1).
    pub fn status(&self, now: TimestampMs, timing: &Timing) -> Option<ShareStatus> {
        let Some(deleted) = self.deleted else {
            return Some(ShareStatus::Active);
        };
        if now < after(deleted, timing.settle_delay_ms) {
            Some(ShareStatus::Deleting)
        } else if now < after(deleted, timing.deleted_share_visible_ms) {
            Some(ShareStatus::Deleted)
        } else {
            None
        }
    }
}

/// Checks a name for a new or renamed share.
pub fn check_name(name: &str) -> Result<(), Refusal> {
    let chars = name.chars().count();
    if chars == 0 || chars > SHARE_NAME_CHARS_MAX {
        return Err(Refusal::ShareNameLength { chars });
    }
    if name.contains(|c: char| c.is_control()) {
        return Err(Refusal::ShareNameCharacter);
    }
    Ok(())
}

/// Checks the tags of a new share and orders them by key; of repeated keys it refuses the second.
// AWS: 50 tags, keys 1–128 and values 0–256 characters, `aws:` reserved (reference §9).
pub fn check_tags(mut tags: Vec<Tag>) -> Result<Vec<Tag>, Refusal> {
    if tags.len() > TAGS_PER_SHARE_MAX {
        return Err(Refusal::TooManyTags { tags: tags.len() });
    }
    for tag in &tags {
        if tag.key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:")) {
            return Err(Refusal::TagKeyReserved { key: tag.key.clone() });
        }
        let key_chars = tag.key.chars().count();
        if key_chars == 0 || key_chars > TAG_KEY_CHARS_MAX {
            return Err(Refusal::TagKeyLength { chars: key_chars });
        }
        let value_chars = tag.value.chars().count();
        if value_chars > TAG_VALUE_CHARS_MAX {
            return Err(Refusal::TagValueLength { key: tag.key.clone(), chars: value_chars });
        }
        if tag.key.chars().chain(tag.value.chars()).any(char::is_control) {
            return Err(Refusal::TagCharacter { key: tag.key.clone() });
        }
    }
    tags.sort();
    match tags.windows(2).find(|pair| pair[0].key == pair[1].key) {
        Some(pair) => Err(Refusal::TagKeyRepeated { key: pair[0].key.clone() }),
        None => Ok(tags),
    }
}

/// The share, if it is not RAM's own business.
// AWS: what RAM made of a policy cannot be modified (reference §7.7; the code is inferred).
pub fn check_own(share: &ResourceShare) -> Result<(), Refusal> {
    match share.origin {
        Origin::Policy => Err(Refusal::ShareFromPolicy { share: share.arn() }),
        Origin::Made | Origin::Promoted { .. } => Ok(()),
    }
}

/// The share, if it can still be changed by its owner.
// AWS: InvalidStateTransitionException is modelled for calls on a deleted share (reference §3.1).
pub fn check_active(share: &ResourceShare) -> Result<(), Refusal> {
    match share.deleted {
        None => check_own(share),
        Some(_) => Err(Refusal::ShareDeleted { share: share.arn() }),
    }
}

/// Deletes a share. Its associations end with it and its pending invitations vanish; both follow from the one row,
/// so deleting costs the same whatever the share holds. Background work records their events.
// AWS: a second delete is recommended to be UnknownResourceException (reference §3.1).
pub fn decide_delete(
    share: &ResourceShare,
    usage: OwnerUsage,
    now: TimestampMs,
) -> Result<Vec<Change>, Refusal> {
    if share.deleted.is_some() {
        return Err(Refusal::ShareNotFound { share: share.arn() });
    }
    check_own(share)?;
    let resource_shares = usage.resource_shares.saturating_sub(1);
    let usage = OwnerUsage { resource_shares, ..usage.moved(&share.contents, &Contents::default()) };
    let deleted = ResourceShare { deleted: Some(now), updated: now, ..share.clone() };
    Ok(vec![Change::ShareStored(deleted), Change::UsageStored(usage)])
}

/// Checks what UpdateResourceShare was given, whatever the share.
pub fn check_update(name: Option<&str>, allow_external_principals: Option<bool>) -> Result<(), Refusal> {
    match name {
        Some(name) => check_name(name),
        None if allow_external_principals.is_none() => Err(Refusal::NothingToUpdate),
        None => Ok(()),
    }
}

/// Changes the members that are given (reference §10.3).
// AWS: on a deleted share UpdateResourceShare models no InvalidStateTransition, so it is unknown (reference §3.1).
pub fn decide_update(
    share: &ResourceShare,
    name: Option<&str>,
    allow_external_principals: Option<bool>,
    circle: Option<&Circle>,
    now: TimestampMs,
) -> Result<Decision<ResourceShare>, Refusal> {
    check_update(name, allow_external_principals)?;
    if share.deleted.is_some() {
        return Err(Refusal::ShareNotFound { share: share.arn() });
    }
    check_own(share)?;
    // AWS: an account that stands alone cannot confine a share to its organization (reference §4.2). A client that
    // repeats the present value changes nothing and is not refused: Terraform always sends both members.
    if share.allow_external_principals && allow_external_principals == Some(false) {
        // AWS: what becomes of those outside is unknown; refusing is the recommended choice (reference §4.2).
        match circle {
            None => return Err(Refusal::SharingOnlyInsideOrganization),
            Some(_) if share.contents.outsiders > 0 => return Err(Refusal::OutsidersPresent),
            Some(_) => {}
        }
        if share.retain_sharing_on_account_leave_organization {
            return Err(Refusal::RetainedSharingConfined);
        }
    }
    let updated = ResourceShare {
        name: name.unwrap_or(&share.name).to_owned(),
        allow_external_principals: allow_external_principals.unwrap_or(share.allow_external_principals),
        updated: now,
        ..share.clone()
    };
    Ok(Decision { changes: vec![Change::ShareStored(updated.clone())], reply: updated })
}

/// Adds tags, or gives tags of the same keys new values (reference §10.34).
pub fn decide_tag(share: &ResourceShare, tags: Vec<Tag>) -> Result<Vec<Change>, Refusal> {
    check_own(share)?;
    let (tags, added) = merge_tags(&share.tags, tags)?;
    Ok(with_tags(share, tags, added, Vec::new()))
}

/// All tags when these come to what is there, where those of the same keys get new values; and those that came.
pub(crate) fn merge_tags(present: &[Tag], tags: Vec<Tag>) -> Result<(Vec<Tag>, Vec<Tag>), Refusal> {
    let added = check_tags(tags)?;
    let kept = present.iter().filter(|old| added.iter().all(|new| new.key != old.key)).cloned();
    let all = check_tags(kept.chain(added.iter().cloned()).collect())?;
    Ok((all, added))
}

/// Removes the tags of these keys; a key that is not there is no error (reference §10.35).
pub fn decide_untag(share: &ResourceShare, keys: &[String]) -> Result<Vec<Change>, Refusal> {
    check_own(share)?;
    let (removed, kept): (Vec<_>, Vec<_>) =
        share.tags.iter().cloned().partition(|tag| keys.contains(&tag.key));
    let removed: Vec<_> = removed.into_iter().map(|tag| tag.key).collect();
    if removed.is_empty() {
        return Ok(Vec::new());
    }
    Ok(with_tags(share, kept, Vec::new(), removed))
}

fn with_tags(share: &ResourceShare, tags: Vec<Tag>, added: Vec<Tag>, removed: Vec<String>) -> Vec<Change> {
    let index = Change::ShareTagged {
        owner: share.owner,
        region: share.region,
        share: share.id,
        share_created: share.created,
        added,
        removed,
    };
    vec![Change::ShareStored(ResourceShare { tags, ..share.clone() }), index]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{at, share, usage};
    use crate::timing::HOUR_MS;

    fn tag(key: &str, value: &str) -> Tag {
        Tag { key: key.to_owned(), value: value.to_owned() }
    }

    // AWS: visible as DELETED for two hours, then unknown (reference §3.1).
    #[test]
    fn a_deleted_share_is_seen_for_two_hours() {
        let timing = Timing { settle_delay_ms: 100, ..Timing::default() };
        let Ok(changes) = decide_delete(&share(), usage(), at(10)) else {
            panic!("an active share can be deleted")
        };
        let [Change::ShareStored(deleted), _] = changes.as_slice() else {
            panic!("one row changes: {changes:?}")
        };
        assert_eq!(share().status(at(i64::MAX), &timing), Some(ShareStatus::Active));
        assert_eq!(deleted.status(at(10), &timing), Some(ShareStatus::Deleting));
        assert_eq!(deleted.status(at(110), &timing), Some(ShareStatus::Deleted));
        assert_eq!(deleted.status(at(10 + 2 * HOUR_MS - 1), &timing), Some(ShareStatus::Deleted));
        assert_eq!(deleted.status(at(10 + 2 * HOUR_MS), &timing), None);
        assert!(matches!(decide_delete(deleted, usage(), at(11)), Err(Refusal::ShareNotFound { .. })));
    }

    #[test]
    fn an_update_changes_what_is_given() {
        let updated =
            |name, allow| decide_update(&share(), name, allow, None, at(7)).map(|decision| decision.reply);
        let renamed = updated(Some("new"), None).unwrap();
        assert_eq!(renamed, ResourceShare { name: "new".to_owned(), updated: at(7), ..share() });
        assert_eq!(updated(None, Some(true)), Ok(ResourceShare { updated: at(7), ..share() }));
        assert_eq!(updated(None, None), Err(Refusal::NothingToUpdate));
        assert_eq!(updated(Some(""), None), Err(Refusal::ShareNameLength { chars: 0 }));
        assert_eq!(updated(Some("new"), Some(false)), Err(Refusal::SharingOnlyInsideOrganization));
        let confined = ResourceShare { allow_external_principals: false, ..share() };
        for (allow, expected) in [(None, false), (Some(false), false), (Some(true), true)] {
            let updated = decide_update(&confined, Some("n"), allow, None, at(7)).unwrap().reply;
            assert_eq!(updated.allow_external_principals, expected);
        }
        let deleted = ResourceShare { deleted: Some(at(1)), ..share() };
        assert!(matches!(
            decide_update(&deleted, Some("n"), None, None, at(7)),
            Err(Refusal::ShareNotFound { .. })
        ));
    }

    #[test]
    fn tagging_replaces_adds_and_removes_and_tells_the_index() {
        let tagged = ResourceShare { tags: vec![tag("a", "1"), tag("b", "2")], ..share() };
        let changes = decide_tag(&tagged, vec![tag("c", ""), tag("a", "3")]).unwrap();
        let [Change::ShareStored(stored), Change::ShareTagged { added, removed, .. }] = changes.as_slice()
        else {
            panic!("a row and its index change: {changes:?}")
        };
        assert_eq!(stored.tags, [tag("a", "3"), tag("b", "2"), tag("c", "")]);
        assert_eq!((added.as_slice(), removed.len()), ([tag("a", "3"), tag("c", "")].as_slice(), 0));
        assert_eq!(stored.updated, tagged.updated);
        let changes = decide_untag(&tagged, &["b".to_owned(), "x".to_owned()]).unwrap();
        let [Change::ShareStored(stored), Change::ShareTagged { removed, .. }] = changes.as_slice() else {
            panic!("a row and its index change: {changes:?}")
        };
        assert_eq!(
            (stored.tags.as_slice(), removed.as_slice()),
            ([tag("a", "1")].as_slice(), ["b".to_owned()].as_slice())
        );
        assert_eq!(decide_untag(&tagged, &["x".to_owned()]), Ok(Vec::new()));
        let full = ResourceShare { tags: (0..50).map(|n| tag(&n.to_string(), "")).collect(), ..share() };
        assert_eq!(decide_tag(&full, vec![tag("one more", "")]), Err(Refusal::TooManyTags { tags: 51 }));
        assert!(decide_tag(&full, vec![tag("7", "again")]).is_ok());
    }

    #[test]
    fn names_have_bounds_and_no_control_characters() {
        assert_eq!(check_name("n"), Ok(()));
        assert_eq!(check_name(&"ü".repeat(512)), Ok(()));
        assert_eq!(check_name(""), Err(Refusal::ShareNameLength { chars: 0 }));
        assert_eq!(check_name(&"ü".repeat(513)), Err(Refusal::ShareNameLength { chars: 513 }));
        assert_eq!(check_name("a\nb"), Err(Refusal::ShareNameCharacter));
    }

    #[test]
    fn tags_are_ordered_and_checked() {
        let sorted = check_tags(vec![tag("b", ""), tag("a", "1")]);
        assert_eq!(sorted, Ok(vec![tag("a", "1"), tag("b", "")]));
        for (tags, refusal) in [
            (vec![tag("AWS:x", "")], Refusal::TagKeyReserved { key: "AWS:x".to_owned() }),
            (vec![tag("", "")], Refusal::TagKeyLength { chars: 0 }),
            (vec![tag(&"k".repeat(129), "")], Refusal::TagKeyLength { chars: 129 }),
            (vec![tag("k", &"v".repeat(257))], Refusal::TagValueLength { key: "k".to_owned(), chars: 257 }),
            (vec![tag("k", "1"), tag("k", "2")], Refusal::TagKeyRepeated { key: "k".to_owned() }),
            (vec![tag("k", "\u{0}")], Refusal::TagCharacter { key: "k".to_owned() }),
            ((0..51).map(|n| tag(&n.to_string(), "")).collect(), Refusal::TooManyTags { tags: 51 }),
        ] {
            assert_eq!(check_tags(tags), Err(refusal));
        }
    }
}

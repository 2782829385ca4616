//! Users and roles.

use rampart_aws::timestamp::TimestampMs;
use rampart_aws::{AccountId, Partition};
use serde::{Deserialize, Serialize};

use super::name::{IdBytes, unique_id};
use super::{IamName, IamPath, IamRefusal};
use crate::resource_share::Tag;

/// Tags on one user or role.
pub const TAGS_MAX: usize = 50;
/// Characters of a tag's key.
const TAG_KEY_CHARS_MAX: usize = 128;
/// Characters of a tag's value.
const TAG_VALUE_CHARS_MAX: usize = 256;
/// Where the roles of services are.
const SERVICE_LINKED: &str = "/aws-service-role/";

/// Which of both an identity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKind {
    /// Somebody with keys of their own.
    User,
    /// Something that others assume for a while.
    Role,
}

impl IdentityKind {
    /// As texts name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Role => "role",
        }
    }

    /// The four letters that its unique ids begin with.
    fn id_prefix(self) -> &'static str {
        match self {
            Self::User => "AIDA",
            Self::Role => "AROA",
        }
    }
}

/// What a role has and a user has not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleTerms {
    /// Who may assume it: a policy document, word for word.
    pub trust_policy: String,
    /// For people.
    pub description: Option<String>,
    /// How long a session may last, in seconds.
    pub max_session_s: u32,
}

/// Which of both an identity is, with what only that one has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nature {
    /// A user.
    User,
    /// A role.
    Role(RoleTerms),
}

impl Nature {
    /// Without what only one of both has.
    pub fn kind(&self) -> IdentityKind {
        match self {
            Self::User => IdentityKind::User,
            Self::Role(_) => IdentityKind::Role,
        }
    }
}

/// A user or a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Whose.
    pub account: AccountId,
    /// A user or a role.
    pub nature: Nature,
    /// Its name, unique in the account among users or among roles.
    pub name: IamName,
    /// Where it is filed; part of its ARN.
    pub path: IamPath,
    /// `AIDA…` or `AROA…`: tells it from a later one of the same name.
    pub id: String,
    /// Labels, sorted by key.
    pub tags: Vec<Tag>,
    /// When it was made.
    pub created: TimestampMs,
}

impl Identity {
    /// A user or a role?
    pub fn kind(&self) -> IdentityKind {
        self.nature.kind()
    }

    /// Its ARN.
    pub fn arn(&self, partition: Partition) -> String {
        identity_arn(partition, self.account, self.kind(), &self.path, &self.name)
    }

    /// Whether a service owns it: then only the service's own calls change it.
    pub fn is_service_linked(&self) -> bool {
        self.kind() == IdentityKind::Role && is_service_linked(&self.path)
    }

    /// Refuses a change of a service's role.
    pub fn check_modifiable(&self) -> Result<(), IamRefusal> {
        if self.is_service_linked() {
            return Err(IamRefusal::ServiceLinked { role: self.name.clone() });
        }
        Ok(())
    }
}

/// Whether the roles at a path are those of services.
pub fn is_service_linked(path: &IamPath) -> bool {
    path.as_str().starts_with(SERVICE_LINKED)
}

/// The path for a user or role that anybody may make.
// AWS: the path of the roles of services is theirs alone.
pub fn check_path(kind: IdentityKind, path: &IamPath) -> Result<(), IamRefusal> {
    if kind == IdentityKind::Role && is_service_linked(path) {
        return Err(IamRefusal::PathInvalid);
    }
    Ok(())
}

/// `arn:…:iam::{account}:user/{path}{name}`.
pub fn identity_arn(
    partition: Partition,
    account: AccountId,
    kind: IdentityKind,
    path: &IamPath,
    name: &IamName,
) -> String {
    format!("arn:{}:iam::{account}:{}{path}{name}", partition.as_str(), kind.as_str())
}

/// A fresh unique id.
pub fn identity_id(kind: IdentityKind, random: IdBytes) -> String {
    unique_id(kind.id_prefix(), random)
}

/// Checks tags, and sorts them.
pub fn check_tags(mut tags: Vec<Tag>) -> Result<Vec<Tag>, IamRefusal> {
    if tags.len() > TAGS_MAX {
        return Err(IamRefusal::TooManyTags { limit: TAGS_MAX });
    }
    for tag in &tags {
        let is_reserved = tag.key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"));
        let fits = (1..=TAG_KEY_CHARS_MAX).contains(&tag.key.chars().count())
            && tag.value.chars().count() <= TAG_VALUE_CHARS_MAX;
        if is_reserved || !fits || tag.key.chars().chain(tag.value.chars()).any(char::is_control) {
            return Err(IamRefusal::TagInvalid { key: tag.key.chars().take(TAG_KEY_CHARS_MAX).collect() });
        }
    }
    tags.sort();
    // AWS: keys of tags in IAM differ in more than the case of their letters.
    let mut folded: Vec<String> = tags.iter().map(|tag| tag.key.to_lowercase()).collect();
    folded.sort_unstable();
    match folded.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(IamRefusal::TagKeyRepeated { key: pair[0].clone() }),
        None => Ok(tags),
    }
}

/// The tags after some were added; those of the same key are replaced.
pub fn with_tags(old: &[Tag], added: Vec<Tag>) -> Result<Vec<Tag>, IamRefusal> {
    let added = check_tags(added)?;
    let is_kept = |tag: &&Tag| !added.iter().any(|new| new.key.to_lowercase() == tag.key.to_lowercase());
    let mut tags: Vec<Tag> = old.iter().filter(is_kept).cloned().collect();
    tags.extend(added);
    check_tags(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str, value: &str) -> Tag {
        Tag { key: key.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn an_arn_has_the_path() {
        let name = IamName::of_identity("alice", "userName").unwrap();
        let arn = |kind, path: &str| {
            let (path, account) = (IamPath::parse(path).unwrap(), "111111111111".parse().unwrap());
            identity_arn(Partition::Aws, account, kind, &path, &name)
        };
        assert_eq!(arn(IdentityKind::User, "/"), "arn:aws:iam::111111111111:user/alice");
        assert_eq!(arn(IdentityKind::Role, "/a/b/"), "arn:aws:iam::111111111111:role/a/b/alice");
    }

    #[test]
    fn tags_are_replaced_whatever_the_case_of_their_keys() {
        let old = [tag("Team", "a"), tag("x", "1")];
        assert_eq!(with_tags(&old, vec![tag("team", "b")]).unwrap(), [tag("team", "b"), tag("x", "1")]);
        let twice = with_tags(&[], vec![tag("a", "1"), tag("A", "2")]);
        assert_eq!(twice, Err(IamRefusal::TagKeyRepeated { key: "a".to_owned() }));
        assert!(with_tags(&[], vec![tag("aws:x", "1")]).is_err());
        let many: Vec<_> = (0..50).map(|n| tag(&format!("k{n}"), "")).collect();
        let full = with_tags(&[], many).unwrap();
        assert_eq!(with_tags(&full, vec![tag("new", "")]), Err(IamRefusal::TooManyTags { limit: 50 }));
        assert!(with_tags(&full, vec![tag("k7", "other")]).is_ok());
    }

    #[test]
    fn the_path_of_services_is_theirs() {
        let path = IamPath::parse("/aws-service-role/ram.amazonaws.com/").unwrap();
        assert_eq!(check_path(IdentityKind::Role, &path), Err(IamRefusal::PathInvalid));
        assert_eq!(check_path(IdentityKind::User, &path), Ok(()));
    }
}

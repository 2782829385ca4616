//! Users, roles, tags and keys as answers show them.

use rampart_aws::query::{XmlWriter, percent_encode};
use rampart_core::Partition;
use rampart_core::access_key::AccessKey;
use rampart_core::iam::{Identity, IdentityKind, Nature};
use rampart_core::resource_share::Tag;

/// How much of a user or role an answer shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// All of it.
    Whole,
    // AWS: lists leave out tags.
    /// What lists show.
    InList,
}

/// The members of a user or a role, inside an element that stands for it.
pub(super) fn write_identity(xml: &mut XmlWriter, identity: &Identity, partition: Partition, detail: Detail) {
    let kind = identity.kind();
    let (name, id) = match kind {
        IdentityKind::User => ("UserName", "UserId"),
        IdentityKind::Role => ("RoleName", "RoleId"),
    };
    xml.text_element("Path", identity.path.as_str());
    xml.text_element(name, identity.name.as_str());
    xml.text_element(id, &identity.id);
    xml.text_element("Arn", &identity.arn(partition));
    xml.text_element("CreateDate", &identity.created.to_string());
    if let Nature::Role(terms) = &identity.nature {
        xml.text_element("AssumeRolePolicyDocument", &percent_encode(&terms.trust_policy));
        if let Some(description) = &terms.description {
            xml.text_element("Description", description);
        }
        xml.text_element("MaxSessionDuration", &terms.max_session_s.to_string());
    }
    if detail == Detail::Whole && !identity.tags.is_empty() {
        write_tags(xml, &identity.tags);
    }
}

/// A list of tags.
pub(super) fn write_tags(xml: &mut XmlWriter, tags: &[Tag]) {
    xml.element("Tags", |xml| {
        for tag in tags {
            xml.element("member", |xml| {
                xml.text_element("Key", &tag.key);
                xml.text_element("Value", &tag.value);
            });
        }
    });
}

/// The members of an access key, without its secret. A root's key has no user.
pub(super) fn write_access_key(xml: &mut XmlWriter, key: &AccessKey) {
    if !key.user.is_empty() {
        xml.text_element("UserName", &key.user);
    }
    xml.text_element("AccessKeyId", &key.id);
    xml.text_element("Status", if key.active { "Active" } else { "Inactive" });
    xml.text_element("CreateDate", &key.created.to_string());
}

//! Every row of a partition, table by table, each along its key: what the log's changes add up to.

use rampart_core::Change;
use rampart_core::organization::OrganizationChange;
use rampart_core::organization::policy::Attachment;
use rampart_core::resource_share::Tag;

use super::access_key::{read_account, read_key};
use super::association::read_association;
use super::iam_identity::read_identity;
use super::iam_policy::read_policy as read_iam_policy;
use super::invitation::read_invitation;
use super::organization_policy::read_attachment;
use super::organization_remains::read_order;
use super::organization_tidying::read_work as read_tidying;
use super::permission::{read_permission, read_usage as read_permission_usage, read_version};
use super::replace_work::read_work;
use super::resource_policy::read_policy as read_resource_policy;
use super::resource_share::read_share;
use super::share_permission::read_attached;
use super::{iam_identity, owner_usage};
use crate::StoreError;
use crate::statement::{KeyKind, Row, Statement};
use KeyKind::{Bytes, Int, Text};

/// The rows of one table.
pub(crate) struct Noun {
    /// A page after a key: its parameters are the partition, the key and the number of rows.
    pub(crate) page: &'static Statement,
    /// Where the columns of the key stand in a row.
    pub(crate) key: &'static [(usize, KeyKind)],
    /// The row as the change that would write it.
    pub(crate) read: fn(&Row<'_>) -> Result<Change, StoreError>,
}

static ACCOUNTS: Statement = Statement::new(
    "account.all",
    "SELECT account, name, created_ms FROM account WHERE part = $1 AND account > $2 ORDER BY account LIMIT $3",
);
static KEYS: Statement = Statement::new(
    "access_key.all",
    "SELECT account, access_key_id, user_name, sealed_secret, active, created_ms FROM access_key
     WHERE part = $1 AND (account, access_key_id) > ($2, $3) ORDER BY account, access_key_id LIMIT $4",
);
static IDENTITIES: Statement = Statement::new(
    "iam_identity.all",
    "SELECT account, kind, name, path, identity_id, tags, role, created_ms FROM iam_identity
     WHERE part = $1 AND (account, kind, name) > ($2, $3, $4) ORDER BY account, kind, name LIMIT $5",
);
static IDENTITY_POLICIES: Statement = Statement::new(
    "iam_policy.all",
    "SELECT account, kind, identity_name, policy, document, inline FROM iam_policy
     WHERE part = $1 AND (account, kind, identity_name, inline, policy) > ($2, $3, $4, $5, $6)
     ORDER BY account, kind, identity_name, inline, policy LIMIT $7",
);
static IAM_USAGES: Statement = Statement::new(
    "iam_usage.all",
    "SELECT account, users, roles FROM iam_usage WHERE part = $1 AND account > $2 ORDER BY account LIMIT $3",
);
static SHARES: Statement = Statement::new(
    "resource_share.all",
    "SELECT owner, region, share_id, name, allow_external, retain_on_leave, tags, created_ms, updated_ms, deleted_ms,
            contents, from_policy, promoted_ms
     FROM resource_share WHERE part = $1 AND (owner, region, share_id) > ($2, $3, $4)
     ORDER BY owner, region, share_id LIMIT $5",
);
static ASSOCIATIONS: Statement = Statement::new(
    "association.all",
    "SELECT owner, region, share_id, share_created_ms, association_id, entity, member, created_ms, standing, since_ms,
            deadline_ms, invitation_id, kind
     FROM association WHERE part = $1 AND (owner, region, share_id, kind, entity) > ($2, $3, $4, $5, $6)
     ORDER BY owner, region, share_id, kind, entity LIMIT $7",
);
static INVITATIONS: Statement = Statement::new(
    "invitation.all",
    "SELECT sender, region, invitation_id, share_id, receiver, receiver_arn, created_ms, deadline_ms, accepted,
            answered_ms, share_name
     FROM invitation WHERE part = $1 AND (sender, region, invitation_id) > ($2, $3, $4)
     ORDER BY sender, region, invitation_id LIMIT $5",
);
static ATTACHED: Statement = Statement::new(
    "share_permission.all",
    "SELECT owner, region, share_id, resource_type, permission, version, attached_ms, permission_id, parameters
     FROM share_permission WHERE part = $1 AND (owner, region, share_id, resource_type) > ($2, $3, $4, $5)
     ORDER BY owner, region, share_id, resource_type LIMIT $6",
);
static PERMISSIONS: Statement = Statement::new(
    "permission.all",
    "SELECT owner, region, name, permission_id, resource_type, from_policy, deprecated, default_version, latest,
            versions, tags, created_ms, deleted_ms
     FROM permission WHERE part = $1 AND (owner, region, name) > ($2, $3, $4) ORDER BY owner, region, name LIMIT $5",
);
static VERSIONS: Statement = Statement::new(
    "permission_version.all",
    "SELECT owner, region, name, number, parameters, created_ms, updated_ms, template, deleted_ms
     FROM permission_version WHERE part = $1 AND (owner, region, name, number) > ($2, $3, $4, $5)
     ORDER BY owner, region, name, number LIMIT $6",
);
static PERMISSION_USAGES: Statement = Statement::new(
    "permission_usage.all",
    "SELECT owner, region, resource_type, permissions FROM permission_usage
     WHERE part = $1 AND (owner, region, resource_type) > ($2, $3, $4) ORDER BY owner, region, resource_type LIMIT $5",
);
static WORKS: Statement = Statement::new(
    "replace_work.all",
    "SELECT owner, region, work_id, from_permission, from_version, to_permission, to_version, parameters, state,
            created_ms, updated_ms, to_id
     FROM replace_work WHERE part = $1 AND (owner, region, work_id) > ($2, $3, $4)
     ORDER BY owner, region, work_id LIMIT $5",
);
static RESOURCE_POLICIES: Statement = Statement::new(
    "resource_policy.all",
    "SELECT owner, region, resource, policy, shares, updated_ms FROM resource_policy
     WHERE part = $1 AND (owner, region, resource) > ($2, $3, $4) ORDER BY owner, region, resource LIMIT $5",
);
static USAGES: Statement = Statement::new(
    "owner_usage.all",
    "SELECT owner, region, resource_shares, resources, principals, pending_invitations FROM owner_usage
     WHERE part = $1 AND (owner, region) > ($2, $3) ORDER BY owner, region LIMIT $4",
);
static EVENTS: Statement = Statement::new(
    "sharing_event.all",
    "SELECT payload, seq, idx, n FROM sharing_event WHERE part = $1 AND (seq, idx, n) > ($2, $3, $4)
     ORDER BY seq, idx, n LIMIT $5",
);
static ORGANIZATIONS: Statement = Statement::new(
    "organization.all",
    "SELECT body, management FROM organization WHERE part = $1 AND management > $2 ORDER BY management LIMIT $3",
);
static CLAIMS: Statement = Statement::new(
    "organization_claim.all",
    "SELECT body, account FROM organization_claim WHERE part = $1 AND account > $2 ORDER BY account LIMIT $3",
);
static UNITS: Statement = Statement::new(
    "organizational_unit.all",
    "SELECT body, management, unit_id FROM organizational_unit WHERE part = $1 AND (management, unit_id) > ($2, $3)
     ORDER BY management, unit_id LIMIT $4",
);
static MEMBERS: Statement = Statement::new(
    "organization_member.all",
    "SELECT body, management, account FROM organization_member WHERE part = $1 AND (management, account) > ($2, $3)
     ORDER BY management, account LIMIT $4",
);
static CREATIONS: Statement = Statement::new(
    "account_creation.all",
    "SELECT body, management, creation_id FROM account_creation WHERE part = $1 AND (management, creation_id) > ($2, $3)
     ORDER BY management, creation_id LIMIT $4",
);
static HANDSHAKES: Statement = Statement::new(
    "organization_handshake.all",
    "SELECT body, management, handshake_id FROM organization_handshake
     WHERE part = $1 AND (management, handshake_id) > ($2, $3) ORDER BY management, handshake_id LIMIT $4",
);
static SERVICES: Statement = Statement::new(
    "organization_service_access.all",
    "SELECT management, service, enabled_ms FROM organization_service_access
     WHERE part = $1 AND (management, service) > ($2, $3) ORDER BY management, service LIMIT $4",
);
static POLICIES: Statement = Statement::new(
    "organization_policy.all",
    "SELECT body, management, policy_id FROM organization_policy WHERE part = $1 AND (management, policy_id) > ($2, $3)
     ORDER BY management, policy_id LIMIT $4",
);
static ATTACHMENTS: Statement = Statement::new(
    "organization_attachment.all",
    "SELECT target, policy_id, attached, management, generation FROM organization_attachment
     WHERE part = $1 AND (management, generation, target, policy_id) > ($2, $3, $4, $5)
     ORDER BY management, generation, target, policy_id LIMIT $6",
);
static TAGS: Statement = Statement::new(
    "organization_tag.all",
    "SELECT management, resource, tag_key, tag_value FROM organization_tag
     WHERE part = $1 AND (management, resource, tag_key) > ($2, $3, $4) ORDER BY management, resource, tag_key LIMIT $5",
);
static TIDYINGS: Statement = Statement::new(
    "organization_tidying.all",
    "SELECT management, account, at_ms FROM organization_tidying WHERE part = $1 AND (management, account) > ($2, $3)
     ORDER BY management, account LIMIT $4",
);

static REMAINS: Statement = Statement::new(
    "organization_remains.all",
    "SELECT management, generation FROM organization_remains WHERE part = $1 AND (management, generation) > ($2, $3)
     ORDER BY management, generation LIMIT $4",
);

pub(crate) static STATEMENTS: &[&Statement] = &[
    &ACCOUNTS,
    &KEYS,
    &IDENTITIES,
    &IDENTITY_POLICIES,
    &IAM_USAGES,
    &SHARES,
    &ASSOCIATIONS,
    &INVITATIONS,
    &ATTACHED,
    &PERMISSIONS,
    &VERSIONS,
    &PERMISSION_USAGES,
    &WORKS,
    &RESOURCE_POLICIES,
    &USAGES,
    &EVENTS,
    &ORGANIZATIONS,
    &CLAIMS,
    &UNITS,
    &MEMBERS,
    &CREATIONS,
    &HANDSHAKES,
    &SERVICES,
    &POLICIES,
    &ATTACHMENTS,
    &TAGS,
    &TIDYINGS,
    &REMAINS,
];

/// All tables whose rows changes write. The index of shares' tags and the bases of associations are written with the rows
/// that they are of.
pub(crate) const NOUNS: &[Noun] = &[
    Noun { page: &ACCOUNTS, key: &[(0, Text)], read: |row| Ok(Change::AccountStored(read_account(row)?)) },
    Noun {
        page: &KEYS,
        key: &[(0, Text), (1, Text)],
        read: |row| Ok(Change::AccessKeyStored(read_key(row)?)),
    },
    Noun {
        page: &IDENTITIES,
        key: &[(0, Text), (1, Int), (2, Text)],
        read: |row| Ok(Change::IdentityStored(read_identity(row)?)),
    },
    Noun {
        page: &IDENTITY_POLICIES,
        key: &[(0, Text), (1, Int), (2, Text), (5, Int), (3, Text)],
        read: |row| Ok(Change::IdentityPolicyStored(read_iam_policy(row)?)),
    },
    Noun {
        page: &IAM_USAGES,
        key: &[(0, Text)],
        read: |row| Ok(Change::IamUsageStored(iam_identity::read_usage(row)?)),
    },
    Noun {
        page: &SHARES,
        key: &[(0, Text), (1, Text), (2, Bytes)],
        read: |row| Ok(Change::ShareStored(read_share(row)?)),
    },
    Noun {
        page: &ASSOCIATIONS,
        key: &[(0, Text), (1, Text), (2, Bytes), (12, Int), (5, Text)],
        read: |row| Ok(Change::AssociationStored(read_association(row)?)),
    },
    Noun {
        page: &INVITATIONS,
        key: &[(0, Text), (1, Text), (2, Bytes)],
        read: |row| Ok(Change::InvitationStored(read_invitation(row)?)),
    },
    Noun {
        page: &ATTACHED,
        key: &[(0, Text), (1, Text), (2, Bytes), (3, Text)],
        read: |row| Ok(Change::PermissionAttached(read_attached(row)?)),
    },
    Noun {
        page: &PERMISSIONS,
        key: &[(0, Text), (1, Text), (2, Text)],
        read: |row| Ok(Change::PermissionStored(read_permission(row)?)),
    },
    Noun {
        page: &VERSIONS,
        key: &[(0, Text), (1, Text), (2, Text), (3, Int)],
        read: |row| Ok(Change::PermissionVersionStored(read_version(row)?)),
    },
    Noun {
        page: &PERMISSION_USAGES,
        key: &[(0, Text), (1, Text), (2, Text)],
        read: |row| Ok(Change::PermissionUsageStored(read_permission_usage(row)?)),
    },
    Noun {
        page: &WORKS,
        key: &[(0, Text), (1, Text), (2, Bytes)],
        read: |row| Ok(Change::ReplaceWorkStored(read_work(row)?)),
    },
    Noun {
        page: &RESOURCE_POLICIES,
        key: &[(0, Text), (1, Text), (2, Text)],
        read: |row| Ok(Change::ResourcePolicyStored(read_resource_policy(row)?)),
    },
    Noun {
        page: &USAGES,
        key: &[(0, Text), (1, Text)],
        read: |row| Ok(Change::UsageStored(owner_usage::read_usage(row)?)),
    },
    Noun {
        page: &EVENTS,
        key: &[(1, Int), (2, Int), (3, Int)],
        read: |row| Ok(Change::EventRecorded(row.json(0)?)),
    },
    Noun {
        page: &ORGANIZATIONS,
        key: &[(1, Text)],
        read: |row| Ok(Change::Organization(OrganizationChange::Stored(row.json(0)?))),
    },
    Noun {
        page: &CLAIMS,
        key: &[(1, Text)],
        read: |row| Ok(Change::Organization(OrganizationChange::Claimed(row.json(0)?))),
    },
    Noun {
        page: &UNITS,
        key: &[(1, Text), (2, Text)],
        read: |row| Ok(Change::Organization(OrganizationChange::UnitStored(row.json(0)?))),
    },
    Noun {
        page: &MEMBERS,
        key: &[(1, Text), (2, Text)],
        read: |row| Ok(Change::Organization(OrganizationChange::MemberStored(row.json(0)?))),
    },
    Noun {
        page: &CREATIONS,
        key: &[(1, Text), (2, Text)],
        read: |row| Ok(Change::Organization(OrganizationChange::CreationStored(row.json(0)?))),
    },
    Noun {
        page: &HANDSHAKES,
        key: &[(1, Text), (2, Text)],
        read: |row| Ok(Change::Organization(OrganizationChange::HandshakeStored(row.json(0)?))),
    },
    Noun { page: &SERVICES, key: &[(0, Text), (1, Text)], read: service },
    Noun {
        page: &POLICIES,
        key: &[(1, Text), (2, Text)],
        read: |row| Ok(Change::Organization(OrganizationChange::PolicyStored(row.json(0)?))),
    },
    Noun { page: &ATTACHMENTS, key: &[(3, Text), (4, Int), (0, Text), (1, Text)], read: attachment },
    Noun { page: &TAGS, key: &[(0, Text), (1, Text), (2, Text)], read: tag },
    Noun {
        page: &TIDYINGS,
        key: &[(0, Text), (1, Text)],
        read: |row| Ok(Change::Organization(OrganizationChange::TidyingStored(read_tidying(row)?))),
    },
    // Last: the rows of what is over are among those above, until they are removed.
    Noun {
        page: &REMAINS,
        key: &[(0, Text), (1, Int)],
        read: |row| Ok(Change::Organization(read_order(row)?)),
    },
];

fn service(row: &Row<'_>) -> Result<Change, StoreError> {
    Ok(Change::Organization(OrganizationChange::ServiceAccessStored {
        management: row.parsed(0)?,
        service: row.text(1)?.to_owned(),
        enabled: row.time(2)?,
    }))
}

fn attachment(row: &Row<'_>) -> Result<Change, StoreError> {
    let found = read_attachment(row)?;
    Ok(Change::Organization(OrganizationChange::AttachmentStored(Attachment {
        management: row.parsed(3)?,
        generation: row.int(4)?,
        target: found.target,
        policy: found.policy,
        attached: found.attached,
    })))
}

fn tag(row: &Row<'_>) -> Result<Change, StoreError> {
    Ok(Change::Organization(OrganizationChange::Tagged {
        management: row.parsed(0)?,
        resource: row.text(1)?.to_owned(),
        added: vec![Tag { key: row.text(2)?.to_owned(), value: row.text(3)?.to_owned() }],
        removed: Vec::new(),
    }))
}

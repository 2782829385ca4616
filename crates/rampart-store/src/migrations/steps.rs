//! The steps, oldest first. A step that was ever released stays as it is; new ones are added at the end.
//!
//! Nodes of the build before go on serving while a step runs, and after it: it adds what they do not know and takes
//! nothing that they need. What nobody needs any more is removed by a later build, which raises [`SERVES_FROM`].

/// The oldest form of the tables whose builds can serve beside this one.
pub(super) const SERVES_FROM: i64 = 1;

pub(super) const STEPS: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS log_head (
        part BIGINT NOT NULL,
        seq BIGINT NOT NULL,
        PRIMARY KEY (part))",
    "CREATE TABLE IF NOT EXISTS change_log (
        part BIGINT NOT NULL,
        seq BIGINT NOT NULL,
        idx BIGINT NOT NULL,
        at_ms BIGINT NOT NULL,
        payload TEXT NOT NULL,
        PRIMARY KEY (part, seq, idx))",
    "CREATE TABLE IF NOT EXISTS account (
        part BIGINT NOT NULL,
        account TEXT NOT NULL,
        name TEXT NOT NULL,
        created_ms BIGINT NOT NULL,
        PRIMARY KEY (part, account))",
    "CREATE TABLE IF NOT EXISTS access_key (
        part BIGINT NOT NULL,
        account TEXT NOT NULL,
        access_key_id TEXT NOT NULL,
        user_name TEXT NOT NULL,
        sealed_secret BYTEA NOT NULL,
        active SMALLINT NOT NULL,
        created_ms BIGINT NOT NULL,
        PRIMARY KEY (part, account, access_key_id))",
    "CREATE TABLE IF NOT EXISTS resource_share (
        part BIGINT NOT NULL,
        owner TEXT NOT NULL,
        region TEXT NOT NULL,
        share_id BYTEA NOT NULL,
        name TEXT NOT NULL,
        allow_external SMALLINT NOT NULL,
        retain_on_leave SMALLINT NOT NULL,
        tags TEXT NOT NULL,
        created_ms BIGINT NOT NULL,
        updated_ms BIGINT NOT NULL,
        deleted_ms BIGINT,
        contents TEXT NOT NULL,
        untidy SMALLINT NOT NULL,
        PRIMARY KEY (part, owner, region, share_id))",
    "CREATE INDEX IF NOT EXISTS resource_share_by_time
        ON resource_share (part, owner, region, created_ms, share_id)",
    "CREATE INDEX IF NOT EXISTS resource_share_by_name
        ON resource_share (part, owner, region, name, created_ms, share_id)",
    "CREATE INDEX IF NOT EXISTS resource_share_deleted_by_time
        ON resource_share (part, owner, region, created_ms, share_id) WHERE deleted_ms IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS resource_share_by_deletion
        ON resource_share (deleted_ms) WHERE deleted_ms IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS resource_share_untidy
        ON resource_share (deleted_ms) WHERE untidy = 1",
    "CREATE TABLE IF NOT EXISTS share_permission (
        part BIGINT NOT NULL,
        owner TEXT NOT NULL,
        region TEXT NOT NULL,
        share_id BYTEA NOT NULL,
        resource_type TEXT NOT NULL,
        permission TEXT NOT NULL,
        version BIGINT NOT NULL,
        attached_ms BIGINT NOT NULL,
        attachment_id BYTEA NOT NULL,
        PRIMARY KEY (part, owner, region, share_id, resource_type))",
    "CREATE INDEX IF NOT EXISTS share_permission_by_time
        ON share_permission (part, owner, region, attached_ms, attachment_id)",
    "CREATE INDEX IF NOT EXISTS share_permission_by_permission
        ON share_permission (part, owner, region, permission, attached_ms, attachment_id)",
    "CREATE TABLE IF NOT EXISTS owner_usage (
        part BIGINT NOT NULL,
        owner TEXT NOT NULL,
        region TEXT NOT NULL,
        resource_shares BIGINT NOT NULL,
        resources BIGINT NOT NULL,
        principals BIGINT NOT NULL,
        pending_invitations BIGINT NOT NULL,
        PRIMARY KEY (part, owner, region))",
    "CREATE TABLE IF NOT EXISTS sharing_event (
        part BIGINT NOT NULL,
        seq BIGINT NOT NULL,
        idx BIGINT NOT NULL,
        n BIGINT NOT NULL,
        at_ms BIGINT NOT NULL,
        payload TEXT NOT NULL,
        PRIMARY KEY (part, seq, idx, n))",
    "CREATE INDEX IF NOT EXISTS sharing_event_by_time
        ON sharing_event (at_ms)",
    "CREATE TABLE IF NOT EXISTS resource_share_tag (
        part BIGINT NOT NULL,
        owner TEXT NOT NULL,
        region TEXT NOT NULL,
        share_id BYTEA NOT NULL,
        tag_key TEXT NOT NULL,
        tag_value TEXT NOT NULL,
        share_created_ms BIGINT NOT NULL,
        PRIMARY KEY (part, owner, region, share_id, tag_key))",
    "CREATE INDEX IF NOT EXISTS resource_share_tag_by_value
        ON resource_share_tag (part, owner, region, tag_key, tag_value, share_created_ms, share_id)",
    "CREATE INDEX IF NOT EXISTS resource_share_tag_by_key
        ON resource_share_tag (part, owner, region, tag_key, share_created_ms, share_id)",
    "CREATE TABLE IF NOT EXISTS association (
        part BIGINT NOT NULL,
        owner TEXT NOT NULL,
        region TEXT NOT NULL,
        share_id BYTEA NOT NULL,
        kind SMALLINT NOT NULL,
        entity TEXT NOT NULL,
        association_id BYTEA NOT NULL,
        share_created_ms BIGINT NOT NULL,
        created_ms BIGINT NOT NULL,
        standing SMALLINT NOT NULL,
        since_ms BIGINT NOT NULL,
        deadline_ms BIGINT,
        invitation_id BYTEA,
        receiver TEXT,
        resource_type TEXT,
        member TEXT NOT NULL,
        PRIMARY KEY (part, owner, region, share_id, kind, entity))",
    "CREATE INDEX IF NOT EXISTS association_by_share
        ON association (part, share_id, kind, created_ms, association_id)",
    "CREATE INDEX IF NOT EXISTS association_by_owner
        ON association (part, owner, region, kind, created_ms, association_id)",
    "CREATE INDEX IF NOT EXISTS association_by_entity
        ON association (part, owner, region, kind, entity, created_ms, association_id)",
    "CREATE INDEX IF NOT EXISTS association_by_receiver
        ON association (receiver, region, standing, share_created_ms, share_id) WHERE receiver IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS association_by_share_receiver
        ON association (part, share_id, receiver) WHERE receiver IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS association_by_type
        ON association (part, owner, region, resource_type, created_ms, association_id)
        WHERE resource_type IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS association_by_deadline
        ON association (deadline_ms) WHERE deadline_ms IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS association_by_end
        ON association (since_ms) WHERE standing = 2",
    "CREATE TABLE IF NOT EXISTS invitation (
        part BIGINT NOT NULL,
        sender TEXT NOT NULL,
        region TEXT NOT NULL,
        invitation_id BYTEA NOT NULL,
        share_id BYTEA NOT NULL,
        receiver TEXT NOT NULL,
        receiver_arn TEXT,
        created_ms BIGINT NOT NULL,
        deadline_ms BIGINT NOT NULL,
        accepted SMALLINT,
        answered_ms BIGINT,
        PRIMARY KEY (part, sender, region, invitation_id))",
    "CREATE INDEX IF NOT EXISTS invitation_by_receiver
        ON invitation (receiver, region, created_ms, invitation_id)",
    "CREATE INDEX IF NOT EXISTS invitation_by_share
        ON invitation (part, share_id, receiver, created_ms, invitation_id)",
    "CREATE INDEX IF NOT EXISTS invitation_by_answer
        ON invitation (accepted, answered_ms) WHERE answered_ms IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS invitation_by_deadline
        ON invitation (deadline_ms) WHERE answered_ms IS NULL",
    "CREATE TABLE IF NOT EXISTS client_token (
        part BIGINT NOT NULL,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        operation TEXT NOT NULL,
        token TEXT NOT NULL,
        request_hash BYTEA NOT NULL,
        answer TEXT NOT NULL,
        expires_ms BIGINT NOT NULL,
        PRIMARY KEY (part, account, region, operation, token))",
    "CREATE INDEX IF NOT EXISTS client_token_by_account
        ON client_token (account, region, operation, token)",
    "CREATE INDEX IF NOT EXISTS client_token_by_expiry
        ON client_token (expires_ms)",
    // What joins find a share by: with the longer keys alone PostgreSQL, which takes an owner for one with few shares,
    // reads all of the owner's to find one.
    "CREATE INDEX IF NOT EXISTS resource_share_by_id
        ON resource_share (part, share_id)",
    "CREATE TABLE IF NOT EXISTS permission (
        part BIGINT NOT NULL,
        owner TEXT NOT NULL,
        region TEXT NOT NULL,
        name TEXT NOT NULL,
        permission_id BYTEA NOT NULL,
        resource_type TEXT NOT NULL,
        from_policy SMALLINT NOT NULL,
        deprecated SMALLINT NOT NULL,
        default_version TEXT NOT NULL,
        latest BIGINT NOT NULL,
        versions BIGINT NOT NULL,
        tags TEXT NOT NULL,
        created_ms BIGINT NOT NULL,
        deleted_ms BIGINT,
        PRIMARY KEY (part, owner, region, name))",
    "CREATE INDEX IF NOT EXISTS permission_by_time
        ON permission (part, owner, region, created_ms, permission_id)",
    "CREATE INDEX IF NOT EXISTS permission_by_type
        ON permission (part, owner, region, resource_type, created_ms, permission_id)",
    "CREATE INDEX IF NOT EXISTS permission_by_deletion
        ON permission (deleted_ms) WHERE deleted_ms IS NOT NULL",
    "CREATE TABLE IF NOT EXISTS permission_version (
        part BIGINT NOT NULL,
        owner TEXT NOT NULL,
        region TEXT NOT NULL,
        name TEXT NOT NULL,
        number BIGINT NOT NULL,
        parameters TEXT NOT NULL,
        created_ms BIGINT NOT NULL,
        updated_ms BIGINT NOT NULL,
        template TEXT NOT NULL,
        deleted_ms BIGINT,
        PRIMARY KEY (part, owner, region, name, number))",
    "CREATE INDEX IF NOT EXISTS permission_version_by_deletion
        ON permission_version (deleted_ms) WHERE deleted_ms IS NOT NULL",
    "CREATE TABLE IF NOT EXISTS permission_usage (
        part BIGINT NOT NULL,
        owner TEXT NOT NULL,
        region TEXT NOT NULL,
        resource_type TEXT NOT NULL,
        permissions BIGINT NOT NULL,
        PRIMARY KEY (part, owner, region, resource_type))",
    "ALTER TABLE share_permission ADD COLUMN IF NOT EXISTS parameters TEXT",
    "CREATE INDEX IF NOT EXISTS share_permission_by_version
        ON share_permission (part, owner, region, permission, version, attached_ms, attachment_id)",
    "CREATE TABLE IF NOT EXISTS replace_work (
        part BIGINT NOT NULL,
        owner TEXT NOT NULL,
        region TEXT NOT NULL,
        work_id BYTEA NOT NULL,
        from_permission TEXT NOT NULL,
        from_version BIGINT,
        to_permission TEXT NOT NULL,
        to_id BYTEA,
        to_version BIGINT NOT NULL,
        parameters TEXT NOT NULL,
        state TEXT NOT NULL,
        is_open SMALLINT NOT NULL,
        created_ms BIGINT NOT NULL,
        updated_ms BIGINT NOT NULL,
        finished_ms BIGINT,
        PRIMARY KEY (part, owner, region, work_id))",
    "CREATE INDEX IF NOT EXISTS replace_work_by_time
        ON replace_work (part, owner, region, created_ms, work_id)",
    "CREATE INDEX IF NOT EXISTS replace_work_open
        ON replace_work (created_ms) WHERE is_open = 1",
    "CREATE INDEX IF NOT EXISTS replace_work_by_end
        ON replace_work (finished_ms) WHERE finished_ms IS NOT NULL",
    "CREATE TABLE IF NOT EXISTS organization (
        part BIGINT NOT NULL,
        management TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (part, management))",
    "CREATE TABLE IF NOT EXISTS organization_claim (
        part BIGINT NOT NULL,
        account TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (part, account))",
    "CREATE TABLE IF NOT EXISTS organization_member (
        part BIGINT NOT NULL,
        management TEXT NOT NULL,
        account TEXT NOT NULL,
        parent_id TEXT NOT NULL,
        email TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (part, management, account))",
    "CREATE INDEX IF NOT EXISTS organization_member_by_account
        ON organization_member (account)",
    "CREATE INDEX IF NOT EXISTS organization_member_by_parent
        ON organization_member (part, management, parent_id, account)",
    "CREATE INDEX IF NOT EXISTS organization_member_by_email
        ON organization_member (part, management, email)",
    "CREATE TABLE IF NOT EXISTS organizational_unit (
        part BIGINT NOT NULL,
        management TEXT NOT NULL,
        unit_id TEXT NOT NULL,
        parent_id TEXT NOT NULL,
        name TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (part, management, unit_id))",
    "CREATE INDEX IF NOT EXISTS organizational_unit_by_parent
        ON organizational_unit (part, management, parent_id, unit_id)",
    "CREATE INDEX IF NOT EXISTS organizational_unit_by_name
        ON organizational_unit (part, management, parent_id, name)",
    "CREATE TABLE IF NOT EXISTS account_creation (
        part BIGINT NOT NULL,
        management TEXT NOT NULL,
        creation_id TEXT NOT NULL,
        state TEXT NOT NULL,
        requested_ms BIGINT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (part, management, creation_id))",
    "CREATE TABLE IF NOT EXISTS organization_handshake (
        part BIGINT NOT NULL,
        management TEXT NOT NULL,
        handshake_id TEXT NOT NULL,
        target TEXT NOT NULL,
        forgotten_ms BIGINT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (part, management, handshake_id))",
    "CREATE INDEX IF NOT EXISTS organization_handshake_by_id
        ON organization_handshake (handshake_id)",
    "CREATE INDEX IF NOT EXISTS organization_handshake_by_target
        ON organization_handshake (target, handshake_id)",
    "CREATE INDEX IF NOT EXISTS organization_handshake_by_pair
        ON organization_handshake (part, management, target, forgotten_ms)",
    "CREATE TABLE IF NOT EXISTS organization_service_access (
        part BIGINT NOT NULL,
        management TEXT NOT NULL,
        service TEXT NOT NULL,
        enabled_ms BIGINT NOT NULL,
        PRIMARY KEY (part, management, service))",
    "CREATE TABLE IF NOT EXISTS organization_policy (
        part BIGINT NOT NULL,
        management TEXT NOT NULL,
        policy_id TEXT NOT NULL,
        name TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (part, management, policy_id))",
    "CREATE INDEX IF NOT EXISTS organization_policy_by_name
        ON organization_policy (part, management, name)",
    "CREATE TABLE IF NOT EXISTS organization_attachment (
        part BIGINT NOT NULL,
        management TEXT NOT NULL,
        generation BIGINT NOT NULL,
        target TEXT NOT NULL,
        policy_id TEXT NOT NULL,
        attached SMALLINT NOT NULL,
        PRIMARY KEY (part, management, generation, target, policy_id))",
    "CREATE INDEX IF NOT EXISTS organization_attachment_by_policy
        ON organization_attachment (part, management, generation, policy_id, target)",
    "CREATE TABLE IF NOT EXISTS organization_tag (
        part BIGINT NOT NULL,
        management TEXT NOT NULL,
        resource TEXT NOT NULL,
        tag_key TEXT NOT NULL,
        tag_value TEXT NOT NULL,
        PRIMARY KEY (part, management, resource, tag_key))",
    "CREATE TABLE IF NOT EXISTS iam_identity (
        part BIGINT NOT NULL,
        account TEXT NOT NULL,
        kind SMALLINT NOT NULL,
        name TEXT NOT NULL,
        name_folded TEXT NOT NULL,
        path TEXT NOT NULL,
        identity_id TEXT NOT NULL,
        tags TEXT NOT NULL,
        role TEXT,
        created_ms BIGINT NOT NULL,
        PRIMARY KEY (part, account, kind, name))",
    "CREATE INDEX IF NOT EXISTS iam_identity_by_folded_name
        ON iam_identity (part, account, kind, name_folded)",
    "CREATE INDEX IF NOT EXISTS iam_identity_by_path
        ON iam_identity (part, account, kind, path, name)",
    "CREATE TABLE IF NOT EXISTS iam_policy (
        part BIGINT NOT NULL,
        account TEXT NOT NULL,
        kind SMALLINT NOT NULL,
        identity_name TEXT NOT NULL,
        inline SMALLINT NOT NULL,
        policy TEXT NOT NULL,
        document TEXT,
        PRIMARY KEY (part, account, kind, identity_name, inline, policy))",
    "CREATE TABLE IF NOT EXISTS iam_usage (
        part BIGINT NOT NULL,
        account TEXT NOT NULL,
        users BIGINT NOT NULL,
        roles BIGINT NOT NULL,
        PRIMARY KEY (part, account))",
    "CREATE INDEX IF NOT EXISTS access_key_by_user
        ON access_key (part, account, user_name, access_key_id)",
    "ALTER TABLE resource_share ADD COLUMN IF NOT EXISTS from_policy SMALLINT",
    "ALTER TABLE resource_share ADD COLUMN IF NOT EXISTS promoted_ms BIGINT",
    "CREATE TABLE IF NOT EXISTS resource_policy (
        part BIGINT NOT NULL,
        owner TEXT NOT NULL,
        region TEXT NOT NULL,
        resource TEXT NOT NULL,
        policy TEXT NOT NULL,
        shares TEXT NOT NULL,
        updated_ms BIGINT NOT NULL,
        PRIMARY KEY (part, owner, region, resource))",
    "CREATE TABLE IF NOT EXISTS association_basis (
        part BIGINT NOT NULL,
        owner TEXT NOT NULL,
        region TEXT NOT NULL,
        share_id BYTEA NOT NULL,
        entity TEXT NOT NULL,
        receiver TEXT NOT NULL,
        PRIMARY KEY (part, owner, region, share_id, entity))",
    "CREATE INDEX IF NOT EXISTS association_basis_by_receiver
        ON association_basis (receiver, part, owner, region, share_id, entity)",
    "CREATE TABLE IF NOT EXISTS organization_tidying (
        part BIGINT NOT NULL,
        management TEXT NOT NULL,
        account TEXT NOT NULL,
        at_ms BIGINT NOT NULL,
        PRIMARY KEY (part, management, account))",
    "CREATE INDEX IF NOT EXISTS organization_tidying_by_time
        ON organization_tidying (at_ms, part, management, account)",
    "ALTER TABLE invitation ADD COLUMN IF NOT EXISTS share_name TEXT",
    "CREATE INDEX IF NOT EXISTS association_by_share_type
        ON association (part, share_id, resource_type) WHERE resource_type IS NOT NULL AND standing = 1",
    "CREATE INDEX IF NOT EXISTS association_invited_by_owner
        ON association (part, owner, region, kind, created_ms, association_id) WHERE standing = 0",
    "CREATE INDEX IF NOT EXISTS association_invited_by_share
        ON association (part, share_id, kind, created_ms, association_id) WHERE standing = 0",
    "CREATE INDEX IF NOT EXISTS association_ended_by_owner
        ON association (part, owner, region, kind, created_ms, association_id) WHERE standing = 2",
    "CREATE INDEX IF NOT EXISTS association_ended_by_share
        ON association (part, share_id, kind, created_ms, association_id) WHERE standing = 2",
    "CREATE TABLE IF NOT EXISTS lease (
        part BIGINT NOT NULL,
        name TEXT NOT NULL,
        holder BYTEA NOT NULL,
        term BIGINT NOT NULL,
        beat BIGINT NOT NULL,
        held SMALLINT NOT NULL,
        PRIMARY KEY (part, name))",
    "CREATE TABLE IF NOT EXISTS lease_fence (
        part BIGINT NOT NULL,
        name TEXT NOT NULL,
        term BIGINT NOT NULL,
        PRIMARY KEY (part, name))",
    "CREATE TABLE IF NOT EXISTS log_floor (
        part BIGINT NOT NULL,
        seq BIGINT NOT NULL,
        PRIMARY KEY (part))",
    "ALTER TABLE share_permission ADD COLUMN IF NOT EXISTS permission_id BYTEA",
    "CREATE TABLE IF NOT EXISTS organization_remains (
        part BIGINT NOT NULL,
        management TEXT NOT NULL,
        generation BIGINT NOT NULL,
        PRIMARY KEY (part, management, generation))",
    "CREATE INDEX IF NOT EXISTS organization_handshake_by_end
        ON organization_handshake (forgotten_ms)",
    "CREATE INDEX IF NOT EXISTS account_creation_by_time
        ON account_creation (requested_ms)",
    "ALTER TABLE log_head ADD COLUMN IF NOT EXISTS told BIGINT",
    "ALTER TABLE log_head ADD COLUMN IF NOT EXISTS callers_seq BIGINT",
    "ALTER TABLE log_head ADD COLUMN IF NOT EXISTS members_seq BIGINT",
    "ALTER TABLE log_head ADD COLUMN IF NOT EXISTS mark BIGINT",
    "ALTER TABLE log_head ADD COLUMN IF NOT EXISTS callers_mark BIGINT",
    "ALTER TABLE log_head ADD COLUMN IF NOT EXISTS members_mark BIGINT",
];

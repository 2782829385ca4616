//! Every quota and bound, with AWS's name for it where AWS has one (reference §9).

/// Resources in one CreateResourceShare or AssociateResourceShare call.
pub const RESOURCES_PER_CALL_MAX: usize = 100;
/// Principals in one call. AWS's own samples send batches of this size.
pub const PRINCIPALS_PER_CALL_MAX: usize = 100;
/// Tags on one resource share.
pub const TAGS_PER_SHARE_MAX: usize = 50;
/// Characters of a tag key.
pub const TAG_KEY_CHARS_MAX: usize = 128;
/// Characters of a tag value.
pub const TAG_VALUE_CHARS_MAX: usize = 256;
/// Characters of a share's name (unknown for AWS; the recommended choice).
pub const SHARE_NAME_CHARS_MAX: usize = 512;
/// Characters of a client token (unknown for AWS; the recommended choice).
pub const CLIENT_TOKEN_CHARS_MAX: usize = 64;
/// How long a client token is remembered (unknown for AWS; the recommended choice).
pub const CLIENT_TOKEN_KEPT_MS: i64 = 24 * 60 * 60 * 1000;
/// How long the id of an SDK's call serves as a client token.
pub const INVOCATION_ID_KEPT_MS: i64 = 10 * 60 * 1000;
/// Characters of such an id that are looked at; a longer one is no id.
pub const INVOCATION_ID_CHARS_MAX: usize = 64;
/// `maxResults` of every list operation.
pub const PAGE_SIZE_MAX: u32 = 500;
/// Page size when the caller names none (unpublished by AWS; the recommended choice).
pub const PAGE_SIZE_DEFAULT: u32 = 500;
/// ARNs in one filter of a list operation. Ours: AWS publishes none.
pub const FILTER_ARNS_MAX: usize = 500;
/// Characters of a `nextToken` that we are willing to look at.
pub const NEXT_TOKEN_CHARS_MAX: usize = 1024;
/// Characters of a principal.
pub const PRINCIPAL_CHARS_MAX: usize = 2048;
/// "OU maximum nesting in a root".
pub const UNIT_DEPTH_MAX: usize = 5;
/// Characters of an organizational unit's name.
pub const UNIT_NAME_CHARS_MAX: usize = 128;
/// "Maximum document size" of a service control policy, in bytes.
pub const SERVICE_CONTROL_POLICY_BYTES_MAX: usize = 5_120;
/// "SCPs attached" to a root, a unit or an account.
pub const POLICIES_PER_TARGET_MAX: usize = 5;
/// Tags on a root, a unit, an account or a policy.
pub const TAGS_PER_ORGANIZATION_RESOURCE_MAX: usize = 50;
/// Items of a page of a list of Organizations.
pub const ORGANIZATION_PAGE_SIZE_MAX: u32 = 20;
/// How long an invitation to an organization waits.
pub const HANDSHAKE_WINDOW_MS: i64 = 15 * 24 * 60 * 60 * 1000;
/// How long AWS shows a handshake after its end.
pub const HANDSHAKE_KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;

//! How long things take and how long they stay visible, as configuration.

use rampart_aws::timestamp::TimestampMs;

use crate::limits::HANDSHAKE_KEPT_MS;

/// One hour in milliseconds.
pub const HOUR_MS: i64 = 60 * 60 * 1000;
/// One day in milliseconds.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// The durations that the visible statuses depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long an association stays ASSOCIATING or DISASSOCIATING, and a share DELETING. AWS takes a second or so;
    /// clients rely on the states, not on the delay (reference §3.3), so the default is none.
    pub settle_delay_ms: i64,
    /// How long a deleted share is shown as DELETED (reference §3.1: two hours).
    pub deleted_share_visible_ms: i64,
    /// How long a deleted permission, or a deleted version of one, is shown as DELETED (reference §3.5: two hours).
    pub deleted_permission_visible_ms: i64,
    /// How long a finished replacement of a permission is shown (reference §3.7, inferred: seven days).
    pub finished_work_visible_ms: i64,
    /// How long an ended association is shown as DISASSOCIATED (reference §3.3, inferred: two hours).
    pub ended_association_visible_ms: i64,
    /// How long a rejected or expired invitation is shown (reference §3.4: seven days).
    pub answered_invitation_visible_ms: i64,
    /// How long an accepted invitation is shown; as long as its association lives when there is no number. AWS forgets
    /// it after seven days, and clients that look for it then wait in vain (clients §2), so the default is none.
    pub accepted_invitation_visible_ms: Option<i64>,
    /// How long a handshake of Organizations is shown after its end (AWS: 30 days).
    pub handshake_visible_ms: i64,
    /// How long the request to create an account is shown (AWS: 90 days).
    pub account_creation_visible_ms: i64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            settle_delay_ms: 0,
            deleted_share_visible_ms: 2 * HOUR_MS,
            deleted_permission_visible_ms: 2 * HOUR_MS,
            finished_work_visible_ms: 7 * DAY_MS,
            ended_association_visible_ms: 2 * HOUR_MS,
            answered_invitation_visible_ms: 7 * DAY_MS,
            accepted_invitation_visible_ms: None,
            handshake_visible_ms: HANDSHAKE_KEPT_MS,
            account_creation_visible_ms: 90 * DAY_MS,
        }
    }
}

/// `at` moved by `ms`, never past the ends of time.
pub(crate) fn after(at: TimestampMs, ms: i64) -> TimestampMs {
    TimestampMs(at.0.saturating_add(ms))
}

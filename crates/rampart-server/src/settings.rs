//! What a server is told when it starts.

use std::time::Duration;

use rampart_core::iam::IamQuotas;
use rampart_core::timing::DAY_MS;
use rampart_core::{AccountId, Quotas, Timing};

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMode {
    /// Anybody on this machine: a 12-digit access key id is the account. For rehearsal; loopback only.
    Open,
    /// Only who signs with a key that the store knows.
    Strict,
}

impl AuthMode {
    /// The word for it on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Strict => "strict",
        }
    }
}

/// What operations need to know.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Who may call.
    pub auth: AuthMode,
    /// The account of callers in open mode whose key says nothing.
    pub default_account: AccountId,
    /// Delays and retentions.
    pub timing: Timing,
    /// What an owner and an organization may have.
    pub quotas: Quotas,
    /// What an account may have of IAM.
    pub iam_quotas: IamQuotas,
    /// Whether an invited account may leave a share whatever it holds. AWS allows it for 14 types (reference §5.5).
    pub leave_any_type: bool,
    /// Open mode: every list begins with an empty page and a token, as AWS's sometimes do (reference §2.3), so that
    /// clients can be tested against it.
    pub empty_pages: bool,
    /// How long recorded events are kept.
    pub event_kept_ms: i64,
    /// How long the change log is kept: so far may a follower be behind without beginning anew.
    pub change_log_kept_ms: i64,
    /// Bounds of the edge.
    pub limits: EdgeLimits,
}

impl Settings {
    /// AWS's defaults, for callers let in by `auth`.
    pub fn new(auth: AuthMode, default_account: AccountId) -> Self {
        Self {
            auth,
            default_account,
            timing: Timing::default(),
            quotas: Quotas::default(),
            iam_quotas: IamQuotas::default(),
            leave_any_type: false,
            empty_pages: false,
            event_kept_ms: 7 * DAY_MS,
            change_log_kept_ms: DAY_MS,
            limits: EdgeLimits::default(),
        }
    }
}

/// What a stranger can use of the server.
#[derive(Clone, Copy, Debug)]
pub struct EdgeLimits {
    /// Connections at once. More wait in the system's backlog.
    pub connections_max: usize,
    /// Bytes of a request's body.
    pub body_bytes_max: usize,
    /// Bytes of all requests' bodies that are in memory at once. More wait, and are refused if it takes long.
    pub buffered_bytes_max: usize,
    /// Bytes of a request's head.
    pub head_bytes_max: usize,
    /// How long a request's head may take.
    pub head_timeout: Duration,
    /// How long a request's body may take.
    pub body_timeout: Duration,
    /// How long a connection without a request is kept.
    pub idle_timeout: Duration,
    /// Requests at once on one HTTP/2 connection.
    pub streams_max: u32,
    /// How long requests in flight may take to finish when the server stops.
    pub drain_timeout: Duration,
}

impl Default for EdgeLimits {
    fn default() -> Self {
        Self {
            connections_max: 4096,
            body_bytes_max: 1024 * 1024,
            buffered_bytes_max: 256 * 1024 * 1024,
            head_bytes_max: 64 * 1024,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(90),
            streams_max: 128,
            drain_timeout: Duration::from_secs(20),
        }
    }
}

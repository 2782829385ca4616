//! What every request shares, and what is known of one call.

use std::net::IpAddr;
use std::sync::Arc;

use rampart_core::catalog::Catalog;
use rampart_core::organization::Membership;
use rampart_core::{AccountId, Region, ShareArn, TimestampMs, Timing};
use rampart_store::{MasterKey, Reader, Store, StoreError};
use tokio::sync::Notify;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::health::Health;
use crate::identity::{Caller, KeyRing};
use crate::operations::Operation;
use crate::{Clock, Entropy, Metrics, Settings};

/// The server without its sockets.
pub struct App {
    pub(crate) store: Store,
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) catalog: &'static Catalog,
    pub(crate) keys: KeyRing,
    /// Told when there is something to do in the background that should not wait for the next round.
    pub(crate) work_waits: Notify,
    pub(crate) metrics: Metrics,
    pub(crate) health: Health,
}

impl App {
    /// A server on `store` with the catalog that comes with rampart. Without a master key no registered key can sign.
    pub fn new(
        store: Store,
        settings: Settings,
        master_key: Option<MasterKey>,
        entropy: Entropy,
    ) -> Arc<Self> {
        Self::with_catalog(store, settings, master_key, entropy, Catalog::embedded())
    }

    /// The same with another catalog, which lives as long as the process.
    pub fn with_catalog(
        store: Store,
        settings: Settings,
        master_key: Option<MasterKey>,
        entropy: Entropy,
        catalog: &'static Catalog,
    ) -> Arc<Self> {
        let keys = KeyRing::new(master_key, &store, settings.auth);
        Arc::new(Self {
            metrics: Metrics::new(&store),
            health: Health::default(),
            store,
            settings,
            clock: Clock::default(),
            entropy,
            catalog,
            keys,
            work_waits: Notify::new(),
        })
    }

    /// The server's time, for tests that move it.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What is counted and measured while it serves.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub(crate) fn timing(&self) -> &Timing {
        &self.settings.timing
    }
}

impl Call {
    /// What the caller's account is in an organization, at one moment for all that a call reads: one read at the most.
    pub(crate) async fn membership(&self, reader: &Reader) -> Result<Option<&Membership>, StoreError> {
        let membership = self.membership.get_or_try_init(|| reader.membership(self.account)).await?;
        Ok(membership.as_ref())
    }

    /// Whether a share of that ARN can be the caller's, here.
    pub(crate) fn owns(&self, share: ShareArn) -> bool {
        share.owner == self.account && share.region == self.region
    }
}

/// Who calls what, and when.
#[derive(Clone)]
pub(crate) struct Call {
    /// The caller's account.
    pub(crate) account: AccountId,
    /// The caller itself.
    pub(crate) caller: Arc<Caller>,
    /// The Region that the call was signed for.
    pub(crate) region: Region,
    /// The operation.
    pub(crate) operation: &'static Operation,
    /// The id that an SDK gives all attempts of one call, when it was signed.
    pub(crate) invocation_id: Option<String>,
    /// Where the request came from; unknown when the connection broke off.
    pub(crate) source_ip: Option<IpAddr>,
    /// What the client calls itself.
    pub(crate) user_agent: Option<String>,
    /// Names the request in the log and in the answer.
    pub(crate) request_id: Uuid,
    /// What the caller's account is in an organization, once it was asked for.
    pub(crate) membership: Arc<OnceCell<Option<Membership>>>,
    /// The server's time when the call arrived: one moment for all its decisions.
    pub(crate) now: TimestampMs,
}

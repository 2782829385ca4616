//! Whether this server can serve, for whoever sends it requests: an orchestrator, a load balancer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rampart_store::{Store, StoreError};
use tokio::sync::Mutex;
use tokio::time::{Instant as TokioInstant, MissedTickBehavior, interval_at, timeout};

use crate::app::App;

/// How long the store may take to answer. Below the patience of those who ask.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// For how long an answer holds: strangers may ask as often as they like, the store is asked no more often than this.
const GOOD_FOR: Duration = Duration::from_millis(500);

/// How often is looked whether a store that was gone is back.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What was last found out.
#[derive(Default)]
pub(crate) struct Health {
    last: Mutex<Option<Last>>,
    stopping: AtomicBool,
    /// Whether a request found the store gone, and it is not known to be back.
    gone: AtomicBool,
    /// Whether one did since that was looked at last.
    missed: AtomicBool,
}

struct Last {
    at: Instant,
    outcome: Result<(), NotReady>,
}

/// Why a server should not be sent requests.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum NotReady {
    /// It was told to stop.
    #[error("the server is stopping")]
    Stopping,
    /// The store does not answer in time.
    #[error("the store did not answer within {} s", ANSWER_MAX.as_secs())]
    Silent,
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl NotReady {
    /// What is said to anybody: nothing of where the store is.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Stopping => "stopping",
            Self::Store(StoreError::Outdated { .. }) => "migrations-pending",
            Self::Store(StoreError::TooNew { .. }) => "newer-rampart-needed",
            Self::Silent | Self::Store(_) => "store-unavailable",
        }
    }
}

impl Health {
    /// A request found the store gone: says so once, and once more when it is back, for those whom nobody probes.
    pub(crate) fn missed_store(app: &Arc<App>, error: &StoreError) {
        app.health.missed.store(true, Ordering::Relaxed);
        if !app.health.gone.swap(true, Ordering::Relaxed) {
            tracing::warn!(%error, "requests fail: the store is gone");
            tokio::spawn(await_store(Arc::clone(app)));
        }
    }

    /// From now on the server wants no more requests.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether `store` can be reached in time, and has the tables that this build needs. Who asks while somebody else
    /// does waits for that answer.
    pub(crate) async fn check(&self, store: &Store) -> Result<(), NotReady> {
        if self.stopping.load(Ordering::Relaxed) {
            return Err(NotReady::Stopping);
        }
        let mut last = self.last.lock().await;
        if let Some(last) = last.as_ref().filter(|last| last.at.elapsed() < GOOD_FOR) {
            return last.outcome.clone();
        }
        let outcome = match timeout(ANSWER_MAX, store.check()).await {
            Ok(outcome) => outcome.map_err(NotReady::from),
            Err(_) => Err(NotReady::Silent),
        };
        let was_ready = last.as_ref().is_none_or(|last| last.outcome.is_ok());
        match &outcome {
            // What a request found out is said already.
            _ if self.gone.load(Ordering::Relaxed) => {}
            Err(error) if was_ready => tracing::warn!(%error, "not ready"),
            Ok(()) if !was_ready => tracing::info!("ready again"),
            _ => {}
        }
        *last = Some(Last { at: Instant::now(), outcome: outcome.clone() });
        outcome
    }
}

/// Looks until the store answers and no request finds it gone any more: a full disk can still be read.
async fn await_store(app: Arc<App>) {
    let health = &app.health;
    let mut looks = interval_at(TokioInstant::now() + LOOK_EVERY, LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        if health.missed.swap(false, Ordering::Relaxed) {
            continue;
        }
        match health.check(&app.store).await {
            Ok(()) => break tracing::info!("the store is back"),
            Err(NotReady::Stopping) => break,
            Err(_) => {}
        }
    }
    health.gone.store(false, Ordering::Relaxed);
}

//! The server's time. In open mode it can be moved, so that a test can let an invitation expire.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rampart_core::TimestampMs;

/// Real time plus an offset, unless it is held. Signatures are always checked against the real time.
#[derive(Debug, Default)]
pub struct Clock {
    offset_ms: AtomicI64,
    /// Where it stands still; zero while it runs.
    held_ms: AtomicI64,
}

impl Clock {
    /// What operations take as now.
    pub fn now(&self) -> TimestampMs {
        match self.held_ms.load(Ordering::Relaxed) {
            0 => Self::real().saturating_add_ms(self.offset_ms.load(Ordering::Relaxed)),
            held => TimestampMs(held),
        }
    }

    /// Stands still from now on, until it is reset: a test that moves it then knows the time to the millisecond.
    pub fn hold(&self) {
        self.held_ms.store(self.now().0, Ordering::Relaxed);
    }

    /// The machine's time.
    #[expect(clippy::disallowed_methods, reason = "the one place where the server reads the wall clock")]
    pub fn real() -> TimestampMs {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        TimestampMs(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    /// Lets it be `now`; time runs on from there, unless it is held.
    pub fn set(&self, now: TimestampMs) {
        self.offset_ms.store(now.0.saturating_sub(Self::real().0), Ordering::Relaxed);
        self.move_held(|_| now.0);
    }

    /// Moves it forward.
    pub fn advance(&self, ms: i64) {
        let moved = |offset: i64| Some(offset.saturating_add(ms));
        // The closure never gives up, so neither does the update.
        let _ = self.offset_ms.fetch_update(Ordering::Relaxed, Ordering::Relaxed, moved);
        self.move_held(|held| held.saturating_add(ms));
    }

    /// Back to real time.
    pub fn reset(&self) {
        self.offset_ms.store(0, Ordering::Relaxed);
        self.held_ms.store(0, Ordering::Relaxed);
    }

    fn move_held(&self, to: impl Fn(i64) -> i64) {
        let moved = |held: i64| (held != 0).then(|| to(held));
        // Gives up only while it runs.
        let _ = self.held_ms.fetch_update(Ordering::Relaxed, Ordering::Relaxed, moved);
    }
}

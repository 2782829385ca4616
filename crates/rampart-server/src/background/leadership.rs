//! Which of several nodes does the background work: the one that holds a lease.

use std::time::Duration;

use rampart_store::{Abort, BACKGROUND, Fence};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use uuid::Uuid;

use crate::app::App;

/// How often its holder renews it.
const BEAT: Duration = Duration::from_secs(1);
/// How often the others look at it.
const LOOK: Duration = Duration::from_millis(500);
/// How long it lasts when it is not renewed. With a look before and after, another node takes over within five seconds: what
/// a frozen holder left open, the server ends before that, and to take it is one small transaction.
const LASTS: Duration = Duration::from_secs(3);

/// Waits until no other node holds the lease, and takes it.
pub(super) async fn gain(app: &App) -> Fence {
    let holder = app.entropy.uuid();
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The lease as it was last seen to change, and when that was by this node's clock.
    let mut seen = None;
    loop {
        looks.tick().await;
        match look(app, holder, &mut seen).await {
            Ok(Some(fence)) => return fence,
            Ok(None) => {}
            Err(error) => tracing::debug!(%error, "the lease of background work cannot be looked at"),
        }
    }
}

async fn look(
    app: &App,
    holder: Uuid,
    seen: &mut Option<(rampart_store::Lease, Instant)>,
) -> Result<Option<Fence>, Abort> {
    let Some(lease) = app.store.reader().await?.lease(BACKGROUND).await? else {
        return app.store.take_lease(BACKGROUND, holder, None).await;
    };
    let since = match *seen {
        Some((before, since)) if before == lease => since,
        _ => Instant::now(),
    };
    *seen = Some((lease, since));
    // Its own is what it took and was not told of.
    if lease.held && lease.holder != holder && since.elapsed() < LASTS {
        return Ok(None);
    }
    app.store.take_lease(BACKGROUND, holder, Some(lease)).await
}

/// Renews the lease; returns when it is another's, or may be.
pub(super) async fn keep(app: &App, fence: Fence) {
    let mut beats = interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut renewed = Instant::now();
    loop {
        beats.tick().await;
        let begun = Instant::now();
        match timeout(LASTS, app.store.renew_lease(fence)).await {
            Ok(Ok(true)) => renewed = begun,
            Ok(Ok(false)) => return,
            Ok(Err(error)) => tracing::debug!(%error, "the lease of background work was not renewed"),
            Err(_) => tracing::debug!("the lease of background work was not renewed in time"),
        }
        if renewed.elapsed() > LASTS {
            return;
        }
    }
}

/// Lets another node take over at once.
pub(super) async fn give_back(app: &App, fence: Fence) {
    if let Err(error) = app.store.release_lease(fence).await {
        tracing::debug!(%error, "the lease of background work was not given back");
    }
}

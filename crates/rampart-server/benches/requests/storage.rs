//! The storage layer without HTTP, signatures and decisions: what the creates could reach if all of that were free.

use std::time::{Duration, Instant};

use rampart_server::Clock;
use rampart_store::Store;
use rampart_testkit::load::accounts::{Apply, fresh_account};
use rampart_testkit::load::rows::Owner;
use rampart_testkit::load::{Seen, Window};
use tokio::task::JoinSet;

use crate::options::Place;

/// As many writers, each with one write in flight: the rows of CreateResourceShare, committed in groups.
pub(crate) async fn alone(place: &Place, writers: usize, duration: Duration) -> anyhow::Result<Seen> {
    let (store, _) = Store::open(&place.location, Place::options()).await?;
    let window = Window::of(duration);
    let mut tasks = JoinSet::new();
    for _ in 0..writers {
        tasks.spawn(writer(store.clone(), window));
    }
    let seen = tasks.join_all().await.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    store.close().await;
    Ok(Seen::join(seen))
}

async fn writer(store: Store, window: Window) -> anyhow::Result<Seen> {
    let account = fresh_account()?;
    let (mut owner, part) = (Owner::new(account)?, store.partition_of(account));
    let mut seen = Seen::default();
    while !window.is_over() {
        let rows = owner.create_share(Clock::real())?;
        let sent = Instant::now();
        store.write(part, Apply(rows)).await?;
        seen.note(window, sent);
    }
    Ok(seen)
}

//! Random sequences of calls by several accounts, run against the server and against a reference model that is plain
//! enough to be checked by reading: every answer and every later read must agree, on both stores.
//!
//! The seed is printed. `RAMPART_TEST_SEED` repeats a run, `RAMPART_MODEL_CASES` sets the number of sequences
//! (`cargo xtask test model --cases N`). Where server and model part, the shortest sequence that shows it is printed.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod accounts;
mod attached;
mod catalog;
mod control_policies;
mod coverage;
mod filling;
mod handshake;
mod invitation;
mod lists;
mod names;
mod operation;
mod organization;
mod permission;
mod policies;
mod policy_shares;
mod races;
mod reads;
mod sequence;
mod share;
mod shrink;
mod steps;
mod tokens;
mod works;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rampart_core::{Quotas, Timing};
use rampart_server::Settings;
use rampart_testkit::dice::Dice;
use rampart_testkit::server::settings;
use rampart_testkit::{StoreKind, TestServer};

use crate::catalog::LIMITS;
use crate::sequence::Tally;

/// Sequences on SQLite; on PostgreSQL, where each read waits for another process, an eighth of them.
const CASES: u64 = 2000;
const STEPS: usize = 40;
/// Servers, each with a store of its own, that run sequences at the same time.
const SERVERS: u64 = 4;
const SEED: u64 = 20_261_122;
/// How long what was decided takes to take effect, on servers where it does.
const SETTLE_MS: i64 = 90_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_agrees_with_the_model() {
    run(StoreKind::Sqlite, cases()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_agrees_with_the_model() {
    run(StoreKind::Postgres, cases() / 8).await;
}

#[expect(clippy::disallowed_methods, reason = "how much is run is said from outside")]
fn cases() -> u64 {
    std::env::var("RAMPART_MODEL_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES)
}

async fn run(kind: StoreKind, cases: u64) {
    let mut dice = Dice::from_environment(SEED);
    let seeds: Arc<Vec<u64>> = Arc::new((0..cases.max(1)).map(|_| dice.roll()).collect());
    let stop = Arc::new(AtomicBool::new(false));
    let began = std::time::Instant::now();
    let workers: Vec<_> = (0..SERVERS)
        .map(|first| tokio::spawn(work(kind, Arc::clone(&seeds), first, Arc::clone(&stop))))
        .collect();
    let mut tally = Tally::new();
    for worker in workers {
        let (found, difference) = worker.await.unwrap();
        for (outcome, count) in found {
            *tally.entry(outcome).or_default() += count;
        }
        if let Some(text) = difference {
            panic!("{text}");
        }
    }
    eprintln!("{kind:?}: {} sequences in {:?}: {tally:#?}", seeds.len(), began.elapsed());
}

/// Runs every so-manieth sequence on a server of its own.
async fn work(
    kind: StoreKind,
    seeds: Arc<Vec<u64>>,
    first: u64,
    stop: Arc<AtomicBool>,
) -> (Tally, Option<String>) {
    // Every other server takes its time.
    let settle = if first.is_multiple_of(2) { 0 } else { SETTLE_MS };
    let timing = Timing { settle_delay_ms: settle, ..Timing::default() };
    let server = TestServer::start(kind, Settings { timing, ..small() }).await;
    server.app().clock().hold();
    let mut tally = Tally::new();
    let mine = (1..).zip(seeds.iter()).skip(usize::try_from(first).unwrap());
    for (id, seed) in mine.step_by(usize::try_from(SERVERS).unwrap()) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        if let Err(found) = sequence::choose(&server, settle, id, *seed, STEPS, &mut tally).await {
            stop.store(true, Ordering::Relaxed);
            let shortest = shrink::shrink(&server, settle, *seed, found).await;
            return (tally, Some(format!("on {kind:?}, sequence {id}:\n{shortest}")));
        }
    }
    (tally, None)
}

/// Quotas that a short sequence meets.
fn small() -> Settings {
    let limit = |count: usize| u32::try_from(count).unwrap();
    let quotas = Quotas {
        resource_shares: limit(LIMITS.shares),
        resources_per_share: limit(LIMITS.resources_per_share),
        principals_per_share: limit(LIMITS.principals_per_share),
        resource_associations: limit(LIMITS.resources),
        principal_associations: limit(LIMITS.principals),
        pending_invitations: limit(LIMITS.pending_invitations),
        organization_accounts: limit(LIMITS.accounts),
        customer_permissions_per_type: limit(permission::OF_TYPE_MAX),
        versions_per_permission: limit(permission::VERSIONS_MAX),
        ..Quotas::default()
    };
    Settings { quotas, ..settings() }
}

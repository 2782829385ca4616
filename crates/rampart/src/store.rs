//! Opening the store that the configuration names, now or when it is there.

use std::time::{Duration, Instant};

use anyhow::Context;
use rampart_store::{Location, Migrated, Store, StoreError};

use crate::config::Config;

/// The first pause between two tries; it doubles, up to the longest.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_LONGEST: Duration = Duration::from_secs(2);

/// Opens the store, which must be there.
pub(crate) async fn open(config: &Config) -> anyhow::Result<Store> {
    let (store, _) =
        try_open(config).await.with_context(|| format!("cannot open the store {}", config.store))?;
    Ok(store)
}

/// Opens the store once it can be reached. What waiting does not mend is an error at once: a wrong password, tables of a
/// newer build.
pub(crate) async fn wait_and_open(config: &Config) -> anyhow::Result<(Store, Migrated)> {
    let (began, mut pause) = (Instant::now(), PAUSE_FIRST);
    loop {
        let error = match try_open(config).await {
            Ok(opened) => {
                if pause != PAUSE_FIRST {
                    tracing::info!(waited_s = began.elapsed().as_secs_f32(), "the store is there");
                }
                return Ok(opened);
            }
            Err(error) => error,
        };
        let may_come = matches!(config.store, Location::Postgres(_))
            && matches!(error, StoreError::Unavailable { .. } | StoreError::Conflict { .. });
        let left = config.wait_for_store.saturating_sub(began.elapsed());
        if !may_come || left.is_zero() {
            let waited = if may_come && !config.wait_for_store.is_zero() {
                format!(" after waiting for it {} s (--wait-for-store)", config.wait_for_store.as_secs_f32())
            } else {
                String::new()
            };
            return Err(error).with_context(|| format!("cannot open the store {}{waited}", config.store));
        }
        if pause == PAUSE_FIRST {
            let (store, most_s) = (&config.store, left.as_secs_f32().ceil());
            tracing::warn!(%store, %error, most_s, "waiting for the store (--wait-for-store)");
        }
        wait(pause.min(left)).await;
        pause = (pause * 2).min(PAUSE_LONGEST);
    }
}

async fn try_open(config: &Config) -> Result<(Store, Migrated), StoreError> {
    let opened = Store::open(&config.store, config.store_options.clone()).await?;
    if opened.0.is_half_imported().await? {
        let reason = "an import into it is under way, or was broken off: wait for it, or drop the database (delete the file) and import into a new one".to_owned();
        return Err(StoreError::Unusable { reason });
    }
    Ok(opened)
}

/// Opens a store to import into, which may hold what an import that was broken off left.
pub(crate) async fn open_for_import(config: &Config) -> anyhow::Result<Store> {
    let opened = Store::open(&config.store, config.store_options.clone()).await;
    let (store, _) = opened.with_context(|| format!("cannot open the store {}", config.store))?;
    Ok(store)
}

#[expect(clippy::disallowed_methods, reason = "no event tells when a server can be reached: back off")]
async fn wait(pause: Duration) {
    tokio::time::sleep(pause).await;
}

//! Where the master key comes from: the environment, a file that is named, or a file beside an SQLite store. And whether
//! it is the one that the store's secrets are sealed under.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rampart_store::{Location, MasterKey, Store};

use crate::config::Config;

const VARIABLE: &str = "RAMPART_MASTER_KEY";

/// The name of the store's check value: this text, sealed under the master key that seals all else in that store.
const CHECK: &str = "master_key_check";
const CHECK_TEXT: &str = "rampart";

/// The master key of a server in open mode. It does without where there is none: beside a PostgreSQL store, or when
/// the one that the store was made with is gone.
pub(crate) async fn find(config: &Config, store: &Store) -> anyhow::Result<Option<MasterKey>> {
    match read(config)? {
        Some(key) => settle(config, store, key).await.map(Some),
        None if matches!(config.store, Location::Postgres(_)) => Ok(None),
        None if is_settled(store).await? => {
            tracing::warn!("{}", missing(config));
            Ok(None)
        }
        None => make(config, store).await.map(Some),
    }
}

/// The master key; made now beside an SQLite store that never had one.
pub(crate) async fn find_or_make(config: &Config, store: &Store) -> anyhow::Result<MasterKey> {
    match read(config)? {
        Some(key) => settle(config, store, key).await,
        None if is_settled(store).await? => bail!(missing(config)),
        None => make(config, store).await,
    }
}

fn read(config: &Config) -> anyhow::Result<Option<MasterKey>> {
    if let Some(text) = from_environment() {
        return Ok(Some(MasterKey::parse(&text).with_context(|| format!("{VARIABLE} cannot be used"))?));
    }
    let Some(path) = file_of(config) else { return Ok(None) };
    match fs::read_to_string(&path) {
        Ok(text) => {
            Ok(Some(MasterKey::parse(&text).with_context(|| format!("{} cannot be used", path.display()))?))
        }
        Err(error) if error.kind() == ErrorKind::NotFound && config.master_key_file.is_none() => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read the master key {}", path.display())),
    }
}

async fn make(config: &Config, store: &Store) -> anyhow::Result<MasterKey> {
    let path = file_of(config).with_context(|| {
        format!(
            "access keys are sealed under a master key, and there is none: put 32 random bytes in base64 into \
             {VARIABLE} (openssl rand -base64 32), the same for every server on this store"
        )
    })?;
    let key = MasterKey::generate();
    let key = match write_private(&path, &key) {
        Ok(()) => key,
        // Another command made it at the same moment.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            read(config)?.context("the master key vanished")?
        }
        Err(error) => {
            return Err(error).with_context(|| format!("cannot write the master key {}", path.display()));
        }
    };
    settle(config, store, key).await
}

async fn is_settled(store: &Store) -> anyhow::Result<bool> {
    Ok(store.reader().await?.meta(CHECK).await?.is_some())
}

/// Holds the key against the store's check value. The first key that a store meets settles that.
async fn settle(config: &Config, store: &Store, key: MasterKey) -> anyhow::Result<MasterKey> {
    let settled = store.reader().await?.meta(CHECK).await?;
    let sealed = match settled {
        Some(sealed) => sealed,
        None => store.settle_meta(CHECK, key.seal(CHECK_TEXT, CHECK)).await?,
    };
    key.open(&sealed, CHECK).with_context(|| {
        format!(
            "the master key {} is not the one that seals the access keys in {}: give the right one",
            source(config),
            config.store
        )
    })?;
    Ok(key)
}

fn missing(config: &Config) -> String {
    let place = file_of(config).map_or_else(String::new, |path| format!("back to {} or ", path.display()));
    format!(
        "the access keys in {} are sealed under a master key that is not there: put it {place}into {VARIABLE}",
        config.store
    )
}

fn source(config: &Config) -> String {
    match file_of(config) {
        Some(path) if from_environment().is_none() => path.display().to_string(),
        _ => format!("in {VARIABLE}"),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a secret does not belong on a command line, where clap would take it"
)]
fn from_environment() -> Option<String> {
    std::env::var(VARIABLE).ok().filter(|text| !text.trim().is_empty())
}

fn file_of(config: &Config) -> Option<PathBuf> {
    match (&config.master_key_file, &config.store) {
        (Some(path), _) => Some(path.clone()),
        (None, Location::Sqlite(path)) => {
            let mut name = path.clone().into_os_string();
            name.push(".key");
            Some(PathBuf::from(name))
        }
        (None, Location::Postgres(_)) => None,
    }
}

/// Written whole under another name first: a reader never sees half a key.
fn write_private(path: &Path, key: &MasterKey) -> std::io::Result<()> {
    let mut draft = path.to_owned().into_os_string();
    draft.push(format!(".{}", std::process::id()));
    let draft = PathBuf::from(draft);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(key.to_base64().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    // A link, unlike a rename, does not replace a key that came first.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    linked
}

//! Where the master key comes from: the environment, a file that is named, or a file beside an SQLite store.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rampart_store::{Location, MasterKey};

use crate::config::Config;

const VARIABLE: &str = "RAMPART_MASTER_KEY";

/// The master key, if there is one. A server in open mode does without.
pub(crate) fn find(config: &Config) -> anyhow::Result<Option<MasterKey>> {
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

/// The master key; made now beside an SQLite store that has none.
pub(crate) fn find_or_make(config: &Config) -> anyhow::Result<MasterKey> {
    if let Some(key) = find(config)? {
        return Ok(key);
    }
    let path = file_of(config).with_context(|| {
        format!(
            "access keys are sealed under a master key, and there is none: put 32 random bytes in base64 into \
             {VARIABLE} (openssl rand -base64 32), the same for every server on this store"
        )
    })?;
    let key = MasterKey::generate();
    match write_private(&path, &key) {
        Ok(()) => Ok(key),
        // Another command made it at the same moment.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            find(config)?.context("the master key vanished")
        }
        Err(error) => Err(error).with_context(|| format!("cannot write the master key {}", path.display())),
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

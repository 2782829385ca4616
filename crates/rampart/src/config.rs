//! The settings in force: the command line, else the environment, else the file, else the default.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use rampart_core::timing::DAY_MS;
use rampart_core::{AccountId, Quotas, Timing};
use rampart_server::settings::EdgeLimits;
use rampart_server::{AuthMode, Settings};
use rampart_store::{Location, Options as StoreOptions, Partitions};
use serde::{Deserialize, Serialize};

use crate::cli::{Auth, LogFormat, Options};

/// What a server and the key commands go by.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) store: Location,
    pub(crate) auth: Auth,
    pub(crate) default_account: AccountId,
    pub(crate) settle_delay: Duration,
    pub(crate) log: LogFormat,
    pub(crate) log_level: String,
    pub(crate) master_key_file: Option<PathBuf>,
    pub(crate) store_options: StoreOptions,
}

/// The file's form, and the form in which settings are printed.
#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct SettingsFile {
    listen: Option<SocketAddr>,
    store: Option<String>,
    auth: Option<Auth>,
    default_account: Option<AccountId>,
    settle_delay: Option<String>,
    log: Option<LogFormat>,
    log_level: Option<String>,
    master_key_file: Option<PathBuf>,
    store_connections: Option<usize>,
    store_partitions: Option<i64>,
}

impl Config {
    /// Puts the sources together. `options` holds the command line and the environment.
    pub(crate) fn load(options: &Options) -> anyhow::Result<Self> {
        let file = match &options.config {
            None => SettingsFile::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                toml::from_str(&text)
                    .with_context(|| format!("{} is not a valid configuration", path.display()))?
            }
        };
        Self::merge(options, file)
    }

    fn merge(options: &Options, file: SettingsFile) -> anyhow::Result<Self> {
        let store = options.store.clone().or(file.store).unwrap_or_else(|| "sqlite:./rampart.db".to_owned());
        let delay = options.settle_delay.clone().or(file.settle_delay).unwrap_or_else(|| "0s".to_owned());
        let partitions = options.store_partitions.or(file.store_partitions);
        let partitions = partitions.unwrap_or(Partitions::POSTGRES_DEFAULT.count());
        let connections = options.store_connections.or(file.store_connections).unwrap_or(16);
        if !(1..=1000).contains(&connections) {
            bail!("store-connections is between 1 and 1000, not {connections}");
        }
        let partitions = Partitions::new(partitions).with_context(|| {
            format!("store-partitions is between 1 and {}, not {partitions}", Partitions::MAX)
        })?;
        Ok(Self {
            listen: options.listen.or(file.listen).unwrap_or(SocketAddr::from(([127, 0, 0, 1], 7266))),
            store: store.parse()?,
            auth: options.auth.or(file.auth).unwrap_or(Auth::Open),
            default_account: match options.default_account.or(file.default_account) {
                Some(account) => account,
                None => "123456789012".parse().context("the default account")?,
            },
            settle_delay: parse_delay(&delay)?,
            log: options.log.or(file.log).unwrap_or(LogFormat::Text),
            log_level: options.log_level.clone().or(file.log_level).unwrap_or_else(|| "info".to_owned()),
            master_key_file: options.master_key_file.clone().or(file.master_key_file),
            store_options: StoreOptions { partitions, connections_max: connections },
        })
    }

    /// What the server is told.
    pub(crate) fn settings(&self) -> Settings {
        let settle_delay_ms = i64::try_from(self.settle_delay.as_millis()).unwrap_or(i64::MAX);
        Settings {
            auth: match self.auth {
                Auth::Open => AuthMode::Open,
                Auth::Strict => AuthMode::Strict,
            },
            default_account: self.default_account,
            timing: Timing { settle_delay_ms, ..Timing::default() },
            quotas: Quotas::default(),
            leave_any_type: false,
            empty_pages: false,
            event_kept_ms: 7 * DAY_MS,
            limits: EdgeLimits::default(),
        }
    }

    /// Prints the settings as the file that would give them, with the passwords left out.
    pub(crate) fn print(&self) -> anyhow::Result<()> {
        let file = SettingsFile {
            listen: Some(self.listen),
            store: Some(self.store.to_string()),
            auth: Some(self.auth),
            default_account: Some(self.default_account),
            settle_delay: Some(format!("{}ms", self.settle_delay.as_millis())),
            log: Some(self.log),
            log_level: Some(self.log_level.clone()),
            master_key_file: self.master_key_file.clone(),
            store_connections: Some(self.store_options.connections_max),
            store_partitions: Some(self.store_options.partitions.count()),
        };
        crate::output::text(&toml::to_string(&file)?)
    }
}

/// `0s`, `500ms`, `2s`, `1m`, or ISO 8601; an hour at the most: a delay is for rehearsal.
fn parse_delay(text: &str) -> anyhow::Result<Duration> {
    const LONGEST: Duration = Duration::from_hours(1);
    let delay: jiff::SignedDuration = text
        .parse()
        .with_context(|| format!("settle-delay is written like 0s, 500ms or 2s, not '{text}'"))?;
    let delay = Duration::try_from(delay).ok().filter(|delay| *delay <= LONGEST);
    delay.with_context(|| format!("settle-delay is between 0s and 1h, not '{text}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_beats_the_file_and_the_file_beats_the_default() {
        let file = "store = 'sqlite:a.db'\nauth = 'strict'\nsettle-delay = '500ms'";
        let options = Options { store: Some("sqlite:b.db".to_owned()), ..Options::default() };
        let config = Config::merge(&options, toml::from_str(file).unwrap()).unwrap();
        assert_eq!(config.store.to_string(), "sqlite:b.db");
        assert_eq!(config.auth, Auth::Strict);
        assert_eq!(config.settle_delay, Duration::from_millis(500));
        assert_eq!(config.listen.port(), 7266);
    }

    #[test]
    fn an_unknown_key_in_the_file_is_an_error() {
        let error = toml::from_str::<SettingsFile>("lisen = '127.0.0.1:1'").map(drop).unwrap_err();
        assert!(error.to_string().contains("lisen"), "{error}");
    }

    #[test]
    fn values_out_of_range_are_errors() {
        for file in
            ["settle-delay = 'soon'", "settle-delay = '2h'", "settle-delay = '-1s'", "store-partitions = 0"]
        {
            assert!(Config::merge(&Options::default(), toml::from_str(file).unwrap()).is_err(), "{file}");
        }
    }
}

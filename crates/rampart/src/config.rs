//! The settings in force: the command line, else the environment, else the file, else the default.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use rampart_core::catalog::Catalog;
use rampart_core::iam::IamQuotas;
use rampart_core::{AccountId, Quotas, Timing};
use rampart_server::edge::TlsFiles;
use rampart_server::{AuthMode, Settings};
use rampart_store::{Location, Options as StoreOptions, Partitions};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cli::{Auth, LogFormat, Options};
use crate::telemetry;

/// What a server and the key commands go by.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) admin_listen: Option<SocketAddr>,
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) store: Location,
    pub(crate) auth: Auth,
    pub(crate) default_account: AccountId,
    pub(crate) settle_delay: Duration,
    pub(crate) log: LogFormat,
    pub(crate) log_level: String,
    pub(crate) otlp_endpoint: Option<String>,
    pub(crate) otlp_ca: Option<PathBuf>,
    pub(crate) master_key_file: Option<PathBuf>,
    pub(crate) catalog: Option<PathBuf>,
    pub(crate) store_options: StoreOptions,
    pub(crate) wait_for_store: Duration,
    pub(crate) leave_any_type: bool,
    pub(crate) empty_pages: bool,
    pub(crate) retention: Retention,
    pub(crate) quotas: Quotas,
    pub(crate) iam_quotas: IamQuotas,
}

/// The file's form, and the form in which settings are printed.
#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct SettingsFile {
    listen: Option<SocketAddr>,
    admin_listen: Option<SocketAddr>,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    store: Option<String>,
    store_ca: Option<PathBuf>,
    auth: Option<Auth>,
    default_account: Option<AccountId>,
    settle_delay: Option<String>,
    #[serde(alias = "log-format")]
    log: Option<LogFormat>,
    log_level: Option<String>,
    otlp_endpoint: Option<String>,
    otlp_ca: Option<PathBuf>,
    master_key_file: Option<PathBuf>,
    catalog: Option<PathBuf>,
    store_connections: Option<usize>,
    wait_for_store: Option<SecondsOrText>,
    store_partitions: Option<i64>,
    leave_any_type: Option<bool>,
    empty_pages: Option<bool>,
    retention: RetentionFile,
    quotas: Quotas,
    iam_quotas: IamQuotas,
}

/// A duration in a file: seconds as a number, or a text with its unit.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum SecondsOrText {
    Seconds(u64),
    Text(String),
}

impl SecondsOrText {
    fn into_text(self) -> String {
        match self {
            Self::Seconds(seconds) => seconds.to_string(),
            Self::Text(text) => text,
        }
    }
}

/// How long things that are over are kept. A section of the file.
#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct RetentionFile {
    deleted_share: Option<String>,
    deleted_permission: Option<String>,
    finished_work: Option<String>,
    ended_association: Option<String>,
    answered_invitation: Option<String>,
    accepted_invitation: Option<String>,
    handshake: Option<String>,
    account_creation: Option<String>,
    event: Option<String>,
    change_log: Option<String>,
}

/// How long things that are over are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retention {
    deleted_share: Duration,
    deleted_permission: Duration,
    finished_work: Duration,
    ended_association: Duration,
    answered_invitation: Duration,
    /// As long as its association lives, when there is no number.
    accepted_invitation: Option<Duration>,
    handshake: Duration,
    account_creation: Duration,
    event: Duration,
    change_log: Duration,
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
        let wait = options.wait_for_store.clone().or(file.wait_for_store.map(SecondsOrText::into_text));
        let log_level = options.log_level.clone().or(file.log_level).unwrap_or_else(|| "info".to_owned());
        let auth = options.auth.or(file.auth).unwrap_or(Auth::Open);
        let empty_pages = options.empty_pages.or(file.empty_pages).unwrap_or(false);
        if empty_pages && auth == Auth::Strict {
            bail!("empty-pages is a switch for tests: it exists in open mode only");
        }
        Ok(Self {
            listen: options.listen.or(file.listen).unwrap_or(SocketAddr::from(([127, 0, 0, 1], 7266))),
            admin_listen: options.admin_listen.or(file.admin_listen),
            tls: tls_files(
                options.tls_cert.clone().or(file.tls_cert),
                options.tls_key.clone().or(file.tls_key),
            )?,
            store: store.parse()?,
            auth,
            default_account: match options.default_account.or(file.default_account) {
                Some(account) => account,
                None => "123456789012".parse().context("the default account")?,
            },
            settle_delay: parse_delay(&delay)?,
            log: options.log.or(file.log).unwrap_or(LogFormat::Text),
            log_level: telemetry::filter(&log_level)?,
            otlp_endpoint: options
                .otlp_endpoint
                .as_deref()
                .or(file.otlp_endpoint.as_deref())
                .map(collector)
                .transpose()?,
            otlp_ca: options.otlp_ca.clone().or(file.otlp_ca),
            master_key_file: options.master_key_file.clone().or(file.master_key_file),
            catalog: options.catalog.clone().or(file.catalog),
            store_options: StoreOptions {
                partitions,
                connections_max: connections,
                authorities: options.store_ca.clone().or(file.store_ca),
                ..StoreOptions::default()
            },
            wait_for_store: parse_wait(wait.as_deref().unwrap_or("60s"))?,
            leave_any_type: options.leave_any_type.or(file.leave_any_type).unwrap_or(false),
            empty_pages,
            retention: Retention::of(&with_overrides(
                &file.retention,
                "retention",
                &[&options.retention_of_environment, &options.retention],
            )?)?,
            quotas: with_overrides(&file.quotas, "quota", &[&options.quota_of_environment, &options.quota])?,
            iam_quotas: file.iam_quotas,
        })
    }

    /// What the server is told.
    pub(crate) fn settings(&self) -> Settings {
        let settle_delay_ms = milliseconds(self.settle_delay);
        let auth = match self.auth {
            Auth::Open => AuthMode::Open,
            Auth::Strict => AuthMode::Strict,
        };
        let retention = &self.retention;
        let timing = Timing {
            settle_delay_ms,
            deleted_share_visible_ms: milliseconds(retention.deleted_share),
            deleted_permission_visible_ms: milliseconds(retention.deleted_permission),
            finished_work_visible_ms: milliseconds(retention.finished_work),
            ended_association_visible_ms: milliseconds(retention.ended_association),
            answered_invitation_visible_ms: milliseconds(retention.answered_invitation),
            accepted_invitation_visible_ms: retention.accepted_invitation.map(milliseconds),
            handshake_visible_ms: milliseconds(retention.handshake),
            account_creation_visible_ms: milliseconds(retention.account_creation),
        };
        Settings {
            timing,
            quotas: self.quotas,
            iam_quotas: self.iam_quotas,
            leave_any_type: self.leave_any_type,
            empty_pages: self.empty_pages,
            event_kept_ms: milliseconds(retention.event),
            change_log_kept_ms: milliseconds(retention.change_log),
            ..Settings::new(auth, self.default_account)
        }
    }

    /// The catalog in force: AWS's, with the operator's own file if there is one.
    pub(crate) fn catalog(&self) -> anyhow::Result<&'static Catalog> {
        let Some(path) = &self.catalog else { return Ok(Catalog::embedded()) };
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let catalog = Catalog::with_file(&text)
            .with_context(|| format!("{} is not a valid catalog", path.display()))?;
        // Read once, and of use until the process ends.
        Ok(Box::leak(Box::new(catalog)))
    }

    /// Prints the settings as the file that would give them, with the passwords left out.
    pub(crate) fn print(&self) -> anyhow::Result<()> {
        let file = SettingsFile {
            listen: Some(self.listen),
            admin_listen: self.admin_listen,
            tls_cert: self.tls.as_ref().map(|files| files.certificate.clone()),
            tls_key: self.tls.as_ref().map(|files| files.key.clone()),
            store: Some(self.store.to_string()),
            store_ca: self.store_options.authorities.clone(),
            auth: Some(self.auth),
            default_account: Some(self.default_account),
            settle_delay: Some(format!("{}ms", self.settle_delay.as_millis())),
            log: Some(self.log),
            log_level: Some(self.log_level.clone()),
            otlp_endpoint: self.otlp_endpoint.clone(),
            otlp_ca: self.otlp_ca.clone(),
            master_key_file: self.master_key_file.clone(),
            catalog: self.catalog.clone(),
            store_connections: Some(self.store_options.connections_max),
            wait_for_store: Some(SecondsOrText::Text(duration_text(self.wait_for_store))),
            store_partitions: Some(self.store_options.partitions.count()),
            leave_any_type: Some(self.leave_any_type),
            empty_pages: Some(self.empty_pages),
            retention: self.retention.to_file(),
            quotas: self.quotas,
            iam_quotas: self.iam_quotas,
        };
        crate::output::text(&toml::to_string(&file)?)
    }
}

impl Retention {
    fn of(file: &RetentionFile) -> anyhow::Result<Self> {
        const HOUR: Duration = Duration::from_hours(1);
        let of = |name: &str, text: &Option<String>, default: Duration| match text {
            None => Ok(default),
            Some(text) => parse_duration(&format!("retention.{name}"), text, HOUR * 24 * 3650),
        };
        let accepted = file.accepted_invitation.as_deref().filter(|text| *text != "association");
        Ok(Self {
            deleted_share: of("deleted-share", &file.deleted_share, HOUR * 2)?,
            deleted_permission: of("deleted-permission", &file.deleted_permission, HOUR * 2)?,
            finished_work: of("finished-work", &file.finished_work, HOUR * 24 * 7)?,
            ended_association: of("ended-association", &file.ended_association, HOUR * 2)?,
            answered_invitation: of("answered-invitation", &file.answered_invitation, HOUR * 24 * 7)?,
            accepted_invitation: accepted
                .map(|text| parse_duration("retention.accepted-invitation", text, HOUR * 24 * 3650))
                .transpose()?,
            handshake: of("handshake", &file.handshake, HOUR * 24 * 30)?,
            account_creation: of("account-creation", &file.account_creation, HOUR * 24 * 90)?,
            event: of("event", &file.event, HOUR * 24 * 7)?,
            change_log: of("change-log", &file.change_log, HOUR * 24)?,
        })
    }

    fn to_file(self) -> RetentionFile {
        let text = |duration: Duration| Some(duration_text(duration));
        RetentionFile {
            deleted_share: text(self.deleted_share),
            deleted_permission: text(self.deleted_permission),
            finished_work: text(self.finished_work),
            ended_association: text(self.ended_association),
            answered_invitation: text(self.answered_invitation),
            accepted_invitation: self.accepted_invitation.and_then(text).or(Some("association".to_owned())),
            handshake: text(self.handshake),
            account_creation: text(self.account_creation),
            event: text(self.event),
            change_log: text(self.change_log),
        }
    }
}

/// A section of the file with the values that the environment and the command line give as `NAME=VALUE`; the last of a
/// name counts.
fn with_overrides<T: Serialize + DeserializeOwned>(
    section: &T,
    what: &str,
    overrides: &[&[String]],
) -> anyhow::Result<T> {
    let mut table = toml::Table::try_from(section)?;
    let overrides = overrides.concat();
    for text in &overrides {
        let (name, value) =
            text.split_once('=').with_context(|| format!("{what} is NAME=VALUE, not '{text}'"))?;
        let value =
            value.parse().map_or_else(|_| toml::Value::String(value.to_owned()), toml::Value::Integer);
        table.insert(name.trim().to_owned(), value);
    }
    table.try_into().with_context(|| format!("{what} '{}' cannot be used", overrides.join(",")))
}

/// Both, or neither.
fn tls_files(certificate: Option<PathBuf>, key: Option<PathBuf>) -> anyhow::Result<Option<TlsFiles>> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
        (None, None) => Ok(None),
        _ => bail!("tls-cert and tls-key go together: name both, or neither"),
    }
}

/// A collector's address, without a path.
fn collector(text: &str) -> anyhow::Result<String> {
    let uri: http::Uri = text.parse().with_context(|| format!("otlp-endpoint is no URL: '{text}'"))?;
    let is_spoken = matches!(uri.scheme_str(), Some("http" | "https"));
    let is_plain = uri.path() == "/" && uri.query().is_none();
    if !is_spoken || !is_plain || uri.authority().is_none_or(|place| place.as_str().contains('@')) {
        bail!("otlp-endpoint is https://HOST:PORT, or http://HOST:PORT in a network that you trust");
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// As a file has it.
fn duration_text(duration: Duration) -> String {
    if duration.subsec_nanos() == 0 {
        format!("{}s", duration.as_secs())
    } else {
        format!("{}ms", duration.as_millis())
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// An hour at the most: a delay is for rehearsal.
fn parse_delay(text: &str) -> anyhow::Result<Duration> {
    parse_duration("settle-delay", text, Duration::from_hours(1))
}

/// With its unit, or a number of seconds.
fn parse_wait(text: &str) -> anyhow::Result<Duration> {
    let is_number = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    let seconds = is_number.then(|| format!("{text}s"));
    parse_duration("wait-for-store", seconds.as_deref().unwrap_or(text), Duration::from_hours(24 * 365))
}

/// `0s`, `500ms`, `2s`, `1m`, `2h`, `7d`, or ISO 8601.
fn parse_duration(name: &str, text: &str, longest: Duration) -> anyhow::Result<Duration> {
    // Days are not of one length in a calendar; here they are 24 hours.
    let hours = text
        .strip_suffix('d')
        .and_then(|days| days.parse::<u32>().ok())
        .and_then(|days| days.checked_mul(24))
        .map(|hours| format!("{hours}h"));
    let span: jiff::SignedDuration = hours
        .as_deref()
        .unwrap_or(text)
        .parse()
        .with_context(|| format!("{name} is written like 0s, 500ms, 2h or 7d, not '{text}'"))?;
    let duration = Duration::try_from(span).ok().filter(|duration| *duration <= longest);
    duration.with_context(|| format!("{name} is between 0s and {}h, not '{text}'", longest.as_secs() / 3600))
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
    fn retentions_and_quotas_come_from_the_file() {
        let file = "[retention]\nended-association = '30m'\ndeleted-share = '500ms'\naccepted-invitation = '7d'\nhandshake = '20d'\n[quotas]\npending-invitations = 5\n[iam-quotas]\nusers = 6";
        let config = Config::merge(&Options::default(), toml::from_str(file).unwrap()).unwrap();
        let settings = config.settings();
        assert_eq!(settings.timing.ended_association_visible_ms, 30 * 60 * 1000);
        assert_eq!(settings.timing.accepted_invitation_visible_ms, Some(7 * 24 * 60 * 60 * 1000));
        let days = 24 * 60 * 60 * 1000;
        assert_eq!(settings.timing.handshake_visible_ms, 20 * days);
        assert_eq!(settings.timing.account_creation_visible_ms, 90 * days);
        assert_eq!((settings.quotas.pending_invitations, settings.quotas.resource_shares), (5, 25_000));
        assert_eq!((settings.iam_quotas.users, settings.iam_quotas.roles), (6, 1_000));
        let printed = toml::to_string(&config.retention.to_file()).unwrap();
        let again = Retention::of(&toml::from_str(&printed).unwrap()).unwrap();
        assert_eq!(again, config.retention);
    }

    #[test]
    fn the_command_line_overrides_single_quotas_and_retentions() {
        let options = Options {
            quota: vec!["pending-invitations=7".to_owned()],
            retention: vec!["deleted-share=1h".to_owned()],
            ..Options::default()
        };
        let file = || toml::from_str("[quotas]\nresource-shares = 3").unwrap();
        let settings = Config::merge(&options, file()).unwrap().settings();
        assert_eq!((settings.quotas.pending_invitations, settings.quotas.resource_shares), (7, 3));
        assert_eq!(settings.timing.deleted_share_visible_ms, 60 * 60 * 1000);
        for quota in
            ["pending-invitations", "pending=1", "pending-invitations=many", "pending-invitations=-1"]
        {
            let options = Options { quota: vec![quota.to_owned()], ..Options::default() };
            assert!(Config::merge(&options, file()).is_err(), "{quota}");
        }
    }

    #[test]
    fn the_command_line_adds_to_the_environment_and_turns_the_files_switches_off() {
        let options = Options {
            quota_of_environment: vec!["pending-invitations=7".to_owned(), "resource-shares=8".to_owned()],
            quota: vec!["resource-shares=9".to_owned()],
            leave_any_type: Some(false),
            ..Options::default()
        };
        let file = toml::from_str("leave-any-type = true\nempty-pages = true").unwrap();
        let settings = Config::merge(&options, file).unwrap().settings();
        assert_eq!((settings.quotas.pending_invitations, settings.quotas.resource_shares), (7, 9));
        assert!(!settings.leave_any_type && settings.empty_pages);
    }

    #[test]
    fn the_wait_for_the_store_takes_units_and_seconds() {
        for (file, milliseconds) in [
            ("", 60_000),
            ("wait-for-store = 5", 5_000),
            ("wait-for-store = '5'", 5_000),
            ("wait-for-store = '5s'", 5_000),
            ("wait-for-store = '2m'", 120_000),
            ("wait-for-store = '1500ms'", 1_500),
            ("wait-for-store = 0", 0),
        ] {
            let config = Config::merge(&Options::default(), toml::from_str(file).unwrap()).unwrap();
            assert_eq!(config.wait_for_store, Duration::from_millis(milliseconds), "{file}");
        }
    }

    #[test]
    fn values_out_of_range_are_errors() {
        for file in [
            "wait-for-store = 'long'",
            "wait-for-store = '-1s'",
            "wait-for-store = ''",
            "log-level = 'warning'",
            "settle-delay = 'soon'",
            "settle-delay = '2h'",
            "settle-delay = '-1s'",
            "store-partitions = 0",
            "[retention]\ndeleted-share = '4294967295d'",
            "[retention]\ndeleted-share = '3651d'",
            "auth = 'strict'\nempty-pages = true",
            "tls-cert = 'cert.pem'",
            "tls-key = 'key.pem'",
            "otlp-endpoint = 'collector:4318'",
            "otlp-endpoint = 'grpc://collector:4317'",
            "otlp-endpoint = 'http://collector:4318/v1/traces'",
            "otlp-endpoint = 'https://me:secret@collector:4318'",
        ] {
            assert!(Config::merge(&Options::default(), toml::from_str(file).unwrap()).is_err(), "{file}");
        }
    }
}

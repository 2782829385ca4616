//! Where PostgreSQL is, as its URL says it, with what the driver does not know: `sslmode=verify-full`, `sslrootcert`, and
//! several hosts in one parameter.

use std::borrow::Cow;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::LocationError;

/// Whether connections are encrypted, and whether the server must prove who it is. The names are those of libpq.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsMode {
    /// In clear text.
    Disable,
    /// Encrypted if the server can.
    Prefer,
    /// Encrypted, whoever the server is; it must prove it where an authority is named.
    Require,
    /// Encrypted, with the server that the URL names.
    VerifyFull,
}

/// A URL, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) config: Config,
    /// None when the URL does not say.
    pub(crate) tls: Option<TlsMode>,
    /// A PEM file with the authorities that are trusted; `system` stands for those of this machine.
    pub(crate) authorities: Option<PathBuf>,
}

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Self, LocationError> {
        // As the driver reads it: parameters begin behind the credentials, which end at the first `@`.
        let place = url.find('@').map_or(0, |at| at + 1);
        let parameters = url[place..].find('?').map_or(url.len(), |at| place + at);
        let (mut tls, mut authorities, mut others) = (None, None, Vec::<Cow<'_, str>>::new());
        for pair in url[parameters..].trim_start_matches('?').split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", mode)) => tls = Some(TlsMode::parse(mode)?),
                Some(("sslrootcert", file)) => {
                    let file = percent_decode_str(file).decode_utf8().map_err(|_| LocationError::Form)?;
                    authorities = Some(PathBuf::from(&*file));
                }
                Some(("target_session_attrs", kind)) => check_session(kind)?,
                Some(("host", hosts)) => {
                    others.extend(hosts.split(',').map(|host| Cow::from(format!("host={host}"))));
                }
                _ => others.push(pair.into()),
            }
        }
        let url = format!("{}?{}", &url[..parameters], others.join("&"));
        let mut config: Config = url.parse().map_err(|e| LocationError::Url(what_is_wrong(&e)))?;
        // What is read in a standby may be old, and nothing can be written there.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        Ok(Self { config, tls, authorities })
    }

    /// Whether the URL names a host, whose name a certificate could bear.
    pub(crate) fn names_a_host(&self) -> bool {
        self.config.get_hosts().iter().any(|host| matches!(host, Host::Tcp(_)))
    }
}

/// The driver's words, with the parameter that it means. What is no parameter's name may be of a password that is written
/// wrong, and is not repeated.
fn what_is_wrong(error: &tokio_postgres::Error) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    match cause.filter(|cause| cause.split('`').nth(1).is_some_and(is_name)) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// Of the sessions that libpq could be told to look for, those that rampart can use; they mean the same to it.
fn check_session(kind: &str) -> Result<(), LocationError> {
    match kind {
        "any" | "primary" | "read-write" => Ok(()),
        other => Err(LocationError::Session(other.chars().take(16).collect())),
    }
}

impl TlsMode {
    fn parse(text: &str) -> Result<Self, LocationError> {
        match text {
            "disable" => Ok(Self::Disable),
            "prefer" => Ok(Self::Prefer),
            "require" => Ok(Self::Require),
            "verify-full" => Ok(Self::VerifyFull),
            other => Err(LocationError::SslMode(other.chars().take(16).collect())),
        }
    }

    /// What the driver is told.
    pub(crate) fn of_driver(self) -> SslMode {
        match self {
            Self::Disable => SslMode::Disable,
            Self::Prefer => SslMode::Prefer,
            Self::Require | Self::VerifyFull => SslMode::Require,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_concerns_tls_is_taken_out_of_the_url() {
        let address = Address::parse(
            "postgres://me:p%3Fss@host:1/db?sslmode=verify-full&user=you&sslrootcert=%2Fetc%2Fca.pem",
        )
        .unwrap();
        assert_eq!(address.tls, Some(TlsMode::VerifyFull));
        assert_eq!(address.authorities, Some(PathBuf::from("/etc/ca.pem")));
        assert_eq!((address.config.get_user(), address.config.get_dbname()), (Some("you"), Some("db")));
        assert_eq!(address.config.get_password(), Some(&b"p?ss"[..]));
        assert!(address.names_a_host());
    }

    #[test]
    fn a_url_without_parameters_says_nothing_of_tls() {
        for url in
            ["postgres://host/db", "postgres:///db?host=%2Frun&user=me", "postgres://me:p?sslmode=x@host/db"]
        {
            let address = Address::parse(url).unwrap();
            assert_eq!((address.tls, address.authorities), (None, None), "{url}");
        }
    }

    #[test]
    fn several_servers_may_be_named() {
        for url in [
            "postgres://me@one:1,two:2/db",
            "postgres://me@one:1,two:2/db?target_session_attrs=read-write",
            "postgres:///db?host=one,two&port=1,2&user=me&target_session_attrs=primary",
            "postgres:///db?host=one&host=two&port=1,2&user=me&target_session_attrs=any",
        ] {
            let config = Address::parse(url).unwrap().config;
            assert_eq!(config.get_hosts(), ["one", "two"].map(|host| Host::Tcp(host.to_owned())), "{url}");
            assert_eq!(config.get_ports(), [1, 2], "{url}");
            assert_eq!(config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite, "{url}");
        }
        let sockets = Address::parse("postgres:///db?host=/run/one,/run/two").unwrap().config;
        assert_eq!(sockets.get_hosts(), ["/run/one", "/run/two"].map(|path| Host::Unix(path.into())));
    }

    #[test]
    fn sessions_that_cannot_write_are_refused() {
        for kind in ["read-only", "standby", "prefer-standby", ""] {
            let refused = Address::parse(&format!("postgres://host/db?target_session_attrs={kind}"));
            assert_eq!(refused.unwrap_err(), LocationError::Session(kind.to_owned()));
        }
    }

    #[test]
    fn what_is_wrong_with_a_url_is_said_without_what_may_be_a_password() {
        for (url, said) in [
            ("postgres://host/db?colour=red", "invalid connection string: unknown option `colour`"),
            ("postgres://host:99999/db", "invalid connection string: invalid value for option `port`"),
            ("postgres://me:p@ss?Secr3t=1&x@host/db", "invalid connection string"),
        ] {
            assert_eq!(Address::parse(url).unwrap_err(), LocationError::Url(said.to_owned()), "{url}");
        }
    }

    #[test]
    fn an_unknown_mode_is_named() {
        for mode in ["verify-ca", "allow", "REQUIRE", ""] {
            let refused = Address::parse(&format!("postgres://host/db?sslmode={mode}")).unwrap_err();
            assert_eq!(refused, LocationError::SslMode(mode.to_owned()));
        }
    }
}

//! Log lines, on standard error: results and the endpoint stay alone on standard output.

use std::io::IsTerminal;

use anyhow::{Context, ensure};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::cli::LogFormat;
use crate::config::Config;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// What would be logged of every connection that PostgreSQL closed; what it means for requests is said once.
const QUIET: &str = "deadpool.postgres=off";

/// A filter without its blanks. Refuses what would be taken for the name of a target that never logs: of a level written
/// wrong all lines would be missing.
pub(crate) fn filter(text: &str) -> anyhow::Result<String> {
    let is_level = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    let is_target = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && word.chars().all(|c| c.is_ascii_alphanumeric() || "_-:.".contains(c))
    };
    let parts: Vec<_> = text.split(',').map(str::trim).collect();
    for part in &parts {
        let is_known = match part.split_once('=') {
            None => is_level(part),
            Some((target, level)) => is_target(target) && is_level(level),
        };
        let levels = LEVELS.join(", ");
        ensure!(
            is_known,
            "log-level is one of {levels}, or several of LEVEL and TARGET=LEVEL with commas between them, as \
             info,rampart_server::request=debug: '{part}' is neither"
        );
    }
    Ok(parts.join(","))
}

pub(crate) fn start(config: &Config) -> anyhow::Result<()> {
    // The last of a target counts: what is asked for.
    let filter = EnvFilter::try_new(format!("{QUIET},{}", config.log_level))
        .with_context(|| format!("log-level is no filter: '{}'", config.log_level))?;
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let started = match config.log {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("logging cannot start: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_names_levels_that_there_are() {
        for text in
            ["info", "WARN", "off", "info,rampart_server::request=debug", "debug, deadpool.postgres=warn"]
        {
            EnvFilter::try_new(format!("{QUIET},{}", filter(text).unwrap())).unwrap();
        }
        for text in [
            "warning",
            "loud",
            "blah=",
            "=info",
            "",
            "info,",
            "info,loud",
            "rampart=loud",
            "[x]",
            "a[b]=info",
        ] {
            let error = filter(text).unwrap_err().to_string();
            assert!(error.contains("off, error, warn, info, debug, trace"), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_quiet_can_be_asked_for() {
        let shown = |filter: &str| EnvFilter::try_new(format!("{QUIET},{filter}")).unwrap().to_string();
        assert!(shown("info").contains("deadpool.postgres=off"), "{}", shown("info"));
        let asked = shown("info,deadpool.postgres=warn");
        assert!(asked.contains("deadpool.postgres=warn") && !asked.contains("=off"), "{asked}");
    }
}

//! The organization commands. They work on the store itself, whether or not a server runs on it.

mod endpoint;

use std::fmt::Write;
use std::path::Path;

use anyhow::Context;
use rampart_core::organization::plan::OrganizationFile;
use rampart_server::organization_file::{ApplyError, apply, plan_file};
use rampart_server::{Clock, Entropy};

pub(crate) use self::endpoint::Endpoint;
use crate::cli::OrgChange;
use crate::config::Config;
use crate::{output, store};

/// Makes the organization what a file says.
pub(crate) async fn apply_file(config: &Config, file: &Path, how: OrgChange) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    // JSON is YAML, too.
    let wanted: OrganizationFile =
        serde_yaml_ng::from_str(&text).with_context(|| format!("{} is no organization", file.display()))?;
    change(config, &wanted, how).await.map_err(|error| at_line(error, file, &text))
}

/// Says the line of the file that an error is about, where it is about one.
fn at_line(error: anyhow::Error, file: &Path, text: &str) -> anyhow::Error {
    let Some(ApplyError::Plan(fault)) = error.downcast_ref::<ApplyError>() else { return error };
    let Some((about, time)) = fault.is_about().filter(|(about, _)| !about.is_empty()) else { return error };
    let mut lines = text.lines().enumerate().filter(|(_, line)| names(line, &about));
    let first = lines.clone().next();
    match lines.nth(time).or(first) {
        Some((line, _)) => error.context(format!("{}, line {}", file.display(), line + 1)),
        None => error,
    }
}

/// Whether a line holds a text that does not go on before or after it.
fn names(line: &str, text: &str) -> bool {
    let goes_on = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '-');
    line.match_indices(text).any(|(at, found)| {
        !goes_on(line[..at].chars().next_back()) && !goes_on(line[at + found.len()..].chars().next())
    })
}

/// Makes the organization what another endpoint shows.
pub(crate) async fn mirror(config: &Config, endpoint: Endpoint, how: OrgChange) -> anyhow::Result<()> {
    let wanted = endpoint.read().await?;
    change(config, &wanted, how).await
}

/// Prints what changes, and then changes it.
async fn change(config: &Config, wanted: &OrganizationFile, how: OrgChange) -> anyhow::Result<()> {
    let store = store::open(config).await?;
    let (entropy, now) = (Entropy::system(), Clock::real());
    let steps = plan_file(&store, wanted, how.prune, &entropy, now).await?;
    let mut words = String::new();
    for step in &steps {
        writeln!(words, "{step}")?;
    }
    if steps.is_empty() {
        words.push_str("Nothing changes.\n");
    }
    output::text(&words)?;
    if how.dry_run || steps.is_empty() {
        return Ok(());
    }
    let count = steps.len();
    apply(&store, wanted.management_account.id, steps, &entropy, now).await?;
    output::text(&format!("Done: {count} changes.\n"))
}

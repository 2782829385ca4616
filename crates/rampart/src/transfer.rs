//! `rampart export` and `rampart import`.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, stdin, stdout};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use rampart_server::Clock;
use rampart_store::{Progress, Snapshot};
use tempfile::NamedTempFile;

use crate::config::Config;
use crate::store;

/// What stands for standard input and output.
const STANDARD: &str = "-";

pub(crate) async fn export(config: &Config, file: &Path) -> anyhow::Result<()> {
    let is_piped = file == Path::new(STANDARD);
    if !is_piped && file.try_exists().unwrap_or_default() {
        anyhow::bail!("cannot write {}: it exists already, and nothing is overwritten", file.display());
    }
    let store = store::open(config).await?;
    let snapshot = store.snapshot().await.with_context(|| format!("cannot read {}", config.store))?;
    let failed = || format!("cannot export {} to {}", config.store, file.display());
    let rows = if is_piped {
        let mut out = BufWriter::new(stdout().lock());
        // Whoever reads it may draw a bar of its own.
        snapshot.export(Clock::real(), &mut out, |_| {}).await.with_context(failed)?
    } else {
        export_to_file(&snapshot, file).await.with_context(failed)?
    };
    tell(&format!("{rows} rows exported from {}.", config.store));
    Ok(())
}

/// The file is there once it is whole. Nobody but its owner may read it.
async fn export_to_file(snapshot: &Snapshot, file: &Path) -> anyhow::Result<u64> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut unfinished = NamedTempFile::new_in(parent.unwrap_or(Path::new(".")))?;
    let bar = progress_bar("{wide_bar} {percent} % of the tables, {msg}");
    let mut out = BufWriter::new(unfinished.as_file_mut());
    let rows = snapshot.export(Clock::real(), &mut out, |progress| show(&bar, progress)).await;
    bar.finish_and_clear();
    let rows = rows?;
    out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    unfinished.persist_noclobber(file)?;
    Ok(rows)
}

pub(crate) async fn import(config: &Config, file: &Path) -> anyhow::Result<()> {
    let (mut lines, size): (Box<dyn BufRead>, u64) = if file == Path::new(STANDARD) {
        (Box::new(stdin().lock()), 0)
    } else {
        let open = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
        let size = open.metadata().map_or(0, |known| known.len());
        (Box::new(BufReader::new(open)), size)
    };
    let store = store::open_for_import(config).await?;
    // How long what comes through a pipe will be, nobody knows.
    let bar =
        progress_bar(if size == 0 { "{spinner} {msg}" } else { "{wide_bar} {percent} % of the file, {msg}" });
    let show = |progress| show(&bar, Progress { of: size, ..progress });
    let rows = store.import(&mut lines, Clock::real(), show).await;
    bar.finish_and_clear();
    let rows = rows.with_context(|| format!("cannot import {} into {}", file.display(), config.store))?;
    store.close().await;
    tell(&format!("{rows} rows imported into {}.", config.store));
    Ok(())
}

/// Drawn on standard error, and on a terminal alone.
fn progress_bar(template: &str) -> ProgressBar {
    let bar = ProgressBar::no_length();
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn show(bar: &ProgressBar, progress: Progress) {
    if progress.of > 0 {
        bar.set_length(progress.of);
    }
    bar.set_position(progress.done);
    bar.set_message(format!("{} rows", progress.rows));
}

/// Says it on standard error: standard output may be the export.
fn tell(words: &str) {
    let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{words}\n"));
}

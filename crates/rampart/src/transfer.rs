//! `rampart export` and `rampart import`.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, stdin, stdout};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use rampart_server::Clock;
use rampart_store::Progress;

use crate::config::Config;
use crate::store;

/// What stands for standard input and output.
const STANDARD: &str = "-";

pub(crate) async fn export(config: &Config, file: &Path) -> anyhow::Result<()> {
    let store = store::open(config).await?;
    let snapshot = store.snapshot().await?;
    let bar = progress_bar("{wide_bar} {percent} % of the tables, {msg}");
    let show = |progress| show(&bar, progress);
    let rows = if file == Path::new(STANDARD) {
        snapshot.export(Clock::real(), &mut BufWriter::new(stdout().lock()), show).await?
    } else {
        let named = || format!("cannot write {}", file.display());
        // Nobody but its owner may read it, and nothing is overwritten.
        let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
        let mut out = BufWriter::new(new.with_context(named)?);
        let rows = snapshot.export(Clock::real(), &mut out, show).await?;
        out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all().with_context(named)?;
        rows
    };
    bar.finish_and_clear();
    tell(&format!("{rows} rows exported from {}.", config.store));
    Ok(())
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
    let bar = progress_bar("{wide_bar} {percent} % of the file, {msg}");
    let show = |progress| show(&bar, Progress { of: size, ..progress });
    let rows = store
        .import(&mut lines, Clock::real(), show)
        .await
        .with_context(|| format!("cannot import {} into {}", file.display(), config.store))?;
    store.close().await;
    bar.finish_and_clear();
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

//! Finding PostgreSQL's programs, and bringing them to where the server's user can reach them.

use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::PostgresError;
use super::server_user::ServerUser;

/// What a cluster needs.
const PROGRAMS: [&str; 4] = ["initdb", "postgres", "pg_ctl", "psql"];
/// What of an installation is needed to run it; headers and documentation are not.
const PARTS: [&str; 3] = ["bin", "lib", "share"];

/// A directory with PostgreSQL's programs.
#[derive(Debug)]
pub(super) struct Installation {
    bin: PathBuf,
}

impl Installation {
    /// The one that RAMPART_TEST_PG_BIN names, else the newest of the system.
    pub(super) fn find() -> Result<Self, PostgresError> {
        if let Some(directory) = environment("RAMPART_TEST_PG_BIN") {
            let bin = PathBuf::from(directory);
            return match missing_program(&bin) {
                None => Ok(Self { bin }),
                Some(missing) => Err(PostgresError::Incomplete { directory: bin, missing }),
            };
        }
        let on_path = environment("PATH").unwrap_or_default();
        pg_config_bindir()
            .into_iter()
            .chain(std::env::split_paths(&on_path))
            .chain(debian_directories())
            .find(|bin| missing_program(bin).is_none())
            .map(|bin| Self { bin })
            .ok_or(PostgresError::NotInstalled)
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// The directory with the programs.
    pub(super) fn bin(&self) -> &Path {
        &self.bin
    }

    /// This installation, or a copy of it below `directory` where `user` cannot reach it: a checkout often lies in a
    /// home directory that is closed to others.
    pub(super) fn reachable_for(self, user: ServerUser, directory: &Path) -> Result<Self, PostgresError> {
        if user.is_self() || self.runs_as(user) {
            return Ok(self);
        }
        self.copy_to(&directory.join("postgresql"), user)
    }

    fn runs_as(&self, user: ServerUser) -> bool {
        PROGRAMS.iter().all(|program| {
            user.command(&self.program(program))
                .arg("--version")
                .stdin(Stdio::null())
                .output()
                .is_ok_and(|output| output.status.success())
        })
    }

    /// PostgreSQL finds its files relative to its programs, so the copy keeps their places. In a Python wheel the
    /// libraries stand apart, in `<package>.libs` beside `<package>/<installation>/bin`.
    fn copy_to(&self, directory: &Path, user: ServerUser) -> Result<Self, PostgresError> {
        let bin = fs::canonicalize(&self.bin).map_err(PostgresError::io("find", &self.bin))?;
        let mut above = bin.ancestors().skip(1);
        let (Some(prefix), Some(package), Some(site)) = (above.next(), above.next(), above.next()) else {
            return Err(PostgresError::NotInstalled);
        };
        let place =
            |path: &Path| directory.join(path.strip_prefix(site).expect("all of it lies below `site`"));

        make_open_directories(directory, &place(prefix), user)?;
        for part in PARTS {
            let source = prefix.join(part);
            if source.is_dir() {
                copy_tree(&source, &place(&source), user)?;
            }
        }
        let libraries = package.with_added_extension("libs");
        if libraries.is_dir() {
            copy_tree(&libraries, &place(&libraries), user)?;
        }
        Ok(Self { bin: place(&bin) })
    }
}

fn missing_program(bin: &Path) -> Option<&'static str> {
    PROGRAMS.into_iter().find(|program| !bin.join(program).is_file())
}

fn pg_config_bindir() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(text.trim()))
}

/// Debian keeps the server's programs off the PATH, one directory per major version; newest first.
fn debian_directories() -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry: DirEntry| {
            let major = entry.file_name().to_str()?.parse().ok()?;
            Some((major, entry.path().join("bin")))
        })
        .collect();
    versions.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    versions.into_iter().map(|(_, bin)| bin).collect()
}

/// Makes `from` and what is missing between it and `to`.
fn make_open_directories(from: &Path, to: &Path, user: ServerUser) -> Result<(), PostgresError> {
    fs::create_dir_all(to).map_err(PostgresError::io("make", to))?;
    to.ancestors()
        .take_while(|directory| directory.starts_with(from))
        .try_for_each(|directory| user.take_over(directory))
}

/// Copies a directory. Symbolic links become what they point to.
pub(super) fn copy_tree(from: &Path, to: &Path, user: ServerUser) -> Result<(), PostgresError> {
    fs::create_dir_all(to).map_err(PostgresError::io("make", to))?;
    user.take_over(to)?;
    for entry in fs::read_dir(from).map_err(PostgresError::io("list", from))? {
        let source = entry.map_err(PostgresError::io("list", from))?.path();
        let target = to.join(source.file_name().unwrap_or_default());
        if source.is_dir() {
            copy_tree(&source, &target, user)?;
        } else {
            fs::copy(&source, &target).map_err(PostgresError::io("copy", &source))?;
            user.take_over(&target)?;
        }
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests are configured through the environment; there is no other way in"
)]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

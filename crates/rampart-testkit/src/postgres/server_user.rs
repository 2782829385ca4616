//! The user that the server runs as. PostgreSQL refuses root, and in containers tests often are root.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::error::PostgresError;

/// User and group `nobody` where the user database does not know them.
const NOBODY: u32 = 65534;

/// Who runs the server and owns its files.
#[derive(Debug, Clone, Copy)]
pub(super) enum ServerUser {
    /// Whoever runs the tests.
    Myself,
    /// `nobody`, since the tests run as root.
    Nobody { uid: u32, gid: u32 },
}

impl ServerUser {
    /// Who this process is shows in a directory that it has just made.
    pub(super) fn of_directory(directory: &Path) -> Result<Self, PostgresError> {
        let owner = fs::metadata(directory).map_err(PostgresError::io("read", directory))?.uid();
        if owner != 0 {
            return Ok(Self::Myself);
        }
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let (uid, gid) = find_nobody(&users).unwrap_or((NOBODY, NOBODY));
        Ok(Self::Nobody { uid, gid })
    }

    pub(super) fn is_self(self) -> bool {
        matches!(self, Self::Myself)
    }

    /// Gives a file or directory to this user.
    pub(super) fn take_over(self, path: &Path) -> Result<(), PostgresError> {
        match self {
            Self::Myself => Ok(()),
            Self::Nobody { uid, gid } => {
                chown(path, Some(uid), Some(gid)).map_err(PostgresError::io("hand over", path))
            }
        }
    }

    /// A program to run as this user, from a directory that it may enter and without the caller's PostgreSQL settings.
    pub(super) fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").env("LC_ALL", "C");
        without_postgres_settings(&mut command);
        if let Self::Nobody { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
        command
    }
}

/// PGHOST, PGDATA and their like, meant for the user's own databases, would lead the programs astray.
pub(super) fn without_postgres_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("PG")) {
            command.env_remove(name);
        }
    }
}

fn find_nobody(users: &str) -> Option<(u32, u32)> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == "nobody").then_some(())?;
        let _password = fields.next()?;
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::find_nobody;

    #[test]
    fn nobody_is_found_by_name() {
        let users = "root:x:0:0:root:/:/bin/sh\nnobody:x:99:98:nobody:/:/sbin/nologin\n";
        assert_eq!(find_nobody(users), Some((99, 98)));
    }

    #[test]
    fn negative_ids_as_on_macos_are_not_taken() {
        assert_eq!(find_nobody("nobody:*:-2:-2:Unprivileged User:/var/empty:/usr/bin/false\n"), None);
    }
}

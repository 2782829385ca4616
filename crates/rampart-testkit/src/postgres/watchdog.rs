//! Ends a cluster when the test process ends, however it ends.
//!
//! Destructors of statics never run, and a killed process runs none at all. What always happens is that the kernel
//! closes its pipes: a small shell waits for the end of one, then stops the server and removes the directory.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};

use super::error::PostgresError;
use super::server_user::ServerUser;

/// `$1` is the cluster's directory. The pipe's one line names PostgreSQL's programs; its end, the end of the tests.
/// SIGQUIT is what an immediate stop sends, for the case that `pg_ctl` itself cannot.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
read -r bin
read -r _
if read -r server < "$1/data/postmaster.pid"; then
    "$bin/pg_ctl" -D "$1/data" -m immediate -w stop || kill -s QUIT "$server"
fi
for _ in 1 2 3; do rm -rf "$1" && break; done
"#;

/// The waiting shell and our end of its pipe.
#[derive(Debug)]
pub(super) struct Watchdog {
    shell: Child,
    leash: Option<ChildStdin>,
}

impl Watchdog {
    /// Watches over a directory that is about to become a cluster.
    pub(super) fn start(directory: &Path, user: ServerUser) -> Result<Self, PostgresError> {
        let mut shell = user
            .command(Path::new("sh"))
            .args(["-c", SCRIPT, "rampart-test-watchdog"])
            .arg(directory)
            // Not in the terminal's foreground group: Ctrl-C must reach the tests and not what cleans up after them.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(PostgresError::io("watch over", directory))?;
        let leash = shell.stdin.take();
        Ok(Self { shell, leash })
    }

    /// Tells it where the programs are that stop the server; to be called before the server starts.
    pub(super) fn tell(&mut self, bin: &Path) -> Result<(), PostgresError> {
        let Some(leash) = &mut self.leash else {
            return Ok(());
        };
        let line = [bin.as_os_str().as_encoded_bytes(), b"\n"].concat();
        leash.write_all(&line).map_err(PostgresError::io("name to the watchdog", bin))
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.leash.take());
        // Nothing can be done in a destructor about a shell that cannot be waited for.
        let _ = self.shell.wait();
    }
}

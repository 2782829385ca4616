//! Two servers of which the second follows the first, synchronously, and can take its place.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::error::PostgresError;
use super::installation::copy_tree;
use super::{ClusterOptions, Listen, PostgresCluster, SUPERUSER, Site};

impl PostgresCluster {
    /// Starts two servers on the loopback address. The second is a hot standby: the first answers no COMMIT that the
    /// second has not written, too. The options are those of the first; the second waits for nobody when it is promoted.
    pub fn start_with_standby(options: &ClusterOptions) -> Result<(Self, Self), PostgresError> {
        let (site, watchdog) = Site::make(Listen::Loopback)?;
        site.init()?;
        let (standby, its_watchdog) = Site::make(Listen::Loopback)?;
        standby.copy_data(&site)?;

        let mut first = ClusterOptions { listen: Listen::Loopback, ..options.clone() };
        first.settings.extend(settings(&[
            // Whoever comes: there is one.
            ("synchronous_standby_names", "*"),
            // What a standby needs that was stopped for a while.
            ("wal_keep_size", "512MB"),
        ]));
        let primary = Self::launch(site, watchdog, &first)?;
        let upstream = format!("host=127.0.0.1 port={} user={SUPERUSER}", primary.site.port);
        let second = ClusterOptions {
            settings: settings(&[("primary_conninfo", &upstream), ("wal_retrieve_retry_interval", "50ms")]),
            ..first
        };
        let standby = Self::launch(standby, its_watchdog, &second)?;
        Ok((primary, standby))
    }

    /// Makes a standby the primary, and waits until it is.
    pub fn promote(&mut self) -> Result<(), PostgresError> {
        self.site.pg_ctl(&["promote"])
    }

    /// Ends the server as a power cut ends its machine, for good: it cannot be started again.
    pub fn kill(&mut self) -> Result<(), PostgresError> {
        // With its children: those would go on for a moment, and some even show what no standby has.
        let children =
            self.sql("postgres", "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")?;
        let file = self.site.data().join("postmaster.pid");
        let lines = fs::read_to_string(&file).map_err(PostgresError::io("read", &file))?;
        let mut kill = Command::new("kill");
        kill.arg("-9").args(lines.lines().next()).args(children.lines());
        // It complains of those that ended meanwhile.
        kill.output().map_err(PostgresError::io("run", Path::new("kill")))?;
        // Another process may get the server's number, and must not be taken for it.
        fs::remove_file(&file).map_err(PostgresError::io("remove", &file))
    }

    /// Runs SQL in a database, existing or not, and returns its rows: one a line, columns separated by `|`.
    pub fn sql(&self, database: &str, text: &str) -> Result<String, PostgresError> {
        self.site.psql(database, text)
    }
}

impl Site {
    /// The data of a server that was never started, as a standby's.
    fn copy_data(&self, of: &Self) -> Result<(), PostgresError> {
        let data = self.data();
        copy_tree(&of.data(), &data, self.user)?;
        // The server refuses a directory that others may read.
        fs::set_permissions(&data, Permissions::from_mode(0o700))
            .map_err(PostgresError::io("close", &data))?;
        let signal = data.join("standby.signal");
        fs::write(&signal, "").map_err(PostgresError::io("write", &signal))?;
        self.user.take_over(&signal)
    }
}

fn settings(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

//! A database for one test.

use std::process::Command;
use std::sync::Arc;

use super::error::{self, PostgresError};
use super::{Site, server_user};

/// A database of its own for one test; dropped with the value, best effort.
#[derive(Debug)]
pub struct TestDatabase {
    site: Arc<Site>,
    name: String,
    url: String,
}

impl TestDatabase {
    pub(super) fn create(site: Arc<Site>, name: String) -> Result<Self, PostgresError> {
        // template0, which nobody connects to: a template in use cannot be copied.
        site.psql("postgres", &format!("CREATE DATABASE {name} TEMPLATE template0"))?;
        let url = site.url(&name);
        Ok(Self { site, name, url })
    }

    /// A URL for PostgreSQL clients: `postgres://host/name?user=postgres`, its host a percent-encoded socket directory,
    /// or `postgres://postgres@127.0.0.1:port/name` on a cluster that listens on the loopback address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The database's name, unique in its cluster.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs SQL through `psql` and returns its rows: one a line, columns separated by `|`.
    pub fn sql(&self, text: &str) -> Result<String, PostgresError> {
        self.site.psql(&self.name, text)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // The server may be stopped, or gone with its cluster; then so is the database.
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let mut psql = self.site.psql_command("postgres", &drop);
        // Nor is a standby waited for that is not there any more.
        let _ = error::run(psql.env("PGOPTIONS", "-c synchronous_commit=local"));
    }
}

impl Site {
    pub(super) fn psql(&self, database: &str, sql: &str) -> Result<String, PostgresError> {
        error::run(&mut self.psql_command(database, sql))
    }

    /// Runs SQL, stopping at the first error. Needs no change of user: the server trusts whoever reaches its socket.
    fn psql_command(&self, database: &str, sql: &str) -> Command {
        let mut psql = Command::new(self.installation.program("psql"));
        server_user::without_postgres_settings(&mut psql);
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
            .args(["--set", "ON_ERROR_STOP=1", "--command", sql])
            .arg("--dbname")
            .arg(self.url(database));
        psql
    }
}

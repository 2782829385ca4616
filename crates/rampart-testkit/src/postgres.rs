//! A disposable PostgreSQL cluster for tests: one per test process, in a temporary directory, gone when the process ends.
//!
//! [`PostgresCluster::shared`] is what most tests want; a test that stops the server, or wants a port or `fsync`, starts
//! its own with [`PostgresCluster::start`]. Everything here is synchronous and speaks to the server through PostgreSQL's
//! own programs, so that it fits under any runtime and any driver.

mod database;
mod error;
mod installation;
mod server_user;
mod standby;
mod watchdog;

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::{fs, io};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

pub use database::TestDatabase;
pub use error::PostgresError;

use installation::Installation;
use server_user::ServerUser;
use watchdog::Watchdog;

/// The role that tests connect as: the superuser that `initdb` makes.
const SUPERUSER: &str = "postgres";
/// The port of a cluster without TCP: no more than a part of its socket's name.
const SOCKET_PORT: u16 = 5432;
/// How often a cluster with TCP tries another port when somebody else was quicker.
const PORT_ATTEMPTS_MAX: u32 = 5;
/// What `sockaddr_un` can hold, less `/.s.PGSQL.65535` and the terminator, on the strictest system (macOS: 104).
const SOCKET_DIRECTORY_LENGTH_MAX: usize = 88;
/// Enough for every test of a process at once.
const CONNECTIONS_MAX: u32 = 200;

/// Where a cluster listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Listen {
    /// A Unix socket in the cluster's directory, and no TCP.
    #[default]
    UnixSocket,
    /// 127.0.0.1 on a free port; for tests that need a URL with a port.
    Loopback,
}

/// Whether commits reach the disk. Without it they still survive a crash of the server, just not one of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fsync {
    /// Quick: for all tests but those that measure.
    #[default]
    Off,
    /// As in production.
    On,
}

/// How to start a cluster.
#[derive(Debug, Clone, Default)]
pub struct ClusterOptions {
    /// Where it listens.
    pub listen: Listen,
    /// Whether commits reach the disk.
    pub fsync: Fsync,
    /// Further lines of `postgresql.conf`, such as `("statement_timeout", "5s")`.
    pub settings: Vec<(String, String)>,
}

/// A running PostgreSQL server with a directory of its own. It ends with the value, and with the process at the latest.
#[derive(Debug)]
pub struct PostgresCluster {
    site: Arc<Site>,
    databases: AtomicU32,
    _watchdog: Watchdog,
}

/// Where a cluster is and how to reach it: all that a [`TestDatabase`] needs after the cluster is out of sight.
#[derive(Debug)]
struct Site {
    directory: PathBuf,
    installation: Installation,
    user: ServerUser,
    listen: Listen,
    port: u16,
}

impl PostgresCluster {
    /// The cluster that all tests of this process share, started by the first that asks.
    pub fn shared() -> Result<&'static Self, &'static PostgresError> {
        static SHARED: OnceLock<Result<PostgresCluster, PostgresError>> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&ClusterOptions::default())).as_ref()
    }

    /// Starts a cluster of its own and waits until it answers.
    pub fn start(options: &ClusterOptions) -> Result<Self, PostgresError> {
        let (site, watchdog) = Site::make(options.listen)?;
        site.init()?;
        Self::launch(site, watchdog, options)
    }

    /// Starts the server of a site that has its data.
    fn launch(mut site: Site, watchdog: Watchdog, options: &ClusterOptions) -> Result<Self, PostgresError> {
        match options.listen {
            Listen::UnixSocket => {
                site.configure(options)?;
                site.start()?;
            }
            Listen::Loopback => site.start_on_free_port(options)?,
        }
        Ok(Self { site: Arc::new(site), databases: AtomicU32::new(0), _watchdog: watchdog })
    }

    /// A new, empty database, dropped with the value.
    pub fn create_database(&self) -> Result<TestDatabase, PostgresError> {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        TestDatabase::create(Arc::clone(&self.site), format!("test_{number}"))
    }

    /// The URL of a database of this cluster, existing or not.
    pub fn url(&self, database: &str) -> String {
        self.site.url(database)
    }

    /// Where it listens on the loopback address, if it does.
    pub fn port(&self) -> u16 {
        self.site.port
    }

    /// The directory that holds everything of this cluster.
    pub fn directory(&self) -> &Path {
        &self.site.directory
    }

    /// Ends the server as a crash would: no checkpoint, connections cut. Only for a cluster of one's own.
    pub fn stop_immediately(&mut self) -> Result<(), PostgresError> {
        self.site.pg_ctl(&["-m", "immediate", "stop"])
    }

    /// Starts the server again, on the same address, and waits until it has recovered and answers.
    pub fn start_again(&mut self) -> Result<(), PostgresError> {
        self.site.start()
    }
}

impl Site {
    /// A directory for a cluster, and who will remove it.
    fn make(listen: Listen) -> Result<(Self, Watchdog), PostgresError> {
        let installation = Installation::find()?;
        let directory = make_directory()?;
        // From here on the watchdog removes the directory, whatever happens to this process.
        let user = ServerUser::of_directory(&directory)?;
        user.take_over(&directory)?;
        let mut watchdog = Watchdog::start(&directory, user)?;
        let installation = installation.reachable_for(user, &directory)?;
        watchdog.tell(installation.bin())?;
        Ok((Self { directory, installation, user, listen, port: SOCKET_PORT }, watchdog))
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn url(&self, database: &str) -> String {
        let port = self.port;
        match self.listen {
            Listen::Loopback => format!("postgres://{SUPERUSER}@127.0.0.1:{port}/{database}"),
            Listen::UnixSocket => {
                let socket = self.directory.to_string_lossy();
                let host = utf8_percent_encode(&socket, NON_ALPHANUMERIC);
                format!("postgres://{host}:{port}/{database}?user={SUPERUSER}")
            }
        }
    }

    fn init(&self) -> Result<(), PostgresError> {
        let mut initdb = self.server_program("initdb");
        initdb.args(["-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "-U", SUPERUSER]);
        error::run(&mut initdb).map(drop)
    }

    /// Writes what differs from `initdb`'s settings. PostgreSQL takes the last of several lines for one name.
    fn configure(&self, options: &ClusterOptions) -> Result<(), PostgresError> {
        let addresses = match self.listen {
            Listen::UnixSocket => "",
            Listen::Loopback => "127.0.0.1",
        };
        let durable = match options.fsync {
            Fsync::Off => "off",
            Fsync::On => "on",
        };
        let fixed = [
            ("listen_addresses", addresses.to_owned()),
            ("port", self.port.to_string()),
            ("unix_socket_directories", self.directory.to_string_lossy().into_owned()),
            ("max_connections", CONNECTIONS_MAX.to_string()),
            ("fsync", durable.to_owned()),
            ("full_page_writes", durable.to_owned()),
        ];
        let asked = options.settings.iter().map(|(name, value)| (name.as_str(), value.clone()));
        let lines: Vec<String> = fixed
            .into_iter()
            .chain(asked)
            .map(|(name, value)| format!("{name} = '{}'\n", value.replace('\'', "''")))
            .collect();
        let file = self.data().join("postgresql.auto.conf");
        fs::write(&file, lines.concat()).map_err(PostgresError::io("write", &file))
    }

    fn start(&self) -> Result<(), PostgresError> {
        let log = self.directory.join("server.log");
        let log = log.to_string_lossy();
        self.pg_ctl(&["-t", "120", "-l", &log, "start"]).map_err(|error| self.with_log(error))
    }

    /// A port found free may be taken again before PostgreSQL binds it; then another one is tried.
    fn start_on_free_port(&mut self, options: &ClusterOptions) -> Result<(), PostgresError> {
        let mut attempt = 1;
        loop {
            self.port = free_port().map_err(PostgresError::io("find a free port for", &self.directory))?;
            self.configure(options)?;
            match self.start() {
                Ok(()) => return Ok(()),
                Err(error) if attempt == PORT_ATTEMPTS_MAX => return Err(error),
                Err(_) => attempt += 1,
            }
        }
    }

    fn pg_ctl(&self, arguments: &[&str]) -> Result<(), PostgresError> {
        let mut pg_ctl = self.server_program("pg_ctl");
        pg_ctl.arg("-w").args(arguments);
        error::run(&mut pg_ctl).map(drop)
    }

    /// One of PostgreSQL's programs, as the user that owns the data.
    fn server_program(&self, name: &str) -> Command {
        let mut command = self.user.command(&self.installation.program(name));
        command.arg("-D").arg(self.data()).current_dir(&self.directory);
        command
    }

    /// `pg_ctl` says only that the server did not start; why stands in the server's log.
    fn with_log(&self, error: PostgresError) -> PostgresError {
        match fs::read_to_string(self.directory.join("server.log")) {
            Ok(log) => error.with_output(&log),
            Err(_) => error,
        }
    }
}

fn make_directory() -> Result<PathBuf, PostgresError> {
    let parent = std::env::temp_dir();
    let directory = tempfile::Builder::new()
        .prefix("rampart-pg-")
        .tempdir_in(&parent)
        .map_err(PostgresError::io("make a directory in", &parent))?;
    if directory.path().as_os_str().len() > SOCKET_DIRECTORY_LENGTH_MAX {
        return Err(PostgresError::SocketPathTooLong { directory: parent });
    }
    Ok(directory.keep())
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use rampart_core::AccountId;

/// A self-hosted Resource Access Manager: one account offers resources, another accepts or rejects them.
///
/// The AWS CLI, the AWS SDKs and Terraform work against it unchanged: point AWS_ENDPOINT_URL at `rampart serve`.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Settings. Each can stand on the command line, in the environment, or in the file that --config names, in this order
/// of precedence.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Settings")]
pub(crate) struct Options {
    /// A TOML file with any of these settings, named as here (listen, store, auth, default-account, …)
    #[arg(long, global = true, env = "RAMPART_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where to listen; open mode takes loopback addresses only [default: 127.0.0.1:7266]
    #[arg(long, global = true, env = "RAMPART_LISTEN", value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where to answer /healthz, /readyz and /metrics, to whoever asks there, and nowhere else. Without it the first two
    /// are answered where --listen says, and metrics as well in open mode; in strict mode they need this address
    #[arg(long, global = true, env = "RAMPART_ADMIN_LISTEN", value_name = "ADDRESS")]
    pub(crate) admin_listen: Option<SocketAddr>,
    /// Speak TLS with this certificate: a PEM file, with those between it and its authority. Taken anew when it changes
    #[arg(long, global = true, env = "RAMPART_TLS_CERT", value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's private key, a PEM file
    #[arg(long, global = true, env = "RAMPART_TLS_KEY", value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Where the state is: sqlite:PATH or postgres://USER@HOST/DATABASE; with standbys, postgres://USER@ONE,TWO/DATABASE
    /// [default: sqlite:./rampart.db]
    #[arg(long, global = true, env = "RAMPART_STORE", value_name = "STORE", hide_env_values = true)]
    pub(crate) store: Option<String>,
    /// Who may call: `open` takes any key and a 12-digit key id is the account, `strict` takes keys made by
    /// `rampart key create` alone [default: open]
    #[arg(long, global = true, env = "RAMPART_AUTH", value_name = "MODE")]
    pub(crate) auth: Option<Auth>,
    /// Open mode: the account of callers whose key id names none [default: 123456789012]
    #[arg(long, global = true, env = "RAMPART_DEFAULT_ACCOUNT", value_name = "ACCOUNT")]
    pub(crate) default_account: Option<AccountId>,
    /// How long associations stay ASSOCIATING and DISASSOCIATING, as on AWS, where it takes a second or so: 0s, 500ms,
    /// 2s [default: 0s]
    #[arg(long, global = true, env = "RAMPART_SETTLE_DELAY", value_name = "DURATION")]
    pub(crate) settle_delay: Option<String>,
    /// How log lines are written, to standard error [default: text]
    #[arg(long, visible_alias = "log-format", global = true, env = "RAMPART_LOG", value_name = "FORMAT")]
    pub(crate) log: Option<LogFormat>,
    /// Which log lines are written: off, error, warn, info, debug, trace, or a filter such as
    /// info,rampart_server::request=debug, which adds a line for each request [default: info]
    #[arg(long, global = true, env = "RAMPART_LOG_LEVEL", value_name = "FILTER")]
    pub(crate) log_level: Option<String>,
    /// Send a trace of each request to an OpenTelemetry collector, over HTTP: https://HOST:4318, or http://HOST:4318 in
    /// a network that you trust. Off without it
    #[arg(long, global = true, env = "RAMPART_OTLP_ENDPOINT", value_name = "URL")]
    pub(crate) otlp_endpoint: Option<String>,
    /// A PEM file with the authorities that the collector must be certified by [default: those that this machine trusts]
    #[arg(long, global = true, env = "OTEL_EXPORTER_OTLP_CERTIFICATE", value_name = "FILE")]
    pub(crate) otlp_ca: Option<PathBuf>,
    /// A file with the master key that seals access keys (32 bytes, base64). Or put the key itself into
    /// RAMPART_MASTER_KEY. Without either, an SQLite store keeps one beside it, as PATH.key
    #[arg(long, global = true, env = "RAMPART_MASTER_KEY_FILE", value_name = "FILE")]
    pub(crate) master_key_file: Option<PathBuf>,
    /// A JSON file with resource types and permissions of your own, added to those of AWS or in the place of those of the
    /// same names. README says how to write one
    #[arg(long, global = true, env = "RAMPART_CATALOG", value_name = "FILE")]
    pub(crate) catalog: Option<PathBuf>,
    /// A PEM file with the authorities that PostgreSQL must be certified by; or `system` for those of this machine. The
    /// same as sslmode=verify-full and sslrootcert in the URL, which goes before
    #[arg(long, global = true, env = "RAMPART_STORE_CA", value_name = "FILE")]
    pub(crate) store_ca: Option<PathBuf>,
    /// Connections to PostgreSQL at the most [default: 16]
    #[arg(long, global = true, env = "RAMPART_STORE_CONNECTIONS", value_name = "NUMBER")]
    pub(crate) store_connections: Option<usize>,
    /// How long `serve` and `migrate` wait for a PostgreSQL that cannot be reached yet: 60s, 5m; a number is of
    /// seconds [default: 60s]
    #[arg(long, global = true, env = "RAMPART_WAIT_FOR_STORE", value_name = "DURATION")]
    pub(crate) wait_for_store: Option<String>,
    /// Partitions of a PostgreSQL store that is made now, 1 to 1024; fixed from then on [default: 64]
    #[arg(long, global = true, env = "RAMPART_STORE_PARTITIONS", value_name = "NUMBER")]
    pub(crate) store_partitions: Option<i64>,
    /// A quota other than AWS's: resource-shares=25000, resources-per-share=5000, principals-per-share=5000,
    /// sources-per-share=100, resource-associations=25000, principal-associations=25000, pending-invitations=20,
    /// customer-permissions=1500, customer-permissions-per-type=10, versions-per-permission=5, organization-accounts=10,
    /// organizational-units=2000, service-control-policies=2000. May be repeated; adds to those in RAMPART_QUOTA
    #[arg(long, global = true, value_name = "NAME=NUMBER", value_delimiter = ',')]
    pub(crate) quota: Vec<String>,
    // An argument of its own: of one argument clap takes the command line's values or the environment's, not both.
    #[arg(long, global = true, env = "RAMPART_QUOTA", value_delimiter = ',', hide = true)]
    pub(crate) quota_of_environment: Vec<String>,
    /// How long things that are over are kept: deleted-share=2h, deleted-permission=2h, finished-work=7d, ended-association=2h,
    /// answered-invitation=7d, accepted-invitation=association (as long as that lives; AWS forgets it after 7d),
    /// handshake=30d, account-creation=90d, event=7d, change-log=24h. May be repeated; adds to those in RAMPART_RETENTION
    #[arg(long, global = true, value_name = "NAME=DURATION", value_delimiter = ',')]
    pub(crate) retention: Vec<String>,
    #[arg(long, global = true, env = "RAMPART_RETENTION", value_delimiter = ',', hide = true)]
    pub(crate) retention_of_environment: Vec<String>,
    /// Let invited accounts leave a share whatever it holds; AWS allows it for 14 types of resources only
    #[arg(
        long,
        global = true,
        env = "RAMPART_LEAVE_ANY_TYPE",
        value_name = "BOOL",
        value_parser = BoolishValueParser::new(),
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub(crate) leave_any_type: Option<bool>,
    /// Open mode: let every list begin with an empty page and a token, as AWS's sometimes do, to test clients against it
    #[arg(
        long,
        global = true,
        env = "RAMPART_EMPTY_PAGES",
        value_name = "BOOL",
        value_parser = BoolishValueParser::new(),
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub(crate) empty_pages: Option<bool>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the server
    Serve,
    /// Accounts that the store knows
    #[command(subcommand)]
    Account(AccountCommand),
    /// A whole organization, from a file or from another endpoint
    #[command(subcommand)]
    Org(OrgCommand),
    /// Access keys: what strict mode verifies
    #[command(subcommand)]
    Key(KeyCommand),
    /// Make the store's tables, or bring them up to date
    Migrate,
    /// Write the whole store as lines of JSON, while servers may go on: a backup, or to move it to the other engine.
    /// Secrets stay sealed: keep the master key, too
    Export {
        /// A file that is not there yet; - is standard output
        #[arg(default_value = "-")]
        file: PathBuf,
    },
    /// Fill an empty store with what `export` wrote, from whichever engine
    Import {
        /// The file; - is standard input
        file: PathBuf,
    },
    /// Print the settings in force, without secrets
    Config,
    /// List resource types and their permissions, those of --catalog too, and whose actions are inferred
    Catalog {
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        output: OutputFormat,
    },
    /// List the operations of all services and which of them work
    Operations {
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        output: OutputFormat,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Register an account, or give a registered one another name
    Create {
        /// Twelve digits
        account: AccountId,
        /// A name for people
        #[arg(long, default_value = "")]
        name: String,
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        output: OutputFormat,
    },
    /// List the accounts that the store knows: registered ones, owners of keys, members of organizations
    List {
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        output: OutputFormat,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum OrgCommand {
    /// Make the organization what a YAML or JSON file says; prints what changes first
    Apply {
        /// The file
        file: PathBuf,
        #[command(flatten)]
        how: OrgChange,
    },
    /// Make the organization what another Organizations endpoint shows to its management account; prints what changes
    /// first
    Mirror {
        /// https://HOST, as https://organizations.us-east-1.amazonaws.com, or http://HOST:PORT. Certificates are held
        /// against those that the system trusts, or those in the file that SSL_CERT_FILE names
        #[arg(long)]
        endpoint: String,
        /// Leave tags as they are: reading them takes a call for each account, unit and policy
        #[arg(long)]
        without_tags: bool,
        #[command(flatten)]
        credentials: EndpointCredentials,
        /// The Region that requests are signed for
        #[arg(long, default_value = "us-east-1")]
        region: String,
        #[command(flatten)]
        how: OrgChange,
    },
}

/// As whom another endpoint is asked.
#[derive(Clone, Args)]
pub(crate) struct EndpointCredentials {
    /// The management account's access key id
    #[arg(long, env = "AWS_ACCESS_KEY_ID", value_name = "ID")]
    pub(crate) access_key_id: String,
    /// Its secret: better in the environment than on the command line
    #[arg(long, env = "AWS_SECRET_ACCESS_KEY", value_name = "SECRET", hide_env_values = true)]
    pub(crate) secret_access_key: String,
    /// Of temporary credentials
    #[arg(long, env = "AWS_SESSION_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub(crate) session_token: Option<String>,
}

impl std::fmt::Debug for EndpointCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EndpointCredentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// How an organization is changed.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct OrgChange {
    /// Remove accounts, units, services, policies, attachments and tags that are not named
    #[arg(long)]
    pub(crate) prune: bool,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make an access key. Its secret is printed once and cannot be read again
    Create {
        /// The account whose calls it signs; registered if it was not
        #[arg(long)]
        account: AccountId,
        /// A user of the account; without it the key is the account's own
        #[arg(long, default_value = "")]
        user: String,
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        output: OutputFormat,
    },
    /// List an account's access keys, without their secrets
    List {
        /// The account
        #[arg(long)]
        account: AccountId,
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        output: OutputFormat,
    },
    /// Disable an access key: servers refuse it within a second
    Disable {
        /// AKIA…
        access_key_id: String,
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        output: OutputFormat,
    },
}

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Auth {
    Open,
    Strict,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// For reading
    #[default]
    Text,
    /// For programs
    Json,
}

//! `rampart serve` and `rampart migrate`.

use std::net::SocketAddr;
use std::sync::Arc;

use rampart_server::{App, Entropy, Server, background};
use rampart_store::{MasterKey, Store};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Auth, LogFormat};
use crate::config::Config;
use crate::traces::Traces;
use crate::{master_key, output, store, telemetry};

pub(crate) async fn serve(config: &Config) -> anyhow::Result<()> {
    telemetry::start(config)?;
    raise_descriptor_limit();
    let catalog = config.catalog()?;
    let (store, _) = store::wait_and_open(config).await?;
    let master_key = find_master_key(config, &store).await?;
    let app = App::with_catalog(store.clone(), config.settings(), master_key, Entropy::system(), catalog);
    let mut server = Server::bind(config.listen, Arc::clone(&app)).await?;
    if let Some(address) = config.admin_listen {
        server = server.with_admin(address).await?;
    }
    if let Some(files) = config.tls.clone() {
        server = server.with_tls(files)?;
    }
    let start_traces = |endpoint| Traces::start(endpoint, config.otlp_ca.as_deref());
    let traces = config.otlp_endpoint.as_deref().map(start_traces).transpose()?;
    if let Some(traces) = &traces {
        server = server.with_observer(traces.observer());
    }
    let address = server.address()?;
    // Before the greeting: who reads it may stop the server at once.
    let stop = stop_signal()?;
    match config.log {
        LogFormat::Text => output::text(&greeting(config, address, server.admin_address()))?,
        // Who reads JSON reads standard output and standard error as one.
        LogFormat::Json => log_greeting(config, address, server.admin_address()),
    }
    let (stop_background, background_stopped) = tokio::sync::oneshot::channel::<()>();
    let background = tokio::spawn(background::run(app, async {
        // A dropped sender stops it too.
        let _ = background_stopped.await;
    }));
    server.run(stop).await;
    drop(stop_background);
    background.await?;
    store.close().await;
    if let Some(traces) = traces {
        traces.stop().await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// Every connection is a descriptor, and the usual soft limit is below what the edge lets in.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, current = limit.current, "the limit of open files stays as it is");
    }
}

/// In strict mode a server without a master key could let nobody in.
async fn find_master_key(config: &Config, store: &Store) -> anyhow::Result<Option<MasterKey>> {
    match config.auth {
        Auth::Open => master_key::find(config, store).await,
        Auth::Strict => master_key::find_or_make(config, store).await.map(Some),
    }
}

fn scheme(config: &Config) -> &'static str {
    if config.tls.is_some() { "https" } else { "http" }
}

fn log_greeting(config: &Config, address: SocketAddr, admin: Option<SocketAddr>) {
    let endpoint = format!("{}://{address}", scheme(config));
    let admin = admin.map(|address| format!("http://{address}"));
    let auth = match config.auth {
        Auth::Open => "open",
        Auth::Strict => "strict",
    };
    let (version, store, database) =
        (env!("CARGO_PKG_VERSION"), &config.store, config.store.implied_database());
    tracing::info!(version, endpoint, admin, %store, database, auth, "serving");
}

fn greeting(config: &Config, address: SocketAddr, admin: Option<SocketAddr>) -> String {
    let scheme = scheme(config);
    let (endpoint, port) = (format!("{scheme}://{address}"), address.port());
    let (mode, id, secret) = match config.auth {
        Auth::Open => {
            ("open: any key is taken, a 12-digit access key id is the account", "111111111111", "x")
        }
        Auth::Strict => ("strict: rampart key create --account ACCOUNT makes a key", "AKIA…", "…"),
    };
    let version = env!("CARGO_PKG_VERSION");
    // An address that means "everywhere" is no address to call.
    let call = if config.listen.ip().is_unspecified() {
        format!("{scheme}://127.0.0.1:{port}")
    } else {
        endpoint.clone()
    };
    let admin = admin.map_or_else(String::new, |address| format!("  admin     http://{address}\n"));
    let database = config.store.implied_database();
    let database = database.map_or_else(String::new, |database| format!(" (database {database})"));
    format!(
        "rampart {version}\n  endpoint  {endpoint}\n{admin}  store     {}{database}\n  auth      {mode}\n\n\
         export AWS_ENDPOINT_URL={call} AWS_DEFAULT_REGION=eu-west-1\n\
         export AWS_ACCESS_KEY_ID={id} AWS_SECRET_ACCESS_KEY={secret}\n\
         aws ram get-resource-shares --resource-owner SELF\n\n",
        config.store
    )
}

/// Resolves at SIGTERM or SIGINT.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: requests in flight are finished first");
    })
}

pub(crate) async fn migrate(config: &Config) -> anyhow::Result<()> {
    telemetry::start(config)?;
    let (store, migrated) = store::wait_and_open(config).await?;
    store.close().await;
    output::text(&if migrated.from == migrated.to {
        format!("{} is up to date (version {}).\n", config.store, migrated.to)
    } else {
        format!("{} was brought from version {} to {}.\n", config.store, migrated.from, migrated.to)
    })
}

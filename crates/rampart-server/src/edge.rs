//! The edge: sockets, limits and HTTP on one side, operations on the other.

mod body;
pub mod connections;
mod dispatch;
mod observed;
mod probes;
mod respond;
mod route;
mod tls;

pub(crate) use dispatch::{is_from_a_page, perform, read_form};

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::FutureExt;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use self::body::Buffers;
use self::connections::{Answers, Door};
pub use self::observed::{Observed, Observer};
use self::probes::Admin;
use self::tls::Tls;
pub use self::tls::{TlsError, TlsFiles};
use crate::app::App;
use crate::settings::EdgeLimits;
use crate::{AuthMode, own_api};

/// Connections of those who ask for health and metrics.
const ADMIN_CONNECTIONS_MAX: usize = 64;

/// A server that listens.
pub struct Server {
    listener: TcpListener,
    admin: Option<TcpListener>,
    tls: Option<Arc<Tls>>,
    observer: Option<Observer>,
    app: Arc<App>,
}

/// Why a server does not listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Open mode lets anybody in, so it stays on this machine.
    #[error(
        "open mode takes any key, so it listens on loopback addresses only, not on {0}: use --auth strict"
    )]
    OpenBeyondLoopback(SocketAddr),
    /// The system refuses.
    #[error("cannot listen on {address}: {source}")]
    System {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

impl Server {
    /// Listens on `address`; port 0 takes a free one.
    pub async fn bind(address: SocketAddr, app: Arc<App>) -> Result<Self, BindError> {
        if app.settings.auth == AuthMode::Open && !address.ip().is_loopback() {
            return Err(BindError::OpenBeyondLoopback(address));
        }
        Ok(Self { listener: listen(address).await?, admin: None, tls: None, observer: None, app })
    }

    /// Answers health and metrics on `address`, and there alone. Who can reach it can read them, unsigned.
    pub async fn with_admin(self, address: SocketAddr) -> Result<Self, BindError> {
        Ok(Self { admin: Some(listen(address).await?), ..self })
    }

    /// Speaks TLS, with this certificate, to everybody but those who ask for health and metrics on an address of their
    /// own.
    pub fn with_tls(self, files: TlsFiles) -> Result<Self, TlsError> {
        Ok(Self { tls: Some(Arc::new(Tls::load(files)?)), ..self })
    }

    /// Tells `observer` of every request that was answered.
    pub fn with_observer(self, observer: Observer) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// Where it listens.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Where it answers health and metrics, when that is another address.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// Serves until `stop` resolves, then finishes the requests in flight.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let limits = self.app.settings.limits;
        let buffers = Buffers::new(&limits);
        let edge = Edge {
            own_api: own_api::router(Arc::clone(&self.app)),
            buffers,
            observer: self.observer,
            has_admin: self.admin.is_some(),
            app: Arc::clone(&self.app),
        };
        let door = Door::with_tls(self.listener, self.tls.clone());
        let (serving, served) = oneshot::channel::<()>();
        let clients = async {
            let stop = async {
                stop.await;
                self.app.health.stop();
            };
            connections::serve(door, limits, Arc::new(edge), stop).await;
            drop(serving);
        };
        // Until the last request is finished: how long that takes is of interest, too.
        let admin = async {
            if let Some(listener) = self.admin {
                let limits = EdgeLimits { connections_max: ADMIN_CONNECTIONS_MAX, ..limits };
                let stop = served.map(drop);
                connections::serve(
                    Door::plain(listener),
                    limits,
                    Arc::new(Admin(Arc::clone(&self.app))),
                    stop,
                )
                .await;
            }
        };
        let certificates = async {
            match &self.tls {
                Some(tls) => tls.watch().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = async { tokio::join!(clients, admin) } => {}
            never = certificates => match never {},
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|source| BindError::System { address, source })
}

/// What connections share.
struct Edge {
    app: Arc<App>,
    observer: Option<Observer>,
    /// Whether health and metrics are answered elsewhere.
    has_admin: bool,
    own_api: axum::Router,
    buffers: Buffers,
}

impl Answers for Edge {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        dispatch::dispatch(self, request).await
    }

    fn opened(&self) {
        self.app.metrics.connections.inc();
    }

    fn closed(&self) {
        self.app.metrics.connections.dec();
    }
}

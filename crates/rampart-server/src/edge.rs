//! The edge: sockets, limits and HTTP on one side, operations on the other.

mod body;
pub mod connections;
mod dispatch;
mod respond;
mod route;

pub(crate) use dispatch::{is_from_a_page, perform};

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use tokio::net::TcpListener;

use self::body::Buffers;
use self::connections::Answers;
use crate::app::App;
use crate::{AuthMode, own_api};

/// A server that listens.
pub struct Server {
    listener: TcpListener,
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
        let system = |source| BindError::System { address, source };
        let listener = TcpListener::bind(address).await.map_err(system)?;
        Ok(Self { listener, app })
    }

    /// Where it listens.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` resolves, then finishes the requests in flight.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let limits = self.app.settings.limits;
        let buffers = Buffers::new(&limits);
        let edge = Edge { own_api: own_api::router(Arc::clone(&self.app)), buffers, app: self.app };
        connections::serve(self.listener, limits, Arc::new(edge), stop).await;
    }
}

/// What connections share.
struct Edge {
    app: Arc<App>,
    own_api: axum::Router,
    buffers: Buffers,
}

impl Answers for Edge {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        dispatch::dispatch(self, request).await
    }
}

//! Connections: accepted within the limits, closed when they idle, drained when the server stops.
//!
//! What the requests mean is the business of whoever [`Answers`] them.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::tls::Tls;
use crate::settings::EdgeLimits;

/// How long to let be when a connection cannot be accepted: the next try would fail as well.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Who is at the other end of a request's connection: one of the request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Gives every request its answer.
pub trait Answers: Send + Sync + 'static {
    /// The answer to one request.
    fn answer(&self, request: Request<Incoming>) -> impl Future<Output = Response<Full<Bytes>>> + Send;

    /// Hears of a connection that was accepted.
    fn opened(&self) {}

    /// Hears of its end.
    fn closed(&self) {}
}

/// Where connections come in.
pub struct Door {
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
}

impl Door {
    /// One for connections in clear text.
    pub fn plain(listener: TcpListener) -> Self {
        Self { listener, tls: None }
    }

    pub(super) fn with_tls(listener: TcpListener, tls: Option<Arc<Tls>>) -> Self {
        Self { listener, tls }
    }
}

/// Serves who connects to `door` until `stop` resolves, then finishes the requests in flight.
pub async fn serve(
    door: Door,
    limits: EdgeLimits,
    answers: Arc<impl Answers>,
    stop: impl Future<Output = ()>,
) {
    let Door { listener, tls } = door;
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let place = Arc::clone(&places).acquire_owned();
        let accepted = async {
            let place = place.await.expect("the semaphore is never closed");
            (listener.accept().await, place)
        };
        tokio::select! {
            () = &mut stop => break,
            (accepted, place) = accepted => match accepted {
                Ok((stream, peer)) => {
                    let (answers, stopped) = (Arc::clone(&answers), stopped.clone());
                    let tls = tls.as_ref().map(|tls| tls.acceptor());
                    connections.spawn(async move {
                        let open = Open::new(Arc::clone(&answers));
                        greet(tls, answers, stream, Peer(peer), limits, stopped).await;
                        drop((open, place));
                    });
                }
                // Out of descriptors or the like: those in use come free as connections end.
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    if timeout(ACCEPT_PAUSE, &mut stop).await.is_ok() {
                        break;
                    }
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    let _ = stopping.send(true);
    let drained = async { while connections.join_next().await.is_some() {} };
    if timeout(limits.drain_timeout, drained).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
}

/// A connection that is open, for as long as the value lives: one whose task ends by a panic or is aborted ends too.
struct Open<A: Answers>(Arc<A>);

impl<A: Answers> Open<A> {
    fn new(answers: Arc<A>) -> Self {
        answers.opened();
        Self(answers)
    }
}

impl<A: Answers> Drop for Open<A> {
    fn drop(&mut self) {
        self.0.closed();
    }
}

/// What a connection is doing, so that an idle one can be told from a slow request.
struct Activity {
    started: Instant,
    in_flight: AtomicUsize,
    /// Milliseconds from `started` to the end of the last request.
    last_ms: AtomicU64,
}

/// A request in flight, for as long as the value lives: one that its client cancels has ended too.
struct InFlight(Arc<Activity>);

impl InFlight {
    fn begin(activity: &Arc<Activity>) -> Self {
        activity.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(activity))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let ms = u64::try_from(self.0.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.last_ms.store(ms, Ordering::Relaxed);
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Agrees with the client on how to speak, if there is anything to agree on, and serves it.
async fn greet(
    tls: Option<TlsAcceptor>,
    answers: Arc<impl Answers>,
    stream: TcpStream,
    peer: Peer,
    limits: EdgeLimits,
    mut stopped: watch::Receiver<bool>,
) {
    // Answers are small: waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return serve_connection(answers, stream, peer, limits, stopped).await };
    let shaken = tokio::select! {
        shaken = timeout(limits.head_timeout, tls.accept(stream)) => shaken,
        _ = stopped.changed() => return,
    };
    match shaken {
        // In a box: it is larger than what is kept of a connection besides.
        Ok(Ok(stream)) => serve_connection(answers, Box::new(stream), peer, limits, stopped).await,
        // Whom it does not suit is free to go.
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake was not finished in time"),
    }
}

async fn serve_connection(
    answers: Arc<impl Answers>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    limits: EdgeLimits,
    mut stopped: watch::Receiver<bool>,
) {
    let activity = Arc::new(Activity {
        started: Instant::now(),
        in_flight: AtomicUsize::new(0),
        last_ms: AtomicU64::new(0),
    });
    let service = service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let (answers, in_flight) = (Arc::clone(&answers), InFlight::begin(&activity));
        async move {
            let response = answers.answer(request).await;
            drop(in_flight);
            Ok::<_, Infallible>(response)
        }
    });
    let builder = protocols(&limits);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    loop {
        let idle_until = activity.started
            + Duration::from_millis(activity.last_ms.load(Ordering::Relaxed))
            + limits.idle_timeout;
        let check_at = idle_until.max(Instant::now() + limits.idle_timeout / 8);
        tokio::select! {
            // A client that breaks the protocol or goes away is its own affair.
            result = connection.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
            _ = stopped.changed() => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
                return;
            }
            () = tokio::time::sleep_until(check_at.into()) => {
                let idle = activity.in_flight.load(Ordering::Relaxed) == 0;
                if idle && Instant::now() >= idle_until {
                    return;
                }
            }
        }
    }
}

fn protocols(limits: &EdgeLimits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.head_bytes_max)
        .keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams_max)
        .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX))
        .keep_alive_interval(limits.idle_timeout / 3)
        .keep_alive_timeout(limits.head_timeout);
    builder
}

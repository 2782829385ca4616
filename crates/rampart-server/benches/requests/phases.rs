//! What is measured: the phases over HTTP. The storage alone stands in `storage`.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use rampart_core::{AccountId, Timing};
use rampart_server::edge::connections::{Answers, Door, serve};
use rampart_server::settings::EdgeLimits;
use rampart_server::{App, AuthMode, Clock, Entropy, Server, Settings};
use rampart_store::{MasterKey, ShareCursor, ShareScope, Store};
use rampart_testkit::load::accounts::{Registered, fresh_account, register};
use rampart_testkit::load::rows::{SHARE_NAME, resource_arn};
use rampart_testkit::load::{self, Connection, Sample, Seen, signed};
use rampart_testkit::server::REGION;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::options::{Options, Part, Place};
use crate::storage;

/// Accounts that a connection creates shares for, in turn: more shares than one account may have are made.
const ACCOUNTS_PER_CONNECTION: usize = 8;

/// One line of the table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Phase {
    pub(crate) part: Part,
    pub(crate) connections: u32,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, who) = match self.part {
            Part::Echo => ("echo", "connection"),
            Part::Reads => ("GetResourceShares", "connection"),
            Part::Creates => ("CreateResourceShare", "connection"),
            Part::Storage => ("storage alone", "writer"),
            Part::Start => ("start", "process"),
        };
        let many = if self.connections == 1 { "" } else { "s" };
        write!(f, "{what}, {} {who}{many}", self.connections)
    }
}

impl Phase {
    /// Those that the options ask for, in the order in which every round runs them.
    pub(crate) fn chosen(options: &Options) -> Vec<Self> {
        let parts = [Part::Echo, Part::Reads, Part::Creates, Part::Storage].into_iter();
        let chosen = parts.filter(|part| options.runs(*part));
        let counts = |part| options.connections.iter().map(move |count| Self { part, connections: *count });
        chosen.flat_map(counts).collect()
    }

    /// Measures it once, on a runtime as `rampart serve` has it.
    pub(crate) fn run(self, options: &Options) -> anyhow::Result<Sample> {
        let duration = options.duration()?;
        let count = usize::try_from(self.connections)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let seen = runtime.block_on(async {
            match self.part {
                Part::Echo | Part::Start => echo(count, duration).await,
                Part::Reads => reads(&options.place()?, count, duration).await,
                Part::Creates => creates(&options.place()?, count, duration).await,
                Part::Storage => storage::alone(&options.place()?, count, duration).await,
            }
        })?;
        seen.sample(duration)
    }
}

/// Answers every request with the same small JSON, once it has read the request.
struct Echo;

impl Answers for Echo {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        const ANSWER: &str = concat!(
            r#"{"resourceShares":[{"resourceShareArn":"arn:aws:ram:eu-west-1:123456789012:resource-share/"#,
            r#"7ab63972-b505-7e2a-420d-6f5d3EXAMPLE","name":"network","owningAccountId":"123456789012","#,
            r#""allowExternalPrincipals":true,"status":"ACTIVE","tags":[],"creationTime":1634586271.302,"#,
            r#""lastUpdatedTime":1634586271.302,"featureSet":"STANDARD"}]}"#,
            "\n"
        );
        let _ = request.into_body().collect().await;
        let mut response = Response::new(Full::new(Bytes::from_static(ANSWER.as_bytes())));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

/// The bare HTTP stack, asked with the very requests that the reads send.
async fn echo(connections: usize, duration: Duration) -> anyhow::Result<Seen> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(Door::plain(listener), EdgeLimits::default(), Arc::new(Echo), async {
        let _ = stopped.await;
    }));
    let requests = (0..connections).map(|_| Ok(vec![read_request(&Registered::made_up(fresh_account()?))]));
    let seen = generate(address, requests.collect::<anyhow::Result<_>>()?, duration).await;
    drop(stop);
    server.await?;
    seen
}

/// The caller's own shares, of which there is one.
async fn reads(place: &Place, connections: usize, duration: Duration) -> anyhow::Result<Seen> {
    let subject = Subject::start(place, connections, true).await?;
    let requests = subject.callers.iter().map(|caller| vec![read_request(caller)]).collect();
    let seen = generate(subject.address, requests, duration).await;
    subject.stop().await?;
    seen
}

/// Shares with a name and one resource, durable when they are answered.
async fn creates(place: &Place, connections: usize, duration: Duration) -> anyhow::Result<Seen> {
    let subject = Subject::start(place, connections * ACCOUNTS_PER_CONNECTION, false).await?;
    let per_connection = subject.callers.chunks(ACCOUNTS_PER_CONNECTION);
    let requests = per_connection.map(|callers| callers.iter().map(create_request).collect()).collect();
    let seen = generate(subject.address, requests, duration).await?;
    let stored = subject.stored().await?;
    anyhow::ensure!(
        stored == seen.answered,
        "{} creates were acknowledged, but {stored} shares are stored",
        seen.answered
    );
    subject.stop().await?;
    Ok(seen)
}

fn read_request(caller: &Registered) -> Vec<u8> {
    signed::request(&caller.credentials(), "/getresourceshares", r#"{"resourceOwner":"SELF"}"#)
}

fn create_request(caller: &Registered) -> Vec<u8> {
    let body = format!(r#"{{"name":"{SHARE_NAME}","resourceArns":["{}"]}}"#, resource_arn(caller.account));
    signed::request(&caller.credentials(), "/createresourceshare", &body)
}

async fn generate(
    address: SocketAddr,
    requests: Vec<Vec<Vec<u8>>>,
    duration: Duration,
) -> anyhow::Result<Seen> {
    let connections = requests.into_iter().map(|requests| Connection { address, requests }).collect();
    tokio::task::spawn_blocking(move || load::run(connections, duration)).await?
}

/// A server in strict mode on a store of its own, and callers whose keys it knows.
struct Subject {
    store: Store,
    callers: Vec<Registered>,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: tokio::task::JoinHandle<()>,
}

impl Subject {
    async fn start(place: &Place, callers: usize, with_shares: bool) -> anyhow::Result<Self> {
        let (store, _) = Store::open(&place.location, Place::options()).await?;
        let master_key = MasterKey::generate();
        let callers = register(&store, &master_key, callers, with_shares).await?;
        let settings = Settings::new(AuthMode::Strict, fresh_account()?);
        let app = App::new(store.clone(), settings, Some(master_key), Entropy::system());
        let server = Server::bind(SocketAddr::from(([127, 0, 0, 1], 0)), app).await?;
        let address = server.address()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        Ok(Self { store, callers, address, stop, server })
    }

    /// How many shares the callers have in the store.
    async fn stored(&self) -> anyhow::Result<usize> {
        let reader = self.store.reader().await?;
        let (region, now, timing) = (REGION.parse()?, Clock::real(), Timing::default());
        let mut stored = 0;
        for caller in &self.callers {
            let account: AccountId = caller.account;
            let scope = ShareScope::Owned;
            let start = ShareCursor::START;
            stored += reader.shares(scope, account, region, start, now, &timing, u32::MAX).await?.len();
        }
        Ok(stored)
    }

    async fn stop(self) -> anyhow::Result<()> {
        drop(self.stop);
        self.server.await?;
        self.store.close().await;
        Ok(())
    }
}

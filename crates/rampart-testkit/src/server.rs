//! A server as users run it (sockets, signatures, store), inside the test's runtime and on a port of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rampart_core::access_key::{AccessKey, access_key_id};
use rampart_core::catalog::Catalog;
use rampart_core::iam::identity::identity_id;
use rampart_core::iam::{IamName, IamPath, Identity, IdentityKind, Nature};
use rampart_core::{AccountId, Change, SharingEvent};
use rampart_server::edge::TlsFiles;
use rampart_server::operations::Operation;
use rampart_server::{App, AuthMode, Clock, Entropy, Server, Settings};
use rampart_server::{background, in_process};
use rampart_store::{Abort, Follower, Location, MasterKey, Options, Reader, Store, Transaction, Work};
use rusqlite::types::ValueRef;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::{Client, Http, Key, http, query};
use crate::mirror::{Following, Mirror};
use crate::postgres::{PostgresCluster, TestDatabase};
use crate::tls;

/// The Region that clients sign for unless they are told another.
pub const REGION: &str = "eu-west-1";
/// The account of callers whose key says nothing.
pub const DEFAULT_ACCOUNT: &str = "123456789012";

/// A store's file in its directory.
const SQLITE_FILE: &str = "rampart.db";

/// Which engine a server's state is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// A file in a temporary directory.
    Sqlite,
    /// A new database of the cluster that this process's tests share.
    Postgres,
}

/// A running server. Ends with the value.
pub struct TestServer {
    address: SocketAddr,
    app: Arc<App>,
    store: Store,
    master_key: MasterKey,
    http: Http,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<()>>,
    home: Arc<Home>,
}

/// Where the store is; removed with the last node on it.
enum Home {
    Directory(TempDir),
    Database(TestDatabase),
}

/// Runs `test` once on each store, each time on an empty server in open mode.
pub async fn for_each_store(test: impl AsyncFn(TestServer)) {
    for_each_store_with(settings(), test).await;
}

/// Runs `test` once on each store, each time on an empty server with these settings. Whatever the test did, the change
/// log must have told it.
pub async fn for_each_store_with(settings: Settings, test: impl AsyncFn(TestServer)) {
    for kind in [StoreKind::Sqlite, StoreKind::Postgres] {
        // Shown only when the test fails: it says on which store.
        eprintln!("on {kind:?}");
        let server = TestServer::start(kind, settings).await;
        let (store, home) = (server.store.clone(), Arc::clone(&server.home));
        Box::pin(test(server)).await;
        Box::pin(assert_log_tells_all(&store)).await;
        drop(home);
    }
}

/// That the change log, read from its beginning, gives the rows that stand in the tables. A log that was trimmed cannot.
async fn assert_log_tells_all(store: &Store) {
    let (mut heard, mut follower) = (Following::default(), Follower::from_start(store.clone()));
    // A test may have closed its store.
    if follower.poll(&mut heard).await.is_err() || heard.forgotten > 0 {
        return;
    }
    let snapshot = store.snapshot().await.expect("the store can be read");
    heard.mirror.assert_same(&Mirror::of(&snapshot).await);
}

/// Open mode, no delays, the default limits.
pub fn settings() -> Settings {
    Settings::new(AuthMode::Open, DEFAULT_ACCOUNT.parse().expect("twelve digits"))
}

impl TestServer {
    /// Starts a server on a store of its own.
    pub async fn start(kind: StoreKind, settings: Settings) -> Self {
        Self::start_with_catalog(kind, settings, Catalog::embedded()).await
    }

    /// Starts one with another catalog than the embedded one.
    pub async fn start_with_catalog(kind: StoreKind, settings: Settings, catalog: &'static Catalog) -> Self {
        Self::start_changed(kind, &settings, catalog, |server| server).await
    }

    /// Starts one on SQLite that speaks TLS with the certificate of [`crate::tls`] of that name.
    pub async fn with_tls(name: &str, settings: Settings) -> Self {
        let [certificate, key] = ["pem", "key"].map(|kind| tls::file(&format!("{name}.{kind}")));
        let files = TlsFiles { certificate, key };
        let change = |server: Server| server.with_tls(files).expect("the tests' certificates can be used");
        Self::start_changed(StoreKind::Sqlite, &settings, Catalog::embedded(), change).await
    }

    async fn start_changed(
        kind: StoreKind,
        settings: &Settings,
        catalog: &'static Catalog,
        change: impl FnOnce(Server) -> Server,
    ) -> Self {
        let home = make_home(kind);
        let store = open(&home).await;
        Self::serve(Arc::new(home), store, MasterKey::generate(), settings, catalog, change).await
    }

    /// Starts another node on the same store, with a clock of its own. On PostgreSQL it has connections of its own; a
    /// SQLite store is one process's, so there it shares the writer.
    pub async fn another_node(&self, settings: &Settings) -> Self {
        let store = match &*self.home {
            Home::Directory(_) => self.store.clone(),
            home @ Home::Database(_) => open(home).await,
        };
        let (home, key) = (Arc::clone(&self.home), self.master_key.clone());
        Self::serve(home, store, key, settings, Catalog::embedded(), |server| server).await
    }

    async fn serve(
        home: Arc<Home>,
        store: Store,
        master_key: MasterKey,
        settings: &Settings,
        catalog: &'static Catalog,
        change: impl FnOnce(Server) -> Server,
    ) -> Self {
        let key = Some(master_key.clone());
        let app = App::with_catalog(store.clone(), *settings, key, Entropy::system(), catalog);
        let server = Server::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Arc::clone(&app))
            .await
            .expect("the loopback address has a free port");
        let server = change(server);
        let address = server.address().expect("a bound socket has an address");
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(server.run(async {
            // A dropped sender stops it too.
            let _ = stopped.await;
        }));
        Self { address, app, store, master_key, http: http(), stop: Some(stop), running: Some(running), home }
    }

    /// Starts one in open mode on SQLite: for what does not depend on the store.
    pub async fn sqlite() -> Self {
        Self::start(StoreKind::Sqlite, settings()).await
    }

    /// The server without its sockets.
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client of an account in open mode: its key id is the account's id.
    pub fn account(&self, account: &str) -> Client {
        self.client(Key { id: account.to_owned(), secret: "x".to_owned() })
    }

    /// A client that signs with any key.
    pub fn client(&self, key: Key) -> Client {
        Client::new(self.http.clone(), self.address, key, REGION)
    }

    /// Calls an operation of RAM or Organizations past the sockets, as an account in open mode: for very many calls.
    /// Gives its output, or the code of the error without its `Exception`.
    pub async fn perform(
        &self,
        account: &str,
        region: &str,
        operation: &'static Operation,
        input: &Value,
    ) -> Result<Value, String> {
        let account = account.parse().expect("a test's account has twelve digits");
        let region = region.parse().expect("a test's Region is well-formed");
        let (query, body) = match (operation.method, operation.name) {
            ("DELETE" | "GET", _) | (_, "PromoteResourceShareCreatedFromPolicy") => {
                (query(input), Bytes::new())
            }
            _ => (String::new(), Bytes::from(input.to_string())),
        };
        let answer = in_process::call(&self.app, (account, region), operation, query, body).await;
        match answer {
            Ok(body) => Ok(serde_json::from_str(&body).expect("the server answers in JSON")),
            Err(code) => Err(code.strip_suffix("Exception").unwrap_or(code).to_owned()),
        }
    }

    /// Moves the server's time forward.
    pub fn advance(&self, by: Duration) {
        self.app.clock().advance(i64::try_from(by.as_millis()).expect("a test's time is short"));
    }

    /// The server's time, in epoch seconds as on the wire.
    pub fn now_s(&self) -> f64 {
        let text = serde_json::to_string(&self.app.clock().now()).expect("a time serializes");
        text.parse().expect("a time is a number")
    }

    /// Lets background work do all that is due, as the server does every so often; says how much it was.
    pub async fn sweep(&self) -> usize {
        background::sweep(&self.app).await.expect("the store takes what background work does")
    }

    /// The events that were recorded for shares of this account, in order.
    pub async fn events(&self, account: &str) -> Vec<SharingEvent> {
        let account = account.parse().expect("a test's account has twelve digits");
        let reader = self.store.reader().await.expect("the store can be read");
        let events = reader.sharing_events(self.store.partition_of(account), 1000).await;
        events.expect("the store can be read").into_iter().filter(|event| event.owner == account).collect()
    }

    /// The store itself.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// A reader of the store.
    pub async fn reader(&self) -> Reader {
        self.store.reader().await.expect("the store can be read")
    }

    /// Writes rows of `account` as operations would leave them, a thousand in a transaction: for stores of many.
    pub async fn fill(&self, account: &str, changes: &[Change]) {
        let account = account.parse().expect("a test's account has twelve digits");
        for some in changes.chunks(1000) {
            let fill = Fill(some.into());
            self.store.write(self.store.partition_of(account), fill).await.expect("the store takes rows");
        }
    }

    /// Asks the store's tables directly: a row of the answer is a line, its columns are separated by `|`.
    pub fn sql(&self, text: &str) -> Vec<String> {
        match &*self.home {
            Home::Directory(directory) => sqlite_rows(&directory.path().join(SQLITE_FILE), text),
            Home::Database(database) => {
                let rows = database.sql(text).unwrap_or_else(|error| panic!("{error}"));
                rows.lines().map(str::to_owned).collect()
            }
        }
    }

    /// The URL of its store, on PostgreSQL.
    pub fn postgres_url(&self) -> Option<&str> {
        match &*self.home {
            Home::Directory(_) => None,
            Home::Database(database) => Some(database.url()),
        }
    }

    /// How many rows a table has.
    pub fn count(&self, table: &str) -> u32 {
        let rows = self.sql(&format!("SELECT count(*) FROM {table}"));
        rows[0].parse().expect("a count is a number")
    }

    /// Registers a key of `account`, as `rampart key create` does.
    pub async fn create_key(&self, account: &str, user: &str) -> Key {
        let account = account.parse().expect("a test's account has twelve digits");
        let mut random = [0; 5];
        Entropy::system().fill(&mut random);
        let id = access_key_id(account, random);
        let secret = format!("secret-of-{id}");
        let key = AccessKey {
            sealed_secret: self.master_key.seal(&secret, &id),
            id: id.clone(),
            account,
            user: user.to_owned(),
            active: true,
            created: Clock::real(),
        };
        self.store_key(key, new_user(account, user)).await;
        Key { id, secret }
    }

    /// Disables a registered key, as `rampart key disable` does.
    pub async fn disable_key(&self, key: &Key) {
        let reader = self.store.reader().await.expect("the store can be read");
        let known = reader.access_key(&key.id).await.expect("the store can be read");
        drop(reader);
        self.store_key(AccessKey { active: false, ..known.expect("the key is registered") }, None).await;
    }

    async fn store_key(&self, key: AccessKey, user: Option<Identity>) {
        let part = self.store.partition_of(key.account);
        self.store.write(part, StoreKey { key, user }).await.expect("the store takes keys");
    }

    /// Tells the server to stop. Returns at once; [`Self::stopped`] waits.
    pub fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// Waits until the server has finished.
    pub async fn stopped(&mut self) {
        if let Some(running) = self.running.take() {
            running.await.expect("the server does not panic");
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.abort();
        }
    }
}

fn make_home(kind: StoreKind) -> Home {
    match kind {
        StoreKind::Sqlite => {
            Home::Directory(tempfile::tempdir().expect("the machine has room for a temporary directory"))
        }
        StoreKind::Postgres => {
            let cluster = PostgresCluster::shared().unwrap_or_else(|error| panic!("{error}"));
            Home::Database(cluster.create_database().unwrap_or_else(|error| panic!("{error}")))
        }
    }
}

async fn open(home: &Home) -> Store {
    let location = match home {
        Home::Directory(directory) => Location::Sqlite(directory.path().join(SQLITE_FILE)),
        Home::Database(database) => database.url().parse().expect("the test kit writes a PostgreSQL URL"),
    };
    let options = Options { connections_max: 8, ..Options::default() };
    let (store, _) = Store::open(&location, options).await.expect("a test's store can be opened");
    store
}

fn sqlite_rows(file: &Path, text: &str) -> Vec<String> {
    let connection = rusqlite::Connection::open(file).expect("the store's file is there");
    let mut statement = connection.prepare(text).expect("the test's SQL is SQLite's");
    let columns = statement.column_count();
    let line = |row: &rusqlite::Row<'_>| {
        let column = |at| {
            Ok(match row.get_ref(at)? {
                ValueRef::Integer(n) => n.to_string(),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                ValueRef::Null => String::new(),
                other => panic!("a test asks for numbers and texts, not {other:?}"),
            })
        };
        Ok((0..columns).map(column).collect::<rusqlite::Result<Vec<_>>>()?.join("|"))
    };
    let rows = statement.query_map([], line).expect("the test's SQL can be run");
    rows.collect::<rusqlite::Result<_>>().expect("the store's rows can be read")
}

/// A user who may do nothing; none for the root.
fn new_user(account: AccountId, name: &str) -> Option<Identity> {
    let name = IamName::of_identity(name, "UserName").ok()?;
    let mut random = [0; 17];
    Entropy::system().fill(&mut random);
    Some(Identity {
        account,
        nature: Nature::User,
        name,
        path: IamPath::root(),
        id: identity_id(IdentityKind::User, random),
        tags: Vec::new(),
        created: Clock::real(),
    })
}

struct Fill(Vec<Change>);

impl Work for Fill {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        tx.apply(&self.0, Clock::real()).await?;
        Ok(())
    }
}

/// Stores a key, and its user if there is none of that name.
struct StoreKey {
    key: AccessKey,
    user: Option<Identity>,
}

impl Work for StoreKey {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        let mut changes = vec![Change::AccessKeyStored(self.key.clone())];
        if let Some(user) = &self.user {
            let known = tx.iam_identity(user.account, IdentityKind::User, &user.name).await?;
            changes.extend(known.is_none().then(|| Change::IdentityStored(user.clone())));
        }
        tx.apply(&changes, self.key.created).await?;
        Ok(())
    }
}

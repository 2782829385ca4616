//! Who is calling: the account and the principal behind a signature (architecture: Identity).
//!
//! A caller is read once and kept, with the version that the store had of it before. It is good for as long as that is its
//! version: `versions` asks, once a second for all callers together.

mod caller;
mod policies;
mod session;
mod versions;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use rampart_aws::sigv4::{Presented, RequestParts, SigningKey};
use rampart_core::access_key::{account_of_access_key, account_of_session_key};
use rampart_core::{AccountId, Region, TimestampMs};
use rampart_store::{CallerVersion, MasterKey, Store};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub(crate) use self::caller::{Caller, Who};
pub(crate) use self::policies::{CompiledPolicy, Grants, PolicyCache};
pub(crate) use self::session::{IssuedSession, Session, SessionBearer, new_secret};
use self::versions::{Reading, Versions};
use crate::app::App;
use crate::failure::Failure;
use crate::{AuthMode, Clock};

/// Signing keys kept ready; those that were not used for long make room.
const CACHED_KEYS_MAX: usize = 10_000;

/// The callers of late, ready to verify and to authorize.
pub(crate) struct KeyRing {
    master_key: Option<MasterKey>,
    /// Seals session tokens: the master key, or in open mode without one a key that all nodes of the store have.
    session_key: MasterKey,
    ready: Cache<ReadyId, Arc<ReadyKey>>,
    versions: Versions,
    pub(crate) policies: PolicyCache,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct ReadyId {
    access_key_id: String,
    date: String,
    region: Region,
    service: &'static str,
}

/// The same as it stands in a request, so that looking a key up copies nothing. Members in the order of [`ReadyId`]'s:
/// both must hash alike.
#[derive(Hash)]
struct AskedId<'a> {
    access_key_id: &'a str,
    date: &'a str,
    region: Region,
    service: &'static str,
}

impl Equivalent<ReadyId> for AskedId<'_> {
    fn equivalent(&self, id: &ReadyId) -> bool {
        self.access_key_id == id.access_key_id
            && self.date == id.date
            && self.region == id.region
            && self.service == id.service
    }
}

impl AskedId<'_> {
    fn to_ready_id(&self) -> ReadyId {
        let (access_key_id, date) = (self.access_key_id.to_owned(), self.date.to_owned());
        ReadyId { access_key_id, date, region: self.region, service: self.service }
    }
}

struct ReadyKey {
    signing_key: SigningKey,
    caller: Arc<Caller>,
    /// Digest of the session token that came with it; none for a long-term key.
    token: Option<[u8; 32]>,
    expires: Option<TimestampMs>,
    /// What the store's version of the caller was before it was read.
    version: CallerVersion,
}

impl ReadyKey {
    fn is_good(&self, token: Option<&[u8; 32]>, reading: &Reading) -> bool {
        let same_token = match (&self.token, token) {
            (Some(known), Some(presented)) => bool::from(known.ct_eq(presented)),
            (None, None) => true,
            _ => false,
        };
        same_token && self.version == self.caller.version(&reading.versions)
    }
}

impl KeyRing {
    pub(crate) fn new(master_key: Option<MasterKey>, store: &Store, auth: AuthMode) -> Self {
        let session_key = master_key.clone().unwrap_or_else(|| match auth {
            AuthMode::Open => open_session_key(store),
            // Who reads the store must not be able to make a session.
            AuthMode::Strict => MasterKey::generate(),
        });
        Self {
            master_key,
            session_key,
            ready: Cache::new(CACHED_KEYS_MAX),
            versions: Versions::default(),
            policies: PolicyCache::new(),
        }
    }

    /// What seals the secrets of long-term keys.
    pub(crate) fn master_key(&self) -> Option<&MasterKey> {
        self.master_key.as_ref()
    }

    /// Seals an answer that is kept for who asks again.
    pub(crate) fn seal_answer(&self, answer: &str, context: &str) -> String {
        STANDARD.encode(self.session_key.seal(answer, context))
    }

    /// Opens what [`Self::seal_answer`] made, as JSON text.
    pub(crate) fn open_answer(&self, sealed: &str, context: &str) -> Option<String> {
        let sealed: String = serde_json::from_str(sealed).ok()?;
        let sealed = STANDARD.decode(sealed).ok()?;
        self.session_key.open(&sealed, context).ok().map(|answer| answer.to_string())
    }

    /// Has callers read again that are not what they were: something of them was changed here.
    pub(crate) fn look_again(&self) {
        self.versions.expire();
    }
}

/// What open mode seals with when there is no master key: anybody may be anybody there, but a session that one node gave
/// out must be one on every other.
fn open_session_key(store: &Store) -> MasterKey {
    let digest = Sha256::new_with_prefix("rampart: sessions").chain_update(store.page_token_key()).finalize();
    MasterKey::of(digest.into())
}

/// What a key id stands for, before anybody knows whether the request was signed with it.
struct Credential {
    secret: Zeroizing<String>,
    session: Option<Session>,
    /// The user of a long-term key; empty for the root.
    user: String,
}

/// Finds out who signed the request, and whether they really did.
///
/// Open mode takes those at their word whose signature nobody can verify. Of these it checks neither the signature nor
/// its time, so that a fixed date does in tests; but as in strict mode the body must be signed, and be the one whose
/// hash is stated.
pub(crate) async fn authenticate(
    app: &App,
    parts: &RequestParts<'_>,
    presented: &Presented<'_>,
    region: Region,
    service: &'static str,
) -> Result<Arc<Caller>, Failure> {
    let id: &str = &presented.access_key_id;
    let is_open = app.settings.auth == AuthMode::Open;
    let token = presented.session_token.as_deref();
    let is_our_session = token.is_some_and(session::is_token);
    let unverified = |account: AccountId| {
        presented.check_payload(parts.body).map_err(Failure::Signature)?;
        Ok(Arc::new(Caller::unverified(account)))
    };
    // Twelve digits are the account.
    if let (true, false, Ok(account)) = (is_open, is_our_session, id.parse()) {
        return unverified(account);
    }
    let account = if is_our_session { account_of_session_key(id) } else { account_of_access_key(id) };
    let Some(account) = account else {
        let is_anybody = is_open && !is_our_session;
        return if is_anybody { unverified(app.settings.default_account) } else { Err(Failure::UnknownKey) };
    };
    let asked = AskedId { access_key_id: id, date: presented.scope.date, region, service };
    let digest = token.map(|token| Sha256::digest(token).into());
    let now_s = Clock::real().epoch_s();
    // Before the caller is read: what changes in between makes the caller's version an old one.
    let reading = app.keys.versions.current(&app.store, &app.metrics).await?;
    if let Some(ready) = app.keys.ready.get(&asked).filter(|ready| ready.is_good(digest.as_ref(), &reading)) {
        presented.verify(parts, &ready.signing_key, now_s).map_err(Failure::Signature)?;
        check_expiry(app, ready.expires)?;
        return Ok(Arc::clone(&ready.caller));
    }
    app.metrics.callers_read.inc();
    let found = if is_our_session {
        Some(open_session(app, id, token.unwrap_or_default())?)
    } else {
        find_key(app, &asked).await?
    };
    let credential = match found {
        Some(found) if is_our_session || token.is_none() => found,
        None if is_open => return unverified(app.settings.default_account),
        _ => return Err(Failure::UnknownKey),
    };
    presented.check_window(now_s).map_err(Failure::Signature)?;
    let signing_key = SigningKey::derive(&credential.secret, asked.date, region.as_str(), service);
    presented.verify(parts, &signing_key, now_s).map_err(Failure::Signature)?;
    let expires = credential.session.as_ref().map(|session| session.expires);
    check_expiry(app, expires)?;
    let caller = Arc::new(caller::load(app, account, &credential.user, credential.session).await?);
    // Only now: who cannot sign cannot fill the cache.
    let version = caller.version(&reading.versions);
    let ready = ReadyKey { signing_key, caller: Arc::clone(&caller), token: digest, expires, version };
    app.keys.ready.insert(asked.to_ready_id(), Arc::new(ready));
    Ok(caller)
}

fn check_expiry(app: &App, expires: Option<TimestampMs>) -> Result<(), Failure> {
    match expires {
        Some(expires) if app.clock.now() >= expires => Err(Failure::SessionExpired),
        _ => Ok(()),
    }
}

fn open_session(app: &App, id: &str, token: &str) -> Result<Credential, Failure> {
    let (secret, session) = Session::open(&app.keys.session_key, id, token).ok_or(Failure::UnknownKey)?;
    Ok(Credential { secret, session: Some(session), user: String::new() })
}

/// The long-term key of that id. `None` when the store knows no such key; a disabled key is refused in both modes.
async fn find_key(app: &App, asked: &AskedId<'_>) -> Result<Option<Credential>, Failure> {
    let Some(key) = app.store.reader().await?.access_key(asked.access_key_id).await? else {
        app.keys.ready.remove(asked);
        return Ok(None);
    };
    if !key.active {
        app.keys.ready.remove(asked);
        return Err(Failure::UnknownKey);
    }
    let Some(master_key) = &app.keys.master_key else {
        tracing::warn!(access_key_id = key.id, "a registered key was used, but the server has no master key");
        return Err(Failure::UnknownKey);
    };
    let secret = master_key.open(&key.sealed_secret, &key.id).map_err(|error| {
        tracing::warn!(access_key_id = key.id, %error, "a registered key cannot be used");
        Failure::UnknownKey
    })?;
    Ok(Some(Credential { secret, session: None, user: key.user }))
}

/// Gives out a session of `account`, and the key that it signs with.
pub(crate) fn issue(app: &App, account: AccountId, session: Session) -> IssuedSession {
    session.issue(&app.keys.session_key, account, &app.entropy)
}

#[cfg(test)]
mod tests {
    use rampart_aws::sigv4::{self, SignatureError, sign};
    use rampart_core::Change;
    use rampart_core::access_key::{AccessKey, access_key_id};
    use rampart_store::{Abort, Location, Options, Transaction, Work};

    use super::*;
    use crate::{Entropy, Settings};

    const REGION: &str = "eu-west-1";

    struct StoreKey(AccessKey);

    impl Work for StoreKey {
        type Reply = ();

        async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
            Ok(tx.apply(&[Change::AccessKeyStored(self.0.clone())], self.0.created).await?)
        }
    }

    async fn signed_with(
        app: &App,
        id: &str,
        secret: &str,
        signed_at_s: i64,
    ) -> Result<Arc<Caller>, Failure> {
        let host: &[(&str, &[u8])] = &[("host", b"h")];
        let parts = RequestParts { method: "POST", path: "/", query: "", headers: host, body: b"{}" };
        let credentials =
            sign::Credentials { access_key_id: id, secret_access_key: secret, session_token: None };
        let added = sign::sign_headers(&credentials, REGION, "ram", &parts, signed_at_s);
        let mut headers = host.to_vec();
        headers.extend(added.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
        let parts = RequestParts { headers: &headers, ..parts };
        let presented = sigv4::parse(&parts).unwrap().unwrap();
        authenticate(app, &parts, &presented, REGION.parse().unwrap(), "ram").await
    }

    #[tokio::test]
    async fn only_who_can_sign_gets_into_the_cache() {
        let home = tempfile::tempdir().unwrap();
        let location = Location::Sqlite(home.path().join("rampart.db"));
        let (store, _) = Store::open(&location, Options::default()).await.unwrap();
        let (account, master_key) = ("111111111111".parse().unwrap(), MasterKey::generate());
        let id = access_key_id(account, [7; 5]);
        let sealed_secret = master_key.seal("secret", &id);
        let created = Clock::real();
        let key =
            AccessKey { id: id.clone(), account, user: String::new(), sealed_secret, active: true, created };
        store.write(store.partition_of(account), StoreKey(key)).await.unwrap();
        let settings = Settings::new(AuthMode::Strict, account);
        let app = App::new(store, settings, Some(master_key), Entropy::system());
        let now_s = Clock::real().epoch_s();

        let wrong = signed_with(&app, &id, "wrong", now_s).await;
        assert!(matches!(wrong, Err(Failure::Signature(SignatureError::Mismatch))), "{wrong:?}");
        let old = signed_with(&app, &id, "secret", now_s - 86_400).await;
        assert!(matches!(old, Err(Failure::Signature(SignatureError::Expired { .. }))), "{old:?}");
        assert_eq!(app.keys.ready.len(), 0);
        assert_eq!(signed_with(&app, &id, "secret", now_s).await.unwrap().account, account);
        assert_eq!(app.keys.ready.len(), 1);
    }

    #[tokio::test]
    async fn without_a_master_key_nodes_of_open_mode_take_each_others_sessions() {
        let home = tempfile::tempdir().unwrap();
        let location = Location::Sqlite(home.path().join("rampart.db"));
        let (store, _) = Store::open(&location, Options::default()).await.unwrap();
        let account: AccountId = "111111111111".parse().unwrap();
        let node = |auth| App::new(store.clone(), Settings::new(auth, account), None, Entropy::system());
        let session = Session {
            bearer: SessionBearer::Root,
            issued: Clock::real(),
            expires: Clock::real(),
            policies: Vec::new(),
        };
        let issued = issue(&node(AuthMode::Open), account, session);
        let opens = |app: &App| open_session(app, &issued.access_key_id, &issued.token).is_ok();
        assert!(opens(&node(AuthMode::Open)));
        assert!(!opens(&node(AuthMode::Strict)), "the store alone must not be enough to make one");
    }
}

//! Who is calling: the account and the principal behind a signature (architecture: Identity).

use std::sync::Arc;
use std::time::{Duration, Instant};

use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use rampart_aws::sigv4::{CredentialScope, Presented, RequestParts, SigningKey};
use rampart_core::access_key::account_of_access_key;
use rampart_core::{AccountId, Partition};
use rampart_store::MasterKey;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::failure::Failure;
use crate::{AuthMode, Clock};

/// Signing keys kept ready.
const CACHED_KEYS_MAX: usize = 10_000;
/// How long a key is taken as it was read: a key that is disabled is refused everywhere within this time.
const STALENESS_MAX: Duration = Duration::from_secs(1);

/// Who signed a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) account: AccountId,
    /// The user's name; the account's root when empty.
    pub(crate) user: String,
    pub(crate) access_key_id: String,
}

impl Caller {
    /// The ARN as AWS forms it.
    pub(crate) fn arn(&self, partition: Partition) -> String {
        let partition = partition.as_str();
        if self.user.is_empty() {
            format!("arn:{partition}:iam::{}:root", self.account)
        } else {
            format!("arn:{partition}:iam::{}:user/{}", self.account, self.user)
        }
    }

    /// The unique id as AWS forms it: the account for its root, `AIDA…` for a user.
    pub(crate) fn user_id(&self) -> String {
        const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        if self.user.is_empty() {
            return self.account.to_string();
        }
        let digest = Sha256::digest(format!("{}/{}", self.account, self.user));
        let letters = digest.iter().take(17).map(|byte| char::from(LETTERS[usize::from(byte & 31)]));
        std::iter::once("AIDA".to_owned()).chain(letters.map(String::from)).collect()
    }
}

/// The registered keys, ready to verify with.
pub(crate) struct KeyRing {
    master_key: Option<MasterKey>,
    ready: Cache<ReadyId, Arc<ReadyKey>>,
}

/// Which key, derived for which day, Region and service.
#[derive(Clone, PartialEq, Eq, Hash)]
struct ReadyId {
    access_key_id: String,
    date: String,
    region: String,
    service: String,
}

/// The same as it stands in a request, so that looking a key up copies nothing. Members in the order of [`ReadyId`]'s:
/// both must hash alike.
#[derive(Hash)]
struct AskedId<'a> {
    access_key_id: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
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
        ReadyId {
            access_key_id: self.access_key_id.to_owned(),
            date: self.date.to_owned(),
            region: self.region.to_owned(),
            service: self.service.to_owned(),
        }
    }
}

struct ReadyKey {
    signing_key: SigningKey,
    caller: Arc<Caller>,
    read_at: Instant,
}

impl KeyRing {
    pub(crate) fn new(master_key: Option<MasterKey>) -> Self {
        Self { master_key, ready: Cache::new(CACHED_KEYS_MAX) }
    }

    pub(crate) fn forget_all(&self) {
        self.ready.clear();
    }
}

/// Finds out who signed the request, and whether they really did.
pub(crate) async fn authenticate(
    app: &App,
    parts: &RequestParts<'_>,
    presented: &Presented<'_>,
) -> Result<Arc<Caller>, Failure> {
    let id: &str = &presented.access_key_id;
    if app.settings.auth == AuthMode::Open {
        // Open mode: twelve digits are the account, and nobody can verify a signature that has no secret.
        if let Ok(account) = id.parse() {
            return Ok(Arc::new(Caller { account, user: String::new(), access_key_id: id.to_owned() }));
        }
        if account_of_access_key(id).is_none() {
            return Ok(default_caller(app, id));
        }
    }
    let key = match ready_key(app, presented).await? {
        Some(key) if presented.session_token.is_none() => key,
        None if app.settings.auth == AuthMode::Open => return Ok(default_caller(app, id)),
        _ => return Err(Failure::UnknownKey),
    };
    presented.verify(parts, &key.signing_key, Clock::real().epoch_s()).map_err(Failure::Signature)?;
    Ok(Arc::clone(&key.caller))
}

fn default_caller(app: &App, id: &str) -> Arc<Caller> {
    let account = app.settings.default_account;
    Arc::new(Caller { account, user: String::new(), access_key_id: id.to_owned() })
}

/// The signing key of the scope that the request names. `None` when the store knows no such key; a disabled key is
/// refused in both modes.
async fn ready_key(app: &App, presented: &Presented<'_>) -> Result<Option<Arc<ReadyKey>>, Failure> {
    let CredentialScope { date, region, service } = presented.scope;
    let id = AskedId { access_key_id: &presented.access_key_id, date, region, service };
    if let Some(ready) = app.keys.ready.get(&id).filter(|ready| ready.read_at.elapsed() < STALENESS_MAX) {
        return Ok(Some(ready));
    }
    let read_at = Instant::now();
    let Some(key) = app.store.reader().await?.access_key(id.access_key_id).await? else {
        app.keys.ready.remove(&id);
        return Ok(None);
    };
    if !key.active {
        app.keys.ready.remove(&id);
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
    let caller = Arc::new(Caller { account: key.account, user: key.user, access_key_id: key.id });
    let signing_key = SigningKey::derive(&secret, id.date, id.region, id.service);
    let ready = Arc::new(ReadyKey { signing_key, caller, read_at });
    app.keys.ready.insert(id.to_ready_id(), Arc::clone(&ready));
    Ok(Some(ready))
}

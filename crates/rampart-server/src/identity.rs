//! Who is calling: the account and the principal behind a signature (architecture: Identity).

use std::sync::Arc;
use std::time::{Duration, Instant};

use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use rampart_aws::sigv4::{Presented, RequestParts, SigningKey};
use rampart_core::access_key::account_of_access_key;
use rampart_core::{AccountId, Partition, Region};
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
    let unverified = |account: AccountId| {
        presented.check_payload(parts.body).map_err(Failure::Signature)?;
        Ok(Arc::new(Caller { account, user: String::new(), access_key_id: id.to_owned() }))
    };
    if is_open {
        // Twelve digits are the account.
        if let Ok(account) = id.parse() {
            return unverified(account);
        }
        if account_of_access_key(id).is_none() {
            return unverified(app.settings.default_account);
        }
    }
    let asked = AskedId { access_key_id: id, date: presented.scope.date, region, service };
    let now_s = Clock::real().epoch_s();
    let (key, is_new) = match ready_key(app, &asked, presented, now_s).await? {
        Some(found) if presented.session_token.is_none() => found,
        None if is_open => return unverified(app.settings.default_account),
        _ => return Err(Failure::UnknownKey),
    };
    presented.verify(parts, &key.signing_key, now_s).map_err(Failure::Signature)?;
    if is_new {
        // Only now: who cannot sign cannot fill the cache.
        app.keys.ready.insert(asked.to_ready_id(), Arc::clone(&key));
    }
    Ok(Arc::clone(&key.caller))
}

/// The signing key of the scope that the request names. `None` when the store knows no such key; a disabled key is
/// refused in both modes. The flag says that it was made now.
async fn ready_key(
    app: &App,
    id: &AskedId<'_>,
    presented: &Presented<'_>,
    now_s: i64,
) -> Result<Option<(Arc<ReadyKey>, bool)>, Failure> {
    if let Some(ready) = app.keys.ready.get(id).filter(|ready| ready.read_at.elapsed() < STALENESS_MAX) {
        return Ok(Some((ready, false)));
    }
    let read_at = Instant::now();
    let Some(key) = app.store.reader().await?.access_key(id.access_key_id).await? else {
        app.keys.ready.remove(id);
        return Ok(None);
    };
    if !key.active {
        app.keys.ready.remove(id);
        return Err(Failure::UnknownKey);
    }
    presented.check_window(now_s).map_err(Failure::Signature)?;
    let Some(master_key) = &app.keys.master_key else {
        tracing::warn!(access_key_id = key.id, "a registered key was used, but the server has no master key");
        return Err(Failure::UnknownKey);
    };
    let secret = master_key.open(&key.sealed_secret, &key.id).map_err(|error| {
        tracing::warn!(access_key_id = key.id, %error, "a registered key cannot be used");
        Failure::UnknownKey
    })?;
    let caller = Arc::new(Caller { account: key.account, user: key.user, access_key_id: key.id });
    let signing_key = SigningKey::derive(&secret, id.date, id.region.as_str(), id.service);
    Ok(Some((Arc::new(ReadyKey { signing_key, caller, read_at }), true)))
}

#[cfg(test)]
mod tests {
    use rampart_aws::sigv4::{self, SignatureError, sign};
    use rampart_core::Change;
    use rampart_core::access_key::{AccessKey, access_key_id};
    use rampart_store::{Abort, Location, Options, Store, Transaction, Work};

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
}

//! The account and key commands. They work on the store itself, whether or not a server runs on it.

use anyhow::Context;
use rampart_core::access_key::{AccessKey, Account, access_key_id, account_of_access_key};
use rampart_core::iam::identity::identity_id;
use rampart_core::iam::{IamName, IamPath, IamUsage, Identity, IdentityKind, Nature};
use rampart_core::{AccountId, Change, TimestampMs};
use rampart_server::{Clock, Entropy};
use rampart_store::{Abort, Store, Transaction, Work};
use serde::Serialize;

use crate::cli::OutputFormat;
use crate::config::Config;
use crate::{master_key, output, store};

/// Letters of a secret: 40 of 64 kinds, 240 random bits, as AWS's.
const SECRET_LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const SECRET_CHARS: usize = 40;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AccountLine {
    account_id: AccountId,
    name: String,
    created: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeyLine {
    access_key_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_access_key: Option<String>,
    account_id: AccountId,
    #[serde(skip_serializing_if = "String::is_empty")]
    user_name: String,
    status: &'static str,
    create_date: String,
}

impl KeyLine {
    fn new(key: &AccessKey, secret: Option<String>) -> Self {
        Self {
            access_key_id: key.id.clone(),
            secret_access_key: secret,
            account_id: key.account,
            user_name: key.user.clone(),
            status: if key.active { "Active" } else { "Inactive" },
            create_date: key.created.to_string(),
        }
    }
}

pub(crate) async fn create_account(
    config: &Config,
    id: AccountId,
    name: String,
    format: OutputFormat,
) -> anyhow::Result<()> {
    anyhow::ensure!(name.chars().count() <= 128, "an account's name has at most 128 characters");
    let store = store::open(config).await?;
    let account = Account { id, name, created: Clock::real() };
    let account = write(&store, id, StoreAccount(account)).await?;
    let line =
        AccountLine { account_id: id, name: account.name.clone(), created: account.created.to_string() };
    output::value(format, &line, &format!("Account {id} is registered.\n"))
}

pub(crate) async fn create_key(
    config: &Config,
    account: AccountId,
    user: String,
    format: OutputFormat,
) -> anyhow::Result<()> {
    let name = (!user.is_empty()).then(|| IamName::of_identity(&user, "UserName"));
    let name = name.transpose().ok().context("a user's name has at most 64 letters, digits and +=,.@_-")?;
    let store = store::open(config).await?;
    let master_key = master_key::find_or_make(config, &store).await?;
    let secret: String = random::<SECRET_CHARS>()
        .iter()
        .map(|byte| char::from(SECRET_LETTERS[usize::from(byte & 63)]))
        .collect();
    let id = access_key_id(account, random());
    let sealed_secret = master_key.seal(&secret, &id);
    let key = AccessKey { id, account, user, sealed_secret, active: true, created: Clock::real() };
    let identity = name.map(|name| new_user(account, name));
    let in_the_way = write(&store, account, StoreKey { key: key.clone(), user: identity }).await?;
    if let Some(other) = in_the_way {
        anyhow::bail!(
            "account {account} has a user {other}: names must differ in more than the case of letters"
        );
    }
    let words = format!(
        "AccessKeyId      {}\nSecretAccessKey  {secret}\n\nThe secret is shown this once. Keep it safe.\n",
        key.id
    );
    output::value(format, &KeyLine::new(&key, Some(secret)), &words)
}

pub(crate) async fn list_keys(
    config: &Config,
    account: AccountId,
    format: OutputFormat,
) -> anyhow::Result<()> {
    let store = store::open(config).await?;
    let keys = store.reader().await?.access_keys(account).await?;
    let lines: Vec<_> = keys.iter().map(|key| KeyLine::new(key, None)).collect();
    let row = |line: &KeyLine| {
        format!("{}  {:<8}  {}  {}\n", line.access_key_id, line.status, line.create_date, line.user_name)
    };
    let mut words: String = lines.iter().map(row).collect();
    if lines.is_empty() {
        words = format!("Account {account} has no keys. Make one: rampart key create --account {account}\n");
    }
    output::value(format, &lines, &words)
}

pub(crate) async fn disable_key(config: &Config, id: &str, format: OutputFormat) -> anyhow::Result<()> {
    let account =
        account_of_access_key(id).with_context(|| format!("'{id}' is no id of a key made by rampart"))?;
    let store = store::open(config).await?;
    let key = write(&store, account, DisableKey(id.to_owned())).await?;
    let key = key.with_context(|| format!("the store at {} has no key {id}", config.store))?;
    output::value(
        format,
        &KeyLine::new(&key, None),
        &format!("{id} is disabled. Servers refuse it within a second.\n"),
    )
}

async fn write<W: Work>(store: &Store, account: AccountId, work: W) -> anyhow::Result<W::Reply> {
    let reply = store.write(store.partition_of(account), work).await;
    store.close().await;
    Ok(reply?)
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    Entropy::system().fill(&mut bytes);
    bytes
}

struct StoreAccount(Account);

impl Work for StoreAccount {
    type Reply = Account;

    async fn run(&self, tx: &Transaction) -> Result<Account, Abort> {
        let known = tx.account(self.0.id).await?;
        let account =
            Account { created: known.map_or(self.0.created, |known| known.created), ..self.0.clone() };
        tx.apply(&[Change::AccountStored(account.clone())], self.0.created).await?;
        Ok(account)
    }
}

/// A user who may do nothing yet.
fn new_user(account: AccountId, name: IamName) -> Identity {
    Identity {
        account,
        nature: Nature::User,
        name,
        path: IamPath::root(),
        id: identity_id(IdentityKind::User, random()),
        tags: Vec::new(),
        created: Clock::real(),
    }
}

/// Stores a new key, and registers its account and its user if they were not. Gives the name of a user that is in the
/// way; then nothing is stored.
struct StoreKey {
    key: AccessKey,
    user: Option<Identity>,
}

impl Work for StoreKey {
    type Reply = Option<IamName>;

    async fn run(&self, tx: &Transaction) -> Result<Option<IamName>, Abort> {
        let key = &self.key;
        let mut changes = Vec::new();
        if tx.account(key.account).await?.is_none() {
            let account = Account { id: key.account, name: String::new(), created: key.created };
            changes.push(Change::AccountStored(account));
        }
        if let Some(user) = &self.user {
            match tx.iam_identity_alike(user.account, user.kind(), &user.name).await? {
                Some(known) if known.name == user.name => {}
                Some(other) => return Ok(Some(other.name)),
                None => changes.extend(register(tx, user).await?),
            }
        }
        changes.push(Change::AccessKeyStored(key.clone()));
        tx.apply(&changes, key.created).await?;
        Ok(None)
    }
}

/// What makes a user. The operator's word goes beyond quotas.
async fn register(tx: &Transaction, user: &Identity) -> Result<[Change; 2], Abort> {
    let usage = tx.iam_usage(user.account).await?;
    let usage = IamUsage { users: usage.users.saturating_add(1), ..usage };
    Ok([Change::IdentityStored(user.clone()), Change::IamUsageStored(usage)])
}

/// Disables a key; `None` when there is no such key.
struct DisableKey(String);

impl Work for DisableKey {
    type Reply = Option<AccessKey>;

    async fn run(&self, tx: &Transaction) -> Result<Option<AccessKey>, Abort> {
        let Some(key) = tx.access_key(&self.0).await? else { return Ok(None) };
        let key = AccessKey { active: false, ..key };
        let now: TimestampMs = Clock::real();
        tx.apply(&[Change::AccessKeyStored(key.clone())], now).await?;
        Ok(Some(key))
    }
}

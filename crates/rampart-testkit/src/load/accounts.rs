//! Accounts with keys that a strict server knows.

use anyhow::Context;
use rampart_aws::sigv4::sign::Credentials;
use rampart_core::access_key::{AccessKey, Account, access_key_id};
use rampart_core::{AccountId, Change};
use rampart_server::{Clock, Entropy};
use rampart_store::{Abort, MasterKey, Store, Transaction, Work};

use crate::load::rows::Owner;

/// An account with its key.
pub struct Registered {
    /// The account's id.
    pub account: AccountId,
    key_id: String,
    secret: String,
}

impl Registered {
    /// A key that no store knows.
    pub fn made_up(account: AccountId) -> Self {
        Self { account, key_id: access_key_id(account, random()), secret: random_secret() }
    }

    /// What its requests are signed with.
    pub fn credentials(&self) -> Credentials<'_> {
        Credentials { access_key_id: &self.key_id, secret_access_key: &self.secret, session_token: None }
    }
}

/// An account id that nobody had before.
///
/// # Errors
/// None that is to be expected.
pub fn fresh_account() -> anyhow::Result<AccountId> {
    let number = 100_000_000_000 + u64::from_le_bytes(random()) % 900_000_000_000;
    number.to_string().parse().context("twelve digits are an account")
}

/// Registers `count` new accounts with a key each; `with_share` gives each one share, too.
///
/// # Errors
/// What the store answers.
pub async fn register(
    store: &Store,
    master_key: &MasterKey,
    count: usize,
    with_share: bool,
) -> anyhow::Result<Vec<Registered>> {
    let mut registered = Vec::with_capacity(count);
    for _ in 0..count {
        let caller = Registered::made_up(fresh_account()?);
        let (account, created) = (caller.account, Clock::real());
        let sealed_secret = master_key.seal(&caller.secret, &caller.key_id);
        let id = caller.key_id.clone();
        let key = AccessKey { id, account, user: String::new(), sealed_secret, active: true, created };
        let mut changes = vec![
            Change::AccountStored(Account { id: account, name: String::new(), created }),
            Change::AccessKeyStored(key),
        ];
        if with_share {
            changes.extend(Owner::new(account)?.create_share(created)?);
        }
        store.write(store.partition_of(account), Apply(changes)).await?;
        registered.push(caller);
    }
    Ok(registered)
}

/// Writes rows that were decided beforehand.
#[derive(Debug)]
pub struct Apply(pub Vec<Change>);

impl Work for Apply {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        Ok(tx.apply(&self.0, Clock::real()).await?)
    }
}

fn random_secret() -> String {
    random::<32>().iter().map(|byte| char::from(b'a' + byte % 26)).collect()
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    Entropy::system().fill(&mut bytes);
    bytes
}

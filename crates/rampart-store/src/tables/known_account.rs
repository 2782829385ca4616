//! All accounts that a store knows, whatever their partition: who is registered, who has keys, who is in an organization.

use rampart_core::AccountId;
use rampart_core::access_key::Account;
use rampart_core::organization::Member;

use crate::StoreError;
use crate::statement::{Row, Statement, Value};
use crate::store::Reader;

static REGISTERED: Statement = Statement::new(
    "account.list_all",
    "SELECT account, name, created_ms, part FROM account WHERE (part, account) > ($1, $2)
     ORDER BY part, account LIMIT $3",
);
static KEYS: Statement = Statement::new(
    "access_key.list_all",
    "SELECT account, access_key_id, active, part FROM access_key WHERE (part, account, access_key_id) > ($1, $2, $3)
     ORDER BY part, account, access_key_id LIMIT $4",
);
static MEMBERS: Statement = Statement::new(
    "organization_member.list_all",
    "SELECT body, part FROM organization_member WHERE (part, management, account) > ($1, $2, $3)
     ORDER BY part, management, account LIMIT $4",
);

pub(crate) static STATEMENTS: &[&Statement] = &[&REGISTERED, &KEYS, &MEMBERS];

/// Rows of a page.
const PAGE: u32 = 500;

/// Whose key there is, and whether it is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownKey {
    /// The account.
    pub account: AccountId,
    /// Whether it is not disabled.
    pub active: bool,
    id: String,
}

/// A row with its partition, after which the next page begins.
type Placed<T> = (T, i64);

fn before_all<T>(last: Option<&Placed<T>>) -> Value<'_> {
    Value::Int(last.map_or(-1, |(_, part)| *part))
}

impl Reader {
    /// Calls `each` with every account that is registered.
    pub async fn each_registered_account(&self, mut each: impl FnMut(Account)) -> Result<(), StoreError> {
        let mut last: Option<Placed<Account>> = None;
        loop {
            let account = last.as_ref().map_or("", |(account, _)| account.id.as_str());
            let values = [before_all(last.as_ref()), Value::Text(account), PAGE.into()];
            let read = |row: &Row<'_>| {
                let account =
                    Account { id: row.parsed(0)?, name: row.text(1)?.to_owned(), created: row.time(2)? };
                Ok((account, row.int(3)?))
            };
            let page = self.connection.query(&REGISTERED, &values, read).await?;
            let Some(end) = page.last().cloned() else { return Ok(()) };
            for (account, _) in page {
                each(account);
            }
            last = Some(end);
        }
    }

    /// Calls `each` with every access key.
    pub async fn each_access_key(&self, mut each: impl FnMut(KnownKey)) -> Result<(), StoreError> {
        let mut last: Option<Placed<KnownKey>> = None;
        loop {
            let (account, id) = last.as_ref().map_or(("", ""), |(key, _)| (key.account.as_str(), &key.id));
            let values = [before_all(last.as_ref()), Value::Text(account), Value::Text(id), PAGE.into()];
            let read = |row: &Row<'_>| {
                let (id, active) = (row.text(1)?.to_owned(), row.flag(2)?);
                Ok((KnownKey { account: row.parsed(0)?, active, id }, row.int(3)?))
            };
            let page = self.connection.query(&KEYS, &values, read).await?;
            let Some(end) = page.last().cloned() else { return Ok(()) };
            for (key, _) in page {
                each(key);
            }
            last = Some(end);
        }
    }

    /// Calls `each` with every member of every organization.
    pub async fn each_member(&self, mut each: impl FnMut(Member)) -> Result<(), StoreError> {
        let mut last: Option<Placed<Member>> = None;
        loop {
            let member = last.as_ref().map(|(member, _)| member);
            let (management, account) =
                member.map_or(("", ""), |member| (member.management.as_str(), member.account.as_str()));
            let values =
                [before_all(last.as_ref()), Value::Text(management), Value::Text(account), PAGE.into()];
            let read = |row: &Row<'_>| Ok((row.json(0)?, row.int(1)?));
            let page = self.connection.query(&MEMBERS, &values, read).await?;
            let Some(end) = page.last().cloned() else { return Ok(()) };
            for (member, _) in page {
                each(member);
            }
            last = Some(end);
        }
    }
}

//! The accounts of a store, for who operates it.

use std::collections::BTreeMap;

use rampart_core::AccountId;
use rampart_core::access_key::Account;
use rampart_core::organization::Member;
use serde::Serialize;

use crate::cli::OutputFormat;
use crate::config::Config;
use crate::{output, store};

/// What is known of an account.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Line {
    account_id: String,
    name: String,
    /// Its organization, and where it stands in it; nothing outside of one.
    #[serde(skip_serializing_if = "String::is_empty")]
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    active_keys: usize,
}

impl Line {
    fn register(&mut self, account: &Account) {
        self.name.clone_from(&account.name);
    }

    fn join(&mut self, member: &Member) {
        if self.name.is_empty() {
            self.name.clone_from(&member.name);
        }
        self.path.clone_from(&member.path);
        self.status = Some(member.status());
    }
}

/// Lists the accounts that the store knows, by their ids.
pub(crate) async fn list(config: &Config, format: OutputFormat) -> anyhow::Result<()> {
    let store = store::open(config).await?;
    let reader = store.reader().await?;
    let mut lines: BTreeMap<AccountId, Line> = BTreeMap::new();
    reader.each_registered_account(|account| lines.entry(account.id).or_default().register(&account)).await?;
    reader.each_member(|member| lines.entry(member.account).or_default().join(&member)).await?;
    reader
        .each_access_key(|key| lines.entry(key.account).or_default().active_keys += usize::from(key.active))
        .await?;
    let name = |(id, line): (AccountId, Line)| Line { account_id: id.to_string(), ..line };
    let lines: Vec<Line> = lines.into_iter().map(name).collect();
    let row = |line: &Line| {
        let Line { account_id, name, path, active_keys, .. } = line;
        let place = if path.is_empty() { "-" } else { path };
        let status = line.status.unwrap_or("-");
        format!("{account_id}  {status:<9}  keys {active_keys:<3}  {place}  {name}\n")
    };
    output::value(format, &lines, &lines.iter().map(row).collect::<String>())
}

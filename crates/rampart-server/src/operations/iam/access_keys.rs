//! CreateAccessKey, ListAccessKeys, UpdateAccessKey and DeleteAccessKey: what a user, or a root, signs with.

use std::sync::Arc;

use futures_util::future::try_join;
use rampart_core::access_key::{AccessKey, access_key_id};
use rampart_core::iam::{IamName, IamRefusal, IdentityKind};
use rampart_core::{AccountId, Change, TimestampMs};
use rampart_store::{Abort, Reader, StoreError, Transaction, Work};

use super::paging::{Page, write_page};
use super::sent_again::write_once;
use super::shapes::write_access_key;
use super::{answer, done, input, load, write};
use crate::app::{App, Call};
use crate::failure::Failure;
use crate::identity::new_secret;
use crate::operations::{Answer, Request};

pub(crate) fn create(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let call = &request.call;
        let user = input::user_or_caller(&request.form, call)?;
        let master_key = app.keys.master_key().ok_or(IamRefusal::NoMasterKey)?;
        let mut random = [0; 5];
        app.entropy.fill(&mut random);
        let (id, secret) = (access_key_id(call.account, random), new_secret(&app.entropy));
        let key = AccessKey {
            sealed_secret: master_key.seal(&secret, &id),
            id,
            account: call.account,
            user: user.as_ref().map(IamName::to_string).unwrap_or_default(),
            active: true,
            created: call.now,
        };
        let (command, call) = (Create { app: Arc::clone(&app), user, key: key.clone() }, call.clone());
        let render = move |(): &()| {
            answer(&call, |xml| {
                xml.element("AccessKey", |xml| {
                    write_access_key(xml, &key);
                    xml.text_element("SecretAccessKey", &secret);
                });
            })
        };
        write_once(&app, &request, command, render).await
    })
}

struct Create {
    app: Arc<App>,
    user: Option<IamName>,
    key: AccessKey,
}

impl Work for Create {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        let key = &self.key;
        let limit = self.app.settings.iam_quotas.access_keys_per_user;
        let keys = tx.access_keys_of_user(key.account, &key.user, "", limit);
        let (user, keys) = try_join(check_user(tx, key.account, self.user.as_ref()), keys).await?;
        user?;
        if u32::try_from(keys.len()).map_or(true, |keys| keys >= limit) {
            return Err(IamRefusal::AccessKeysExceeded { limit }.into());
        }
        tx.apply(&[Change::AccessKeyStored(key.clone())], key.created).await?;
        Ok(())
    }
}

/// Refuses a user that is not there; a root always is.
async fn check_user(
    reader: &Reader,
    account: AccountId,
    user: Option<&IamName>,
) -> Result<Result<(), IamRefusal>, StoreError> {
    match user {
        None => Ok(Ok(())),
        Some(name) => Ok(load(reader, account, IdentityKind::User, name).await?.map(drop)),
    }
}

pub(crate) fn list(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let call = &request.call;
        let user = input::user_or_caller(&request.form, call)?;
        let page = Page::open(&request.form, 1)?;
        let reader = app.store.reader().await?;
        let name = user.as_ref().map_or("", IamName::as_str);
        let keys = reader.access_keys_of_user(call.account, name, page.after(0), page.load_size());
        let (known, mut keys) = try_join(check_user(&reader, call.account, user.as_ref()), keys).await?;
        known?;
        let marker = page.cut(&mut keys, |key| vec![key.id.as_str()]);
        Ok(answer(call, |xml| {
            xml.element("AccessKeyMetadata", |xml| {
                for key in &keys {
                    xml.element("member", |xml| write_access_key(xml, key));
                }
            });
            write_page(xml, marker.as_deref());
        }))
    })
}

pub(crate) fn update(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let active = match input::required(&request.form, "Status")? {
            "Active" => true,
            "Inactive" => false,
            _ => {
                let expected = "Active or Inactive";
                return Err(IamRefusal::ParameterInvalid { parameter: "Status", expected }.into());
            }
        };
        change(&app, &request, Becomes::Active(active)).await
    })
}

pub(crate) fn delete(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { change(&app, &request, Becomes::Deleted).await })
}

/// What becomes of a key.
#[derive(Clone, Copy)]
enum Becomes {
    Active(bool),
    Deleted,
}

async fn change(app: &App, request: &Request, becomes: Becomes) -> Result<String, Failure> {
    let Call { account, now, .. } = request.call;
    let user = input::user_or_caller(&request.form, &request.call)?;
    let id = input::required(&request.form, "AccessKeyId")?.to_owned();
    write(app, account, ChangeKey { account, user, id, becomes, now }).await?;
    Ok(done(&request.call))
}

struct ChangeKey {
    account: AccountId,
    user: Option<IamName>,
    id: String,
    becomes: Becomes,
    now: TimestampMs,
}

impl Work for ChangeKey {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        let key = tx.access_key(&self.id);
        let (user, key) = try_join(check_user(tx, self.account, self.user.as_ref()), key).await?;
        user?;
        let name = self.user.as_ref().map_or("", IamName::as_str);
        let is_theirs = |key: &AccessKey| key.account == self.account && key.user == name;
        let not_found = || IamRefusal::AccessKeyNotFound { id: self.id.chars().take(128).collect() };
        let key = key.filter(is_theirs).ok_or_else(not_found)?;
        let change = match self.becomes {
            Becomes::Active(active) => Change::AccessKeyStored(AccessKey { active, ..key }),
            Becomes::Deleted => Change::AccessKeyDropped { account: key.account, id: key.id },
        };
        tx.apply(&[change], self.now).await?;
        Ok(())
    }
}

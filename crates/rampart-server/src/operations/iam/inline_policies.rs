//! Put, Get, Delete and List of the policies that stand inside a user or a role.

use std::sync::Arc;

use futures_util::future::try_join;
use rampart_aws::query::percent_encode;
use rampart_core::iam::policy::{check_identity_document, check_inline_sizes};
use rampart_core::iam::{IamName, IamRefusal, IdentityKind, IdentityPolicy};
use rampart_core::{AccountId, Change, TimestampMs};
use rampart_store::{Abort, Transaction, Work};

use super::paging::{Page, write_page};
use super::{answer, done, input, load, write};
use crate::app::App;
use crate::failure::Failure;
use crate::operations::{Answer, Request};

pub(crate) fn put_user_policy(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { put(app, &request, IdentityKind::User).await })
}

pub(crate) fn put_role_policy(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { put(app, &request, IdentityKind::Role).await })
}

pub(crate) fn get_user_policy(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { get(&app, &request, IdentityKind::User).await })
}

pub(crate) fn get_role_policy(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { get(&app, &request, IdentityKind::Role).await })
}

pub(crate) fn delete_user_policy(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { delete(&app, &request, IdentityKind::User).await })
}

pub(crate) fn delete_role_policy(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { delete(&app, &request, IdentityKind::Role).await })
}

pub(crate) fn list_user_policies(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { list(&app, &request, IdentityKind::User).await })
}

pub(crate) fn list_role_policies(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { list(&app, &request, IdentityKind::Role).await })
}

async fn put(app: Arc<App>, request: &Request, kind: IdentityKind) -> Result<String, Failure> {
    let (call, form) = (&request.call, &request.form);
    let (identity, name) = (input::identity_name(form, kind)?, input::policy_name(form)?);
    let document = input::required(form, "PolicyDocument")?.to_owned();
    check_identity_document(&document)?;
    let policy = IdentityPolicy { account: call.account, kind, identity, name, document: Some(document) };
    write(&app, call.account, Put { app: Arc::clone(&app), policy, now: call.now }).await?;
    Ok(done(call))
}

struct Put {
    app: Arc<App>,
    policy: IdentityPolicy,
    now: TimestampMs,
}

impl Work for Put {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        let IdentityPolicy { account, kind, identity: name, .. } = &self.policy;
        let policies = tx.iam_policies(*account, *kind, name);
        let (identity, policies) = try_join(load(tx, *account, *kind, name), policies).await?;
        identity?.check_modifiable()?;
        check_inline_sizes(&policies, &self.policy, &self.app.settings.iam_quotas)?;
        tx.apply(&[Change::IdentityPolicyStored(self.policy.clone())], self.now).await?;
        Ok(())
    }
}

async fn get(app: &App, request: &Request, kind: IdentityKind) -> Result<String, Failure> {
    let (call, form) = (&request.call, &request.form);
    let (name, policy) = (input::identity_name(form, kind)?, input::policy_name(form)?);
    let reader = app.store.reader().await?;
    load(&reader, call.account, kind, &name).await??;
    let found = reader.iam_policy(call.account, kind, &name, true, &policy).await?;
    let found = found.and_then(|policy| Some((policy.name, policy.document?)));
    let (policy, document) = found.ok_or(IamRefusal::PolicyNotFound { kind, policy })?;
    Ok(answer(call, |xml| {
        let element = if kind == IdentityKind::User { "UserName" } else { "RoleName" };
        xml.text_element(element, name.as_str());
        xml.text_element("PolicyName", policy.as_str());
        xml.text_element("PolicyDocument", &percent_encode(&document));
    }))
}

async fn delete(app: &App, request: &Request, kind: IdentityKind) -> Result<String, Failure> {
    let (call, form) = (&request.call, &request.form);
    let (identity, policy) = (input::identity_name(form, kind)?, input::policy_name(form)?);
    let command = Delete { account: call.account, kind, identity, policy, now: call.now };
    write(app, call.account, command).await?;
    Ok(done(call))
}

struct Delete {
    account: AccountId,
    kind: IdentityKind,
    identity: IamName,
    policy: IamName,
    now: TimestampMs,
}

impl Work for Delete {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        let (account, kind, name, policy) = (self.account, self.kind, &self.identity, &self.policy);
        let found = tx.iam_policy(account, kind, name, true, policy);
        let (identity, found) = try_join(load(tx, account, kind, name), found).await?;
        identity?.check_modifiable()?;
        if found.is_none() {
            return Err(IamRefusal::PolicyNotFound { kind, policy: policy.clone() }.into());
        }
        let (identity, policy) = (name.clone(), policy.clone());
        let dropped = Change::IdentityPolicyDropped { account, kind, identity, inline: true, policy };
        tx.apply(&[dropped], self.now).await?;
        Ok(())
    }
}

async fn list(app: &App, request: &Request, kind: IdentityKind) -> Result<String, Failure> {
    let (call, form) = (&request.call, &request.form);
    let name = input::identity_name(form, kind)?;
    let page = Page::open(form, 1)?;
    let reader = app.store.reader().await?;
    let found = reader.iam_policies_after(call.account, kind, &name, true, page.after(0), page.load_size());
    let (identity, mut found) = try_join(load(&reader, call.account, kind, &name), found).await?;
    identity?;
    let marker = page.cut(&mut found, |policy| vec![policy.name.as_str()]);
    Ok(answer(call, |xml| {
        xml.element("PolicyNames", |xml| {
            for policy in &found {
                xml.text_element("member", policy.name.as_str());
            }
        });
        write_page(xml, marker.as_deref());
    }))
}

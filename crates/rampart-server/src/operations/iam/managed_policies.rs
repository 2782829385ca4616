//! Attach, Detach and ListAttached: which of AWS's managed policies a user or a role has.

use std::sync::Arc;

use futures_util::future::try_join;
use rampart_core::iam::policy::check_attachments;
use rampart_core::iam::{IamName, IamPath, IamRefusal, IdentityKind, IdentityPolicy, ManagedPolicy};
use rampart_core::{AccountId, Change, TimestampMs};
use rampart_store::{Abort, Transaction, Work};

use super::paging::{Page, write_page};
use super::{answer, done, input, load, write};
use crate::app::{App, Call};
use crate::failure::Failure;
use crate::operations::{Answer, Request};

pub(crate) fn attach_user_policy(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { attach(app, &request, IdentityKind::User).await })
}

pub(crate) fn attach_role_policy(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { attach(app, &request, IdentityKind::Role).await })
}

pub(crate) fn detach_user_policy(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { detach(&app, &request, IdentityKind::User).await })
}

pub(crate) fn detach_role_policy(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { detach(&app, &request, IdentityKind::Role).await })
}

pub(crate) fn list_attached_user_policies(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { list(&app, &request, IdentityKind::User).await })
}

pub(crate) fn list_attached_role_policies(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { list(&app, &request, IdentityKind::Role).await })
}

/// Which identity and which policy a call is about.
#[derive(Clone)]
struct Attachment {
    account: AccountId,
    kind: IdentityKind,
    identity: IamName,
    policy: &'static ManagedPolicy,
    arn: String,
}

impl Attachment {
    fn read(request: &Request, kind: IdentityKind) -> Result<Self, IamRefusal> {
        let (call, form) = (&request.call, &request.form);
        let identity = input::identity_name(form, kind)?;
        let arn = input::required(form, "PolicyArn")?.to_owned();
        let policy = ManagedPolicy::parse_arn(&arn, call.region.partition())?;
        Ok(Self { account: call.account, kind, identity, policy, arn })
    }

    fn name(&self) -> IamName {
        IamName::of_policy(self.policy.name, "PolicyName")
            .expect("the managed policies have names that are names")
    }
}

async fn attach(app: Arc<App>, request: &Request, kind: IdentityKind) -> Result<String, Failure> {
    let Call { account, now, .. } = request.call;
    let attachment = Attachment::read(request, kind)?;
    if !attachment.policy.is_attachable() {
        return Err(IamRefusal::ManagedPolicyNotAttachable { arn: attachment.arn }.into());
    }
    write(&app, account, Attach { app: Arc::clone(&app), attachment, now }).await?;
    Ok(done(&request.call))
}

struct Attach {
    app: Arc<App>,
    attachment: Attachment,
    now: TimestampMs,
}

impl Work for Attach {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        let Attachment { account, kind, identity: name, .. } = &self.attachment;
        let policies = tx.iam_policies(*account, *kind, name);
        let (identity, policies) = try_join(load(tx, *account, *kind, name), policies).await?;
        identity?.check_modifiable()?;
        let added = IdentityPolicy {
            account: *account,
            kind: *kind,
            identity: name.clone(),
            name: self.attachment.name(),
            document: None,
        };
        // AWS: attaching again is no error.
        if policies.contains(&added) {
            return Ok(());
        }
        check_attachments(&policies, *kind, &self.app.settings.iam_quotas)?;
        tx.apply(&[Change::IdentityPolicyStored(added)], self.now).await?;
        Ok(())
    }
}

async fn detach(app: &App, request: &Request, kind: IdentityKind) -> Result<String, Failure> {
    let Call { account, now, .. } = request.call;
    write(app, account, Detach { attachment: Attachment::read(request, kind)?, now }).await?;
    Ok(done(&request.call))
}

struct Detach {
    attachment: Attachment,
    now: TimestampMs,
}

impl Work for Detach {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        let Attachment { account, kind, identity: name, arn, .. } = self.attachment.clone();
        let policy = self.attachment.name();
        let found = tx.iam_policy(account, kind, &name, false, &policy);
        let (identity, found) = try_join(load(tx, account, kind, &name), found).await?;
        identity?.check_modifiable()?;
        if found.is_none() {
            return Err(IamRefusal::ManagedPolicyNotAttached { arn }.into());
        }
        let dropped = Change::IdentityPolicyDropped { account, kind, identity: name, inline: false, policy };
        tx.apply(&[dropped], self.now).await?;
        Ok(())
    }
}

async fn list(app: &App, request: &Request, kind: IdentityKind) -> Result<String, Failure> {
    let (call, form) = (&request.call, &request.form);
    let name = input::identity_name(form, kind)?;
    let prefix = IamPath::parse_prefix(form.get("PathPrefix").unwrap_or("/"))?;
    let page = Page::open(form, 1)?;
    let reader = app.store.reader().await?;
    let found = reader.iam_policies_after(call.account, kind, &name, false, page.after(0), page.load_size());
    let (identity, mut found) = try_join(load(&reader, call.account, kind, &name), found).await?;
    identity?;
    let marker = page.cut(&mut found, |policy| vec![policy.name.as_str()]);
    let managed = found.iter().filter_map(|policy| ManagedPolicy::named(policy.name.as_str()));
    Ok(answer(call, |xml| {
        xml.element("AttachedPolicies", |xml| {
            for policy in managed.filter(|policy| policy.path.starts_with(&prefix)) {
                xml.element("member", |xml| {
                    xml.text_element("PolicyName", policy.name);
                    xml.text_element("PolicyArn", &policy.arn(call.region.partition()));
                });
            }
        });
        write_page(xml, marker.as_deref());
    }))
}

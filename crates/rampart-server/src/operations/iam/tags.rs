//! Tag, Untag and ListTags of users and roles.

use std::sync::Arc;

use rampart_core::iam::identity::with_tags;
use rampart_core::iam::{IamName, IamRefusal, Identity, IdentityKind};
use rampart_core::resource_share::Tag;
use rampart_core::{AccountId, Change, TimestampMs};
use rampart_store::{Abort, Transaction, Work};

use super::paging::{Page, write_page};
use super::shapes::write_tags;
use super::{answer, done, input, load, write};
use crate::app::App;
use crate::failure::Failure;
use crate::operations::{Answer, Request};

pub(crate) fn tag_user(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { tag(&app, &request, IdentityKind::User).await })
}

pub(crate) fn tag_role(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { tag(&app, &request, IdentityKind::Role).await })
}

pub(crate) fn untag_user(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { untag(&app, &request, IdentityKind::User).await })
}

pub(crate) fn untag_role(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { untag(&app, &request, IdentityKind::Role).await })
}

pub(crate) fn list_user_tags(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { list(&app, &request, IdentityKind::User).await })
}

pub(crate) fn list_role_tags(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { list(&app, &request, IdentityKind::Role).await })
}

/// What becomes of the tags.
enum Retagging {
    Add(Vec<Tag>),
    Remove(Vec<String>),
}

async fn tag(app: &App, request: &Request, kind: IdentityKind) -> Result<String, Failure> {
    retag(app, request, kind, Retagging::Add(input::tags(&request.form)?)).await
}

async fn untag(app: &App, request: &Request, kind: IdentityKind) -> Result<String, Failure> {
    let keys = request.form.members("TagKeys");
    let keys = keys.iter().filter_map(rampart_aws::query::Member::value).map(str::to_owned).collect();
    retag(app, request, kind, Retagging::Remove(keys)).await
}

async fn retag(
    app: &App,
    request: &Request,
    kind: IdentityKind,
    change: Retagging,
) -> Result<String, Failure> {
    let (account, now) = (request.call.account, request.call.now);
    let name = input::identity_name(&request.form, kind)?;
    write(app, account, Retag { account, kind, name, change, now }).await?;
    Ok(done(&request.call))
}

struct Retag {
    account: AccountId,
    kind: IdentityKind,
    name: IamName,
    change: Retagging,
    now: TimestampMs,
}

impl Retag {
    fn decide(&self, identity: &Identity) -> Result<Vec<Tag>, IamRefusal> {
        match &self.change {
            Retagging::Add(tags) => with_tags(&identity.tags, tags.clone()),
            // AWS: removing a tag that is not there is no error.
            Retagging::Remove(keys) => {
                let keys: Vec<String> = keys.iter().map(|key| key.to_lowercase()).collect();
                let is_kept = |tag: &&Tag| !keys.contains(&tag.key.to_lowercase());
                Ok(identity.tags.iter().filter(is_kept).cloned().collect())
            }
        }
    }
}

impl Work for Retag {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        let identity = load(tx, self.account, self.kind, &self.name).await??;
        let tags = self.decide(&identity)?;
        tx.apply(&[Change::IdentityStored(Identity { tags, ..identity })], self.now).await?;
        Ok(())
    }
}

async fn list(app: &App, request: &Request, kind: IdentityKind) -> Result<String, Failure> {
    let (call, form) = (&request.call, &request.form);
    let name = input::identity_name(form, kind)?;
    let page = Page::open(form, 1)?;
    let identity = load(&app.store.reader().await?, call.account, kind, &name).await??;
    let mut tags: Vec<Tag> =
        identity.tags.into_iter().filter(|tag| tag.key.as_str() > page.after(0)).collect();
    let marker = page.cut(&mut tags, |tag| vec![tag.key.as_str()]);
    Ok(answer(call, |xml| {
        write_tags(xml, &tags);
        write_page(xml, marker.as_deref());
    }))
}

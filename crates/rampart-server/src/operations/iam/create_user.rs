//! CreateUser: somebody with keys of their own.

use std::sync::Arc;

use rampart_core::Change;
use rampart_core::iam::identity::{check_tags, identity_id};
use rampart_core::iam::{IamRefusal, Identity, IdentityKind, Nature};
use rampart_store::{Abort, Transaction, Work};

use super::sent_again::write_once;
use super::shapes::{Detail, write_identity};
use super::{answer, input};
use crate::app::App;
use crate::operations::{Answer, Request};

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let (call, form) = (&request.call, &request.form);
        let name = input::identity_name(form, IdentityKind::User)?;
        let path = input::path(form)?;
        input::no_boundary(form)?;
        let tags = input::tags(form).and_then(check_tags)?;
        let mut random = [0; 17];
        app.entropy.fill(&mut random);
        let id = identity_id(IdentityKind::User, random);
        let (account, created) = (call.account, call.now);
        let user = Identity { account, nature: Nature::User, name, path, id, tags, created };
        create(&app, &request, user).await
    })
}

/// Makes a user or role, and answers with it.
pub(super) fn create(app: &Arc<App>, request: &Request, identity: Identity) -> Answer {
    let (call, made) = (request.call.clone(), identity.clone());
    let element = match identity.kind() {
        IdentityKind::User => "User",
        IdentityKind::Role => "Role",
    };
    let command = Create { app: Arc::clone(app), identity };
    let render = move |(): &()| {
        let partition = call.region.partition();
        answer(&call, |xml| xml.element(element, |xml| write_identity(xml, &made, partition, Detail::Whole)))
    };
    write_once(app, request, command, render)
}

/// Stores a new user or role, if its name is free and the quota allows one more.
struct Create {
    app: Arc<App>,
    identity: Identity,
}

impl Work for Create {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        let identity = &self.identity;
        let (account, kind) = (identity.account, identity.kind());
        let alike = tx.iam_identity_alike(account, kind, &identity.name);
        let (alike, usage) = futures_util::future::try_join(alike, tx.iam_usage(account)).await?;
        if alike.is_some() {
            let name = identity.name.clone();
            return Err(IamRefusal::IdentityExists { kind, name }.into());
        }
        let usage = usage.with_one_more(kind, &self.app.settings.iam_quotas)?;
        let changes = [Change::IdentityStored(identity.clone()), Change::IamUsageStored(usage)];
        tx.apply(&changes, identity.created).await?;
        Ok(())
    }
}

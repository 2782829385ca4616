//! CreateUser: somebody with keys of their own.

use std::sync::Arc;

use rampart_core::Change;
use rampart_core::iam::identity::{check_tags, identity_id};
use rampart_core::iam::{IamRefusal, Identity, IdentityKind, Nature};
use rampart_store::{Abort, Transaction, Work};

use super::shapes::{Detail, write_identity};
use super::{answer, input, write};
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
        write(&app, account, Create { app: Arc::clone(&app), identity: user.clone() }).await?;
        Ok(answer(call, |xml| {
            xml.element("User", |xml| write_identity(xml, &user, call.region.partition(), Detail::Whole));
        }))
    })
}

/// Stores a new user or role, if its name is free and the quota allows one more.
pub(super) struct Create {
    pub(super) app: Arc<App>,
    pub(super) identity: Identity,
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

//! DeleteUser and DeleteRole. Whoever deletes one takes its keys and policies away first.

use std::sync::Arc;

use futures_util::future::try_join4;
use rampart_core::iam::policy::check_no_policies;
use rampart_core::iam::{IamName, IamRefusal, IdentityKind};
use rampart_core::{AccountId, Change, TimestampMs};
use rampart_store::{Abort, Transaction, Work};

use super::{done, input, load, write};
use crate::app::App;
use crate::failure::Failure;
use crate::operations::{Answer, Request};

pub(crate) fn delete_user(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { delete(&app, &request, IdentityKind::User).await })
}

pub(crate) fn delete_role(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { delete(&app, &request, IdentityKind::Role).await })
}

async fn delete(app: &App, request: &Request, kind: IdentityKind) -> Result<String, Failure> {
    let (account, now) = (request.call.account, request.call.now);
    let name = input::identity_name(&request.form, kind)?;
    write(app, account, Delete { account, kind, name, now }).await?;
    Ok(done(&request.call))
}

struct Delete {
    account: AccountId,
    kind: IdentityKind,
    name: IamName,
    now: TimestampMs,
}

impl Work for Delete {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        let (account, kind, name) = (self.account, self.kind, &self.name);
        // Roles have no keys, and a role's name must not find those of a user.
        let key_of = if kind == IdentityKind::User { name.as_str() } else { "/" };
        let keys = tx.access_keys_of_user(account, key_of, "", 1);
        let policies = tx.iam_policies(account, kind, name);
        let (identity, keys, policies, usage) =
            try_join4(load(tx, account, kind, name), keys, policies, tx.iam_usage(account)).await?;
        identity?.check_modifiable()?;
        if !keys.is_empty() {
            return Err(IamRefusal::StillHasKeys.into());
        }
        check_no_policies(&policies)?;
        let dropped = Change::IdentityDropped { account, kind, name: name.clone() };
        tx.apply(&[dropped, Change::IamUsageStored(usage.with_one_less(kind))], self.now).await?;
        Ok(())
    }
}

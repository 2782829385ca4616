//! UpdateRole and UpdateRoleDescription.

use std::sync::Arc;

use rampart_core::iam::{IamName, Identity, IdentityKind, Nature, RoleTerms};
use rampart_core::{AccountId, Change, TimestampMs};
use rampart_store::{Abort, Transaction, Work};

use super::shapes::{Detail, write_identity};
use super::{answer, input, load, write};
use crate::app::App;
use crate::operations::{Answer, Request};

pub(crate) fn update_role(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let (call, form) = (&request.call, &request.form);
        let name = input::identity_name(form, IdentityKind::Role)?;
        input::description(form)?;
        let description = form.get("Description").map(str::to_owned);
        let terms = Terms { description, max_session_s: input::max_session_s(form)?, trust_policy: None };
        write(&app, call.account, Update { account: call.account, name, terms, now: call.now }).await?;
        Ok(answer(call, |_| {}))
    })
}

pub(crate) fn update_role_description(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let (call, form) = (&request.call, &request.form);
        let name = input::identity_name(form, IdentityKind::Role)?;
        input::description(form)?;
        let description = Some(input::required(form, "Description")?.to_owned());
        let terms = Terms { description, ..Terms::default() };
        let update = Update { account: call.account, name, terms, now: call.now };
        let role = write(&app, call.account, update).await?;
        Ok(answer(call, |xml| {
            xml.element("Role", |xml| write_identity(xml, &role, call.region.partition(), Detail::Whole));
        }))
    })
}

/// What a call changes of a role; what is none stays.
#[derive(Default)]
pub(super) struct Terms {
    pub(super) trust_policy: Option<String>,
    /// Empty takes it away.
    pub(super) description: Option<String>,
    pub(super) max_session_s: Option<u32>,
}

/// Changes a role's terms, and gives the role as it is then.
pub(super) struct Update {
    pub(super) account: AccountId,
    pub(super) name: IamName,
    pub(super) terms: Terms,
    pub(super) now: TimestampMs,
}

impl Work for Update {
    type Reply = Identity;

    async fn run(&self, tx: &Transaction) -> Result<Identity, Abort> {
        let mut role = load(tx, self.account, IdentityKind::Role, &self.name).await??;
        role.check_modifiable()?;
        if let Nature::Role(old) = role.nature {
            role.nature = Nature::Role(RoleTerms {
                trust_policy: self.terms.trust_policy.clone().unwrap_or(old.trust_policy),
                description: match &self.terms.description {
                    None => old.description,
                    Some(text) => Some(text.clone()).filter(|text| !text.is_empty()),
                },
                max_session_s: self.terms.max_session_s.unwrap_or(old.max_session_s),
            });
        }
        tx.apply(&[Change::IdentityStored(role.clone())], self.now).await?;
        Ok(role)
    }
}

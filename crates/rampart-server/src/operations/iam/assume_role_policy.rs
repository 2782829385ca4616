//! UpdateAssumeRolePolicy: who may assume a role.

use std::sync::Arc;

use rampart_core::iam::IdentityKind;
use rampart_core::iam::policy::check_trust_document;

use super::update_role::{Terms, Update};
use super::{done, input, write};
use crate::app::App;
use crate::operations::{Answer, Request};

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let (call, form) = (&request.call, &request.form);
        let name = input::identity_name(form, IdentityKind::Role)?;
        let trust_policy = input::required(form, "PolicyDocument")?.to_owned();
        check_trust_document(&trust_policy, &app.settings.iam_quotas)?;
        let terms = Terms { trust_policy: Some(trust_policy), ..Terms::default() };
        write(&app, call.account, Update { account: call.account, name, terms, now: call.now }).await?;
        Ok(done(call))
    })
}

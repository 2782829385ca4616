//! CreateRole: something that others assume for a while.

use std::sync::Arc;

use rampart_core::iam::identity::{check_path, check_tags, identity_id};
use rampart_core::iam::policy::check_trust_document;
use rampart_core::iam::{Identity, IdentityKind, Nature, RoleTerms};

use super::create_user::create;
use super::input;
use crate::app::App;
use crate::operations::{Answer, Request};

/// How long sessions last at the most unless the role says otherwise.
const MAX_SESSION_DEFAULT_S: u32 = 3_600;

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let (call, form) = (&request.call, &request.form);
        let name = input::identity_name(form, IdentityKind::Role)?;
        let path = input::path(form)?;
        check_path(IdentityKind::Role, &path)?;
        let trust_policy = input::required(form, "AssumeRolePolicyDocument")?.to_owned();
        check_trust_document(&trust_policy, &app.settings.iam_quotas)?;
        let max_session_s = input::max_session_s(form)?.unwrap_or(MAX_SESSION_DEFAULT_S);
        let description = input::description(form)?;
        input::no_boundary(form)?;
        let tags = check_tags(input::tags(form)?)?;
        let mut random = [0; 17];
        app.entropy.fill(&mut random);
        let id = identity_id(IdentityKind::Role, random);
        let nature = Nature::Role(RoleTerms { trust_policy, description, max_session_s });
        let role = Identity { account: call.account, nature, name, path, id, tags, created: call.now };
        create(&app, &request, role).await
    })
}

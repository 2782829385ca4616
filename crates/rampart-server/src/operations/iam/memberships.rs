//! ListGroupsForUser and ListInstanceProfilesForRole: clients ask before they delete a user or a role. There are no
//! groups and no instance profiles here, so the lists of those that exist are empty.

use std::sync::Arc;

use rampart_core::iam::IdentityKind;

use super::paging::{Page, write_page};
use super::{answer, input, load};
use crate::app::App;
use crate::failure::Failure;
use crate::operations::{Answer, Request};

pub(crate) fn list_groups_for_user(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { list_none(&app, &request, IdentityKind::User, "Groups").await })
}

pub(crate) fn list_instance_profiles_for_role(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { list_none(&app, &request, IdentityKind::Role, "InstanceProfiles").await })
}

async fn list_none(app: &App, request: &Request, kind: IdentityKind, list: &str) -> Result<String, Failure> {
    let name = input::identity_name(&request.form, kind)?;
    Page::open(&request.form, 1)?;
    load(&app.store.reader().await?, request.call.account, kind, &name).await??;
    Ok(answer(&request.call, |xml| {
        xml.element(list, |_| {});
        write_page(xml, None);
    }))
}

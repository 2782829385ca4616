//! ListUsers and ListRoles.

use std::sync::Arc;

use rampart_core::iam::{IamPath, IdentityKind};
use rampart_store::IdentityCursor;

use super::answer;
use super::paging::{Page, write_page};
use super::shapes::{Detail, write_identity};
use crate::app::App;
use crate::failure::Failure;
use crate::operations::{Answer, Request};

pub(crate) fn list_users(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { list(&app, &request, IdentityKind::User, "Users").await })
}

pub(crate) fn list_roles(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move { list(&app, &request, IdentityKind::Role, "Roles").await })
}

async fn list(app: &App, request: &Request, kind: IdentityKind, element: &str) -> Result<String, Failure> {
    let (call, form) = (&request.call, &request.form);
    let prefix = IamPath::parse_prefix(form.get("PathPrefix").unwrap_or("/"))?;
    let page = Page::open(form, 2)?;
    let after = IdentityCursor { path: page.after(0).to_owned(), name: page.after(1).to_owned() };
    let reader = app.store.reader().await?;
    let mut found = reader.iam_identities(call.account, kind, &prefix, &after, page.load_size()).await?;
    let marker = page.cut(&mut found, |identity| vec![identity.path.as_str(), identity.name.as_str()]);
    Ok(answer(call, |xml| {
        xml.element(element, |xml| {
            for identity in &found {
                let partition = call.region.partition();
                xml.element("member", |xml| write_identity(xml, identity, partition, Detail::InList));
            }
        });
        write_page(xml, marker.as_deref());
    }))
}

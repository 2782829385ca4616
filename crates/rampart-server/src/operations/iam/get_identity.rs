//! GetUser and GetRole.

use std::sync::Arc;

use rampart_core::iam::IdentityKind;

use super::shapes::{Detail, write_identity};
use super::{answer, input, load};
use crate::app::{App, Call};
use crate::failure::Failure;
use crate::operations::{Answer, Request};

pub(crate) fn get_user(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let call = &request.call;
        let Some(name) = input::user_or_caller(&request.form, call)? else {
            return show_root(&app, call).await;
        };
        let user = load(&app.store.reader().await?, call.account, IdentityKind::User, &name).await??;
        Ok(answer(call, |xml| {
            xml.element("User", |xml| write_identity(xml, &user, call.region.partition(), Detail::Whole));
        }))
    })
}

pub(crate) fn get_role(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let call = &request.call;
        let name = input::identity_name(&request.form, IdentityKind::Role)?;
        let role = load(&app.store.reader().await?, call.account, IdentityKind::Role, &name).await??;
        Ok(answer(call, |xml| {
            xml.element("Role", |xml| write_identity(xml, &role, call.region.partition(), Detail::Whole));
        }))
    })
}

/// A root that asks who it is. Clients take the account's id from the ARN.
async fn show_root(app: &App, call: &Call) -> Result<String, Failure> {
    let account = app.store.reader().await?.account(call.account).await?;
    // An account that nobody registered is as old as the question.
    let created = account.map_or(call.now, |account| account.created);
    Ok(answer(call, |xml| {
        xml.element("User", |xml| {
            xml.text_element("Path", "/");
            xml.text_element("UserName", "root");
            xml.text_element("UserId", call.account.as_str());
            xml.text_element("Arn", &call.caller.arn(call.region.partition()));
            xml.text_element("CreateDate", &created.to_string());
        });
    }))
}

//! The operations of IAM: what of it the clients of RAM need. Users and roles are alike in most, so what they have in
//! common is one file for both.

pub(crate) mod access_keys;
pub(crate) mod assume_role_policy;
pub(crate) mod create_role;
pub(crate) mod create_user;
pub(crate) mod delete_identity;
pub(crate) mod get_identity;
pub(crate) mod inline_policies;
pub(crate) mod input;
pub(crate) mod list_identities;
pub(crate) mod managed_policies;
pub(crate) mod memberships;
mod paging;
pub(crate) mod policies;
mod sent_again;
pub(crate) mod service_linked_roles;
mod shapes;
pub(crate) mod tags;
pub(crate) mod update_role;

use rampart_aws::query::{XmlWriter, empty_response_xml, response_xml};
use rampart_core::AccountId;
use rampart_core::iam::{IamName, IamRefusal, Identity, IdentityKind};
use rampart_store::{Reader, StoreError, Work};

use crate::app::{App, Call};
use crate::failure::Failure;

/// The namespace of IAM's answers.
pub(crate) const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// The answer of a call with a result.
fn answer(call: &Call, result: impl FnOnce(&mut XmlWriter)) -> String {
    response_xml(call.operation.name, NAMESPACE, &call.request_id.to_string(), result)
}

/// The answer of a call without one.
fn done(call: &Call) -> String {
    empty_response_xml(call.operation.name, NAMESPACE, &call.request_id.to_string())
}

/// Runs a command in the partition of the caller's account. What its callers are and may do is read again afterwards.
async fn write<T: Send + 'static>(
    app: &App,
    account: AccountId,
    command: impl Work<Reply = T>,
) -> Result<T, Failure> {
    let reply = app.store.write(app.store.partition_of(account), command).await?;
    app.keys.look_again();
    Ok(reply)
}

/// The user or role of that name.
async fn load(
    reader: &Reader,
    account: AccountId,
    kind: IdentityKind,
    name: &IamName,
) -> Result<Result<Identity, IamRefusal>, StoreError> {
    let found = reader.iam_identity(account, kind, name).await?;
    Ok(found.ok_or_else(|| IamRefusal::IdentityNotFound { kind, name: name.clone() }))
}

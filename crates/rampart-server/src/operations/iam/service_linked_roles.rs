//! CreateServiceLinkedRole, DeleteServiceLinkedRole and the status of a deletion: the role that RAM has in an account
//! (reference §12.5).

use std::sync::Arc;

use futures_util::future::try_join;
use hmac::{Hmac, KeyInit, Mac};
use rampart_core::iam::service_linked::{self, RAM_SERVICE};
use rampart_core::iam::{IamName, IamRefusal, Identity, IdentityKind};
use rampart_core::organization::{ram_role_deleted, sharing_over};
use rampart_core::{AccountId, Change, TimestampMs};
use rampart_store::{Abort, Transaction, Work};
use sha2::Sha256;
use uuid::Uuid;

use super::sent_again::write_once;
use super::shapes::{Detail, write_identity};
use super::{answer, input, load};
use crate::app::App;
use crate::operations::{Answer, Request};

pub(crate) fn create(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let (call, form) = (&request.call, &request.form);
        let service = input::required(form, "AWSServiceName")?;
        // AWS: a suffix is for services whose role there may be several of; RAM's is not one.
        if service != RAM_SERVICE || form.get("CustomSuffix").is_some() {
            let service = service.chars().take(128).collect();
            return Err(IamRefusal::ServiceHasNoRole { service }.into());
        }
        let description = input::description(form)?;
        let mut random = [0; 17];
        app.entropy.fill(&mut random);
        let command = Create { account: call.account, description, random, now: call.now };
        let call = call.clone();
        let render = move |role: &Identity| {
            let partition = call.region.partition();
            answer(&call, |xml| {
                xml.element("Role", |xml| write_identity(xml, role, partition, Detail::Whole));
            })
        };
        write_once(&app, &request, command, render).await
    })
}

struct Create {
    account: AccountId,
    description: Option<String>,
    random: [u8; 17],
    now: TimestampMs,
}

impl Work for Create {
    type Reply = Identity;

    async fn run(&self, tx: &Transaction) -> Result<Identity, Abort> {
        let name = service_linked::ram_role_name();
        if tx.iam_identity_alike(self.account, IdentityKind::Role, &name).await?.is_some() {
            return Err(IamRefusal::ServiceLinkedRoleExists { role: name }.into());
        }
        let (role, changes) =
            service_linked::create(self.account, self.description.clone(), self.random, self.now);
        tx.apply(&changes, self.now).await?;
        Ok(role)
    }
}

pub(crate) fn delete(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let call = &request.call;
        let name = input::identity_name(&request.form, IdentityKind::Role)?;
        let command = Delete { account: call.account, name: name.clone(), now: call.now };
        let task = task_id(&app, call.account, &name, app.entropy.uuid());
        let call = call.clone();
        let render = move |(): &()| answer(&call, |xml| xml.text_element("DeletionTaskId", &task));
        write_once(&app, &request, command, render).await
    })
}

struct Delete {
    account: AccountId,
    name: IamName,
    now: TimestampMs,
}

impl Work for Delete {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        let role = load(tx, self.account, IdentityKind::Role, &self.name);
        let (role, organization) = try_join(role, tx.organization(self.account)).await?;
        let mut changes = service_linked::delete(&role?)?;
        if let Some(after) = organization.as_ref().and_then(ram_role_deleted) {
            changes.extend(sharing_over(after, self.now).map(Change::Organization));
        }
        tx.apply(&changes, self.now).await?;
        Ok(())
    }
}

/// AWS deletes in the background; here the role is gone before the task has an id, so what every task of ours says is
/// that it succeeded. Its id proves that there was one: half of its last part is a MAC over the rest.
fn task_id(app: &App, account: AccountId, role: &IamName, random: Uuid) -> String {
    let mut bytes = *random.as_bytes();
    let mut mac =
        Hmac::<Sha256>::new_from_slice(app.store.page_token_key()).expect("any length of key is taken");
    for part in
        [b"deletion task".as_slice(), account.as_str().as_bytes(), role.as_str().as_bytes(), &bytes[..8]]
    {
        mac.update(part);
        mac.update(&[0]);
    }
    bytes[8..].copy_from_slice(&mac.finalize().into_bytes()[..8]);
    format!("task/aws-service-role/{RAM_SERVICE}/{role}/{}", Uuid::from_bytes(bytes))
}

pub(crate) fn deletion_status(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let call = &request.call;
        let task = input::required(&request.form, "DeletionTaskId")?;
        let unknown = || IamRefusal::DeletionTaskNotFound { task: task.chars().take(256).collect() };
        let name = service_linked::ram_role_name();
        let id = task.rsplit('/').next().and_then(|id| Uuid::try_parse(id).ok()).ok_or_else(unknown)?;
        if task_id(&app, call.account, &name, id) != task {
            return Err(unknown().into());
        }
        Ok(answer(call, |xml| xml.text_element("Status", "SUCCEEDED")))
    })
}

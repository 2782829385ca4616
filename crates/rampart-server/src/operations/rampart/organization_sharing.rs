//! `GET /rampart/v1/organization-sharing` tells whether RAM shares within the caller's organization, and why not; `DELETE`
//! turns it off in order. AWS has a call for neither.

use std::sync::Arc;

use rampart_core::iam::{IdentityKind, service_linked};
use rampart_core::organization::{
    FeatureSet, Membership, Organization, RAM_SERVICE, Sharing, sharing_over, trusted_access_disabled,
};
use rampart_core::{Change, OrganizationChange, Refusal};
use rampart_store::{Abort, Transaction, Work};
use serde::Serialize;

use crate::app::{App, Call};
use crate::idempotency::json;
use crate::operations::{Answer, Request};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    enabled: bool,
    /// Why it is so, for people.
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    management_account_id: Option<String>,
}

impl Output {
    fn new(organization: Option<&Organization>) -> Self {
        let reason = match organization {
            None => "The account is not a member of an organization.",
            Some(organization) => reason(organization),
        };
        Self {
            enabled: organization.is_some_and(|organization| organization.sharing == Sharing::On),
            reason,
            organization_id: organization.map(|organization| organization.id.to_string()),
            management_account_id: organization.map(|organization| organization.management.to_string()),
        }
    }
}

fn reason(organization: &Organization) -> &'static str {
    match (organization.sharing, organization.feature_set) {
        (Sharing::On, _) => "The management account enabled it.",
        (Sharing::Half, _) => {
            "RAM has trusted access but not its role: the access was enabled through Organizations, not through RAM, or \
             the role was deleted. The management account calls EnableSharingWithAwsOrganization."
        }
        (Sharing::Off, FeatureSet::ConsolidatedBilling) => "The organization does not have all features.",
        (Sharing::Off, FeatureSet::All) => {
            "It is not enabled. The management account calls EnableSharingWithAwsOrganization."
        }
    }
}

pub(crate) fn get(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let reader = app.store.reader().await?;
        let membership: Option<&Membership> = request.call.membership(&reader).await?;
        Ok(json(&Output::new(membership.map(|membership| &membership.organization))))
    })
}

pub(crate) fn delete(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let partition = app.store.partition_of(request.call.account);
        Ok(app.store.write(partition, Disable { call: request.call }).await?)
    })
}

struct Disable {
    call: Call,
}

impl Work for Disable {
    type Reply = String;

    /// Trusted access goes, what was shared inside with it, and then the role; a second time there is nothing to do.
    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        let (management, now) = (self.call.account, self.call.now);
        let organization = tx.organization(management).await?.ok_or(Refusal::OrganizationSharingDenied)?;
        let name = service_linked::ram_role_name();
        let trusted = tx.service_access(management, RAM_SERVICE);
        let role = tx.iam_identity_alike(management, IdentityKind::Role, &name);
        let (trusted, role) = futures_util::future::try_join(trusted, role).await?;
        let mut changes = Vec::new();
        if trusted.is_some() {
            let service = RAM_SERVICE.to_owned();
            changes.push(OrganizationChange::ServiceAccessDeleted { management, service });
        }
        let after = trusted_access_disabled(&organization, RAM_SERVICE);
        if let Some(after) = &after {
            changes.extend(sharing_over(after.clone(), now));
        }
        let mut changes: Vec<_> = changes.into_iter().map(Change::Organization).collect();
        if let Some(role) = role.filter(rampart_core::iam::Identity::is_service_linked) {
            changes.extend(service_linked::delete(&role)?);
        }
        tx.apply(&changes, now).await?;
        Ok(json(&Output::new(Some(after.as_ref().unwrap_or(&organization)))))
    }
}

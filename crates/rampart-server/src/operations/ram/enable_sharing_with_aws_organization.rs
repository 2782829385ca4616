//! EnableSharingWithAwsOrganization: from now on accounts of the caller's organization share without invitations (reference
//! §10.14, §12.5).

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::iam::{IdentityKind, service_linked};
use rampart_core::organization::{FeatureSet, Organization, RAM_SERVICE, sharing_enabled};
use rampart_core::{Change, OrganizationChange, Refusal, TimestampMs};
use rampart_store::{Abort, Transaction, Work};
use serde::{Deserialize, Serialize};

use super::answering::write;
use crate::app::{App, Call};
use crate::idempotency::json;
use crate::operations::{Answer, Request};

#[derive(Deserialize)]
struct Input {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    return_value: bool,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let Input {} = parse_body(&request.body)?;
        let owner = request.call.account;
        let random = app.entropy.bytes();
        write(&app, owner, Enable { call: request.call, random }).await
    })
}

struct Enable {
    call: Call,
    random: [u8; 17],
}

impl Work for Enable {
    type Reply = String;

    // AWS: the management account of an organization with all features alone; once more is no error.
    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        let organization = tx.organization(self.call.account).await?;
        let organization = organization.filter(|organization| organization.feature_set == FeatureSet::All);
        let organization = organization.ok_or(Refusal::OrganizationSharingDenied)?;
        let name = service_linked::ram_role_name();
        let trusted = tx.service_access(organization.management, RAM_SERVICE);
        let role = tx.iam_identity_alike(organization.management, IdentityKind::Role, &name);
        let (trusted, role) = futures_util::future::try_join(trusted, role).await?;
        let mut changes = enable(&organization, trusted.is_some(), self.call.now);
        if role.is_none() {
            let (_, made) = service_linked::create(self.call.account, None, self.random, self.call.now);
            changes.extend(made);
        }
        tx.apply(&changes, self.call.now).await?;
        Ok(json(&Output { return_value: true }))
    }
}

/// The rows of sharing that begins: RAM's trusted access, and the organization that is shared within.
fn enable(organization: &Organization, is_trusted: bool, now: TimestampMs) -> Vec<Change> {
    let (management, service) = (organization.management, RAM_SERVICE.to_owned());
    let trust = OrganizationChange::ServiceAccessStored { management, service, enabled: now };
    let trust = (!is_trusted).then_some(trust);
    let enabled = sharing_enabled(organization).map(OrganizationChange::Stored);
    trust.into_iter().chain(enabled).map(Change::Organization).collect()
}

//! EnableAWSServiceAccess, DisableAWSServiceAccess, ListAWSServiceAccessForOrganization.

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::organization::refusal::Fault;
use rampart_core::organization::{
    check_all_features, sharing_over, trusted_access_disabled, trusted_access_enabled,
};
use rampart_core::{Decision, OrganizationChange, OrganizationRefusal, TimestampMs};
use rampart_store::{Abort, Transaction};
use serde::{Deserialize, Serialize};

use super::input::{invalid, required};
use super::managing::{At, Managing, Nothing, done, manage, managed_by};
use super::pages::Page;
use crate::app::App;
use crate::idempotency::json;
use crate::operations::{Answer, Request};

const SERVICE_CHARS_MAX: usize = 128;

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct ServiceInput {
    service_principal: Option<String>,
}

impl ServiceInput {
    fn service(&self) -> Result<&str, OrganizationRefusal> {
        let service = required(self.service_principal.as_deref(), "ServicePrincipal")?;
        let is_allowed = |c: char| c.is_alphanumeric() || "_+=,.@-".contains(c);
        match service.chars().count() {
            0 => Err(invalid("ServicePrincipal", Fault::TooShort { min: 1 })),
            chars if chars > SERVICE_CHARS_MAX => {
                Err(invalid("ServicePrincipal", Fault::TooLong { max: SERVICE_CHARS_MAX }))
            }
            _ if service.chars().all(is_allowed) => Ok(service),
            _ => Err(invalid("ServicePrincipal", Fault::Pattern)),
        }
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Enable(ServiceInput);

pub(crate) fn enable_aws_service_access(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: ServiceInput = parse_body(&request.body)?;
        manage(app, request.call, Enable(input)).await
    })
}

impl Managing for Enable {
    type Reply = Nothing;

    async fn decide(&self, tx: &Transaction, at: &At<'_>) -> Result<Decision<Nothing>, Abort> {
        let service = self.0.service()?;
        check_all_features(at.organization)?;
        let management = at.organization.management;
        if tx.service_access(management, service).await?.is_some() {
            return Ok(done(Vec::new()));
        }
        let service_name = service.to_owned();
        let mut changes = vec![OrganizationChange::ServiceAccessStored {
            management,
            service: service_name,
            enabled: at.call.now,
        }];
        changes.extend(trusted_access_enabled(at.organization, service).map(OrganizationChange::Stored));
        Ok(done(changes))
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Disable(ServiceInput);

pub(crate) fn disable_aws_service_access(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: ServiceInput = parse_body(&request.body)?;
        manage(app, request.call, Disable(input)).await
    })
}

impl Managing for Disable {
    type Reply = Nothing;

    async fn decide(&self, tx: &Transaction, at: &At<'_>) -> Result<Decision<Nothing>, Abort> {
        let service = self.0.service()?;
        check_all_features(at.organization)?;
        let management = at.organization.management;
        if tx.service_access(management, service).await?.is_none() {
            return Ok(done(Vec::new()));
        }
        let service_name = service.to_owned();
        let mut changes =
            vec![OrganizationChange::ServiceAccessDeleted { management, service: service_name }];
        if let Some(organization) = trusted_access_disabled(at.organization, service) {
            changes.extend(sharing_over(organization, at.call.now));
        }
        Ok(done(changes))
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListInput {
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListOutput {
    enabled_service_principals: Vec<ServiceShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ServiceShape {
    service_principal: String,
    date_enabled: TimestampMs,
}

pub(crate) fn list_aws_service_access_for_organization(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: ListInput = parse_body(&request.body)?;
        let call = request.call;
        let page = Page::open(&app, &call, &(), input.max_results, input.next_token.as_deref())?;
        let reader = app.store.reader().await?;
        let organization = managed_by(&reader, call.account).await?;
        let services = reader.services_with_access(organization.management, page.after(), page.load_size());
        let mut services = services.await?;
        let next_token = page.cut(&app, &mut services, |(service, _)| service);
        let shape = |(service_principal, date_enabled)| ServiceShape { service_principal, date_enabled };
        let enabled_service_principals = services.into_iter().map(shape).collect();
        Ok(json(&ListOutput { enabled_service_principals, next_token }))
    })
}

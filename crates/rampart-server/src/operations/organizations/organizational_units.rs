//! CreateOrganizationalUnit, UpdateOrganizationalUnit, DeleteOrganizationalUnit, DescribeOrganizationalUnit,
//! ListOrganizationalUnitsForParent.

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::organization::unit::{check_unit_name, decide_create_unit};
use rampart_core::organization::{Organization, OrganizationalUnit};
use rampart_core::{Decision, OrganizationChange, OrganizationRefusal};
use rampart_store::{Abort, Reader, Transaction};
use serde::{Deserialize, Serialize};

use super::input::{TagShape, parent_id, required, tags};
use super::managing::{At, Managing, Nothing, decided, done, manage, managed_by};
use super::pages::Page;
use super::shapes::UnitShape;
use super::tree::parent;
use crate::app::App;
use crate::idempotency::json;
use crate::operations::{Answer, Request};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Described {
    organizational_unit: UnitShape,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct CreateInput {
    parent_id: Option<String>,
    name: Option<String>,
    tags: Option<Vec<TagShape>>,
}

pub(crate) fn create_organizational_unit(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: CreateInput = parse_body(&request.body)?;
        manage(app, request.call, input).await
    })
}

impl Managing for CreateInput {
    type Reply = Described;

    async fn decide(&self, tx: &Transaction, at: &At<'_>) -> Result<Decision<Described>, Abort> {
        let parent_id = parent_id(self.parent_id.as_deref(), "ParentId")?;
        let name = required(self.name.as_deref(), "Name")?;
        check_unit_name(name)?;
        let added = tags(self.tags.as_deref().unwrap_or_default())?;
        let management = at.organization.management;
        let parent =
            parent(tx, at.organization, &parent_id).await?.ok_or(OrganizationRefusal::ParentNotFound)?;
        let is_taken = tx.unit_named(management, &parent_id, name).await?.is_some();
        let units_max = at.app.settings.quotas.organizational_units;
        let random = at.app.entropy.bytes();
        let (organization, unit) =
            decide_create_unit(at.organization, &parent, name, is_taken, units_max, random, at.call.now)?;
        let reply = described(&organization, &unit, at);
        let mut changes = vec![OrganizationChange::Stored(organization)];
        if !added.is_empty() {
            let (resource, removed) = (unit.id.to_string(), Vec::new());
            changes.push(OrganizationChange::Tagged { management, resource, added, removed });
        }
        changes.push(OrganizationChange::UnitStored(unit));
        Ok(decided(changes, reply))
    }
}

fn described(organization: &Organization, unit: &OrganizationalUnit, at: &At<'_>) -> Described {
    Described { organizational_unit: UnitShape::new(organization, unit, at.call.region.partition()) }
}

/// The unit that a call names.
async fn named(
    reader: &Reader,
    organization: &Organization,
    id: Option<&str>,
) -> Result<OrganizationalUnit, Abort> {
    let id = parent_id(id, "OrganizationalUnitId")?;
    let unit = reader.unit(organization.management, &id).await?;
    Ok(unit.ok_or(OrganizationRefusal::OrganizationalUnitNotFound)?)
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct UpdateInput {
    organizational_unit_id: Option<String>,
    name: Option<String>,
}

pub(crate) fn update_organizational_unit(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: UpdateInput = parse_body(&request.body)?;
        manage(app, request.call, input).await
    })
}

impl Managing for UpdateInput {
    type Reply = Described;

    async fn decide(&self, tx: &Transaction, at: &At<'_>) -> Result<Decision<Described>, Abort> {
        if let Some(name) = &self.name {
            check_unit_name(name)?;
        }
        let mut unit = named(tx, at.organization, self.organizational_unit_id.as_deref()).await?;
        let mut changes = Vec::new();
        if let Some(name) = self.name.as_ref().filter(|name| **name != unit.name) {
            if tx.unit_named(unit.management, &unit.parent, name).await?.is_some() {
                return Err(OrganizationRefusal::DuplicateOrganizationalUnit.into());
            }
            unit.name.clone_from(name);
            changes.push(OrganizationChange::UnitStored(unit.clone()));
        }
        Ok(decided(changes, described(at.organization, &unit, at)))
    }
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct DeleteInput {
    organizational_unit_id: Option<String>,
}

pub(crate) fn delete_organizational_unit(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: DeleteInput = parse_body(&request.body)?;
        manage(app, request.call, input).await
    })
}

impl Managing for DeleteInput {
    type Reply = Nothing;

    async fn decide(&self, tx: &Transaction, at: &At<'_>) -> Result<Decision<Nothing>, Abort> {
        let unit = named(tx, at.organization, self.organizational_unit_id.as_deref()).await?;
        let management = unit.management;
        let (units, accounts) = futures_util::future::try_join(
            tx.units_in(management, &unit.id, "", 1),
            tx.members_in(management, &unit.id, "", 1),
        )
        .await?;
        if !units.is_empty() || !accounts.is_empty() {
            return Err(OrganizationRefusal::OrganizationalUnitNotEmpty.into());
        }
        let organization =
            Organization { units: at.organization.units.saturating_sub(1), ..at.organization.clone() };
        let (generation, target) = (organization.policies_generation, unit.id.to_string());
        Ok(done(vec![
            OrganizationChange::Stored(organization),
            OrganizationChange::UnitDeleted { management, unit: unit.id },
            OrganizationChange::TagsDropped { management, resource: target.clone() },
            OrganizationChange::TargetDropped { management, generation, target },
        ]))
    }
}

pub(crate) fn describe_organizational_unit(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: DeleteInput = parse_body(&request.body)?;
        let call = request.call;
        let reader = app.store.reader().await?;
        let organization = managed_by(&reader, call.account).await?;
        let unit = named(&reader, &organization, input.organizational_unit_id.as_deref()).await?;
        Ok(json(&described(
            &organization,
            &unit,
            &At { app: &app, call: &call, organization: &organization },
        )))
    })
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListInput {
    parent_id: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListOutput {
    organizational_units: Vec<UnitShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) fn list_organizational_units_for_parent(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: ListInput = parse_body(&request.body)?;
        let call = request.call;
        let id = parent_id(input.parent_id.as_deref(), "ParentId")?;
        let page = Page::open(&app, &call, &id, input.max_results, input.next_token.as_deref())?;
        let reader = app.store.reader().await?;
        let organization = managed_by(&reader, call.account).await?;
        parent(&reader, &organization, &id).await?.ok_or(OrganizationRefusal::ParentNotFound)?;
        let mut units = reader.units_in(organization.management, &id, page.after(), page.load_size()).await?;
        let next_token = page.cut(&app, &mut units, |unit| unit.id.as_str());
        let partition = call.region.partition();
        let shape = |unit: &OrganizationalUnit| UnitShape::new(&organization, unit, partition);
        Ok(json(&ListOutput { organizational_units: units.iter().map(shape).collect(), next_token }))
    })
}

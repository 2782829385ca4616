//! EnablePolicyType and DisablePolicyType.

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::organization::policy::{
    check_type_available, decide_disable, decide_enable, is_known_type,
};
use rampart_core::organization::{Organization, ParentId};
use rampart_core::{Decision, OrganizationChange, OrganizationRefusal};
use rampart_store::{Abort, Transaction};
use serde::{Deserialize, Serialize};

use super::input::{id, required};
use super::managing::{At, Managing, decided, manage};
use super::shapes::RootShape;
use crate::app::App;
use crate::operations::{Answer, Request};

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct PolicyTypeInput {
    root_id: Option<String>,
    policy_type: Option<String>,
}

impl PolicyTypeInput {
    /// Checks that the root is the organization's; gives the type.
    fn check_root(&self, organization: &Organization) -> Result<&str, OrganizationRefusal> {
        let is_root = |text: &str| ParentId::parse(text).filter(ParentId::is_root);
        let root = id(self.root_id.as_deref(), "RootId", is_root)?;
        let name = required(self.policy_type.as_deref(), "PolicyType")?;
        is_known_type(name, "PolicyType")?;
        if root == organization.root { Ok(name) } else { Err(OrganizationRefusal::RootNotFound) }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    root: RootShape,
}

fn answer(organization: Organization, mut changes: Vec<OrganizationChange>, at: &At<'_>) -> Decision<Output> {
    let root = RootShape::new(&organization, at.call.region.partition());
    changes.push(OrganizationChange::Stored(organization));
    decided(changes, Output { root })
}

#[derive(Serialize)]
#[serde(transparent)]
struct Enable(PolicyTypeInput);

pub(crate) fn enable_policy_type(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: PolicyTypeInput = parse_body(&request.body)?;
        manage(app, request.call, Enable(input)).await
    })
}

impl Managing for Enable {
    type Reply = Output;

    async fn decide(&self, _: &Transaction, at: &At<'_>) -> Result<Decision<Output>, Abort> {
        let name = self.0.check_root(at.organization)?;
        check_type_available(at.organization, name, "PolicyType")?;
        Ok(answer(decide_enable(at.organization)?, Vec::new(), at))
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Disable(PolicyTypeInput);

pub(crate) fn disable_policy_type(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: PolicyTypeInput = parse_body(&request.body)?;
        manage(app, request.call, Disable(input)).await
    })
}

impl Managing for Disable {
    type Reply = Output;

    async fn decide(&self, _: &Transaction, at: &At<'_>) -> Result<Decision<Output>, Abort> {
        let name = self.0.check_root(at.organization)?;
        if !is_known_type(name, "PolicyType")? {
            return Err(OrganizationRefusal::PolicyTypeNotEnabled.into());
        }
        let organization = decide_disable(at.organization)?;
        let (management, generation) = (organization.management, at.organization.policies_generation);
        let dropped = OrganizationChange::AttachmentsDropped { management, generation };
        Ok(answer(organization, vec![dropped], at))
    }
}

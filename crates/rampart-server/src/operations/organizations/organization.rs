//! CreateOrganization, DescribeOrganization, DeleteOrganization, ListRoots.

use std::sync::Arc;

use futures_util::future::try_join4;
use rampart_aws::rest_json::parse_body;
use rampart_core::organization::change::Tidying;
use rampart_core::organization::member::{JoinedMethod, Joining, decide_claim};
use rampart_core::organization::refusal::Fault;
use rampart_core::organization::unit::Parent;
use rampart_core::organization::{Claim, FeatureSet, Member, Organization, OrganizationId, ParentId};
use rampart_core::{Change, Decision, OrganizationChange, OrganizationRefusal};
use rampart_store::{Abort, Transaction, Work};
use serde::{Deserialize, Serialize};

use super::input::invalid;
use super::managing::{At, Managing, Nothing, done, manage, managed_by};
use super::pages::Page;
use super::shapes::{OrganizationShape, RootShape};
use crate::app::{App, Call};
use crate::background::remove_remains;
use crate::idempotency::{Once, json};
use crate::operations::{Answer, Request};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    organization: OrganizationShape,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct CreateInput {
    feature_set: Option<String>,
}

pub(crate) fn create_organization(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: CreateInput = parse_body(&request.body)?;
        let feature_set = match input.feature_set.as_deref() {
            None => FeatureSet::All,
            Some(text) => FeatureSet::parse(text).ok_or_else(|| invalid("FeatureSet", Fault::Enum))?,
        };
        let once = Once::new(&request.call, request.call.operation.name, None, &input)?;
        let partition = app.store.partition_of(request.call.account);
        remove_remains(&app.store, request.call.account).await?;
        let command = Create { app: Arc::clone(&app), call: request.call, feature_set, once };
        Ok(app.store.write(partition, command).await?)
    })
}

struct Create {
    app: Arc<App>,
    call: Call,
    feature_set: FeatureSet,
    once: Once,
}

impl Work for Create {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        if let Some(answer) = self.once.recall(tx).await? {
            return Ok(answer);
        }
        let (account, now) = (self.call.account, self.call.now);
        let (membership, remains) = (tx.membership(account), tx.remains_of(account));
        let (claim, known) = (tx.organization_claim(account), tx.account(account));
        let (membership, remains, claim, known) = try_join4(membership, remains, claim, known).await?;
        if membership.is_some() {
            return Err(OrganizationRefusal::AlreadyInOrganization.into());
        }
        if remains.is_some() {
            // The account had another one between the removal of the last one's remains and this.
            return Err(OrganizationRefusal::ConcurrentModification.into());
        }
        let claim = decide_claim(account, account, claim, now)?;
        let name = known.map(|known| known.name).unwrap_or_default();
        let (id, root) =
            (OrganizationId::new(self.app.entropy.bytes()), ParentId::new_root(self.app.entropy.bytes()));
        let organization = Organization::new(account, id, root, self.feature_set, now);
        let joining = Joining::existing(account, &name, claim.epoch);
        let parent = Parent::root(&organization);
        let member = Member::new(joining, account, &parent, JoinedMethod::Invited, now);
        let reply = Described {
            organization: OrganizationShape::new(&organization, &member, self.call.region.partition()),
        };
        let changes = [
            OrganizationChange::Claimed(claim),
            OrganizationChange::Stored(organization),
            OrganizationChange::MemberStored(member),
        ];
        tx.apply(&changes.map(Change::Organization), now).await?;
        self.once.answer(tx, &reply).await
    }
}

pub(crate) fn describe_organization(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let call = request.call;
        let reader = app.store.reader().await?;
        let membership = reader.membership(call.account).await?.ok_or(OrganizationRefusal::NotInUse)?;
        let organization = membership.organization;
        let management = if membership.member.account == organization.management {
            membership.member
        } else {
            let member = reader.member(organization.management, organization.management).await?;
            member.ok_or(OrganizationRefusal::NotInUse)?
        };
        let partition = call.region.partition();
        Ok(json(&Described { organization: OrganizationShape::new(&organization, &management, partition) }))
    })
}

#[derive(Default, Deserialize, Serialize)]
struct DeleteInput {}

pub(crate) fn delete_organization(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: DeleteInput = parse_body(&request.body)?;
        manage(app, request.call, input).await
    })
}

impl Managing for DeleteInput {
    type Reply = Nothing;

    // AWS: what is not an account goes with the organization.
    async fn decide(&self, tx: &Transaction, at: &At<'_>) -> Result<Decision<Nothing>, Abort> {
        if at.organization.accounts > 1 {
            return Err(OrganizationRefusal::OrganizationNotEmpty.into());
        }
        let (management, now) = (at.organization.management, at.call.now);
        let generation = at.organization.policies_generation;
        let tidying = Tidying { management, account: Some(management), at: now };
        let mut changes = vec![
            OrganizationChange::Deleted { management },
            OrganizationChange::AttachmentsDropped { management, generation },
            OrganizationChange::TidyingStored(tidying),
        ];
        // Another organization may have the account at once.
        let claim = tx.organization_claim(management).await?;
        changes.extend(claim.map(|claim| OrganizationChange::Claimed(Claim { until: now, ..claim })));
        Ok(done(changes))
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListRootsInput {
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListRootsOutput {
    roots: Vec<RootShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) fn list_roots(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: ListRootsInput = parse_body(&request.body)?;
        let call = request.call;
        let page = Page::open(&app, &call, &(), input.max_results, input.next_token.as_deref())?;
        let organization = managed_by(&app.store.reader().await?, call.account).await?;
        let mut roots = vec![RootShape::new(&organization, call.region.partition())];
        roots.retain(|root| root.id.as_str() > page.after());
        let next_token = page.cut(&app, &mut roots, |root| &root.id);
        Ok(json(&ListRootsOutput { roots, next_token }))
    })
}

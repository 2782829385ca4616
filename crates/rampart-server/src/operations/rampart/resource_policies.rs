//! `/rampart/v1/resource-policies`: the policies that owners put on their resources. On AWS the owning services tell RAM
//! of them; here their owner does, in a call signed as one to RAM (reference §7.7).
//!
//! `PUT` takes `{"resourceArn": …, "policy": …}`, the policy being JSON in a text; `GET` and `DELETE` take `resourceArn` in
//! the query. In strict mode the caller needs `rampart:PutResourcePolicy`, `rampart:GetResourcePolicy` or
//! `rampart:DeleteResourcePolicy` on the resource.

mod state;

use std::sync::Arc;

use futures_util::future::{try_join, try_join3};
use rampart_aws::query::parse_form;
use rampart_aws::rest_json::parse_body;
use rampart_core::associate::Ledger;
use rampart_core::policy_share::promote::managed_candidates;
use rampart_core::policy_share::read::{PolicyRead, Subject, read};
use rampart_core::policy_share::{NewPolicy, ResourcePolicy, decide_put, decide_remove};
use rampart_core::refusal::PolicyRefusal;
use rampart_core::resource::Resource;
use rampart_core::{Arn, Refusal, ShareArn};
use rampart_store::{Abort, Transaction, Work};
use serde::{Deserialize, Serialize};

use self::state::load;
use crate::app::{App, Call};
use crate::failure::Failure;
use crate::idempotency::json;
use crate::operations::ram::effect::circle_for;
use crate::operations::ram::input::required;
use crate::operations::{Answer, Request};

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    resource_arn: Option<String>,
    policy: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output<'a> {
    resource_arn: &'a str,
    policy: &'a str,
    /// The shares that were made of it.
    resource_share_arns: Vec<String>,
}

impl<'a> Output<'a> {
    fn new(row: &'a ResourcePolicy) -> Self {
        let arn = |id| ShareArn { owner: row.owner, region: row.region, id }.to_string();
        let resource_share_arns = row.shares.iter().map(|id| arn(*id)).collect();
        Self { resource_arn: &row.resource, policy: &row.policy, resource_share_arns }
    }
}

/// The resource that a query names.
fn named(request: &Request) -> Result<String, Failure> {
    let query = parse_form(request.query.as_bytes())?;
    let arn = required(query.get("resourceArn"), "resourceArn")?;
    if Arn::parse(arn).is_err() {
        return Err(Refusal::ResourceArnMalformed { arn: arn.chars().take(256).collect() }.into());
    }
    Ok(arn.to_owned())
}

fn not_found(resource: &str) -> Refusal {
    PolicyRefusal::NotFound { arn: resource.to_owned() }.into()
}

pub(crate) fn get(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let (resource, call) = (named(&request)?, request.call);
        let found = app.store.reader().await?.resource_policy(call.account, call.region, &resource).await?;
        Ok(json(&Output::new(&found.ok_or_else(|| not_found(&resource))?)))
    })
}

pub(crate) fn put(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: Input = parse_body(&request.body)?;
        let resource = required(input.resource_arn, "resourceArn")?;
        let policy = required(input.policy, "policy")?;
        let call = request.call;
        let resource_type = Resource::parse(app.catalog, &resource, call.account, call.region)?.resource_type;
        let known = managed_candidates(app.catalog, &resource_type.name).into_iter();
        let several: Vec<_> = known.map(|known| known.allowed).filter(|allowed| allowed.len() > 1).collect();
        let membership = call.membership(&app.store.reader().await?).await?;
        let home = membership.map(|membership| &membership.organization);
        let subject = Subject { resource: &resource, partition: call.region.partition(), home };
        let read = read(&policy, subject, &several)?;
        let part = app.store.partition_of(call.account);
        Ok(app.store.write(part, Put { app: Arc::clone(&app), call, resource, policy, read }).await?)
    })
}

pub(crate) fn delete(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let (resource, call) = (named(&request)?, request.call);
        let part = app.store.partition_of(call.account);
        Ok(app.store.write(part, Delete { app: Arc::clone(&app), call, resource }).await?)
    })
}

struct Put {
    app: Arc<App>,
    call: Call,
    resource: String,
    policy: String,
    read: PolicyRead,
}

impl Work for Put {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        let (owner, region, now) = (self.call.account, self.call.region, self.call.now);
        let usage = async { Ok(tx.owner_usage(owner, region).await?) };
        let principals = self.read.grants.iter().flat_map(|grant| grant.principals.clone());
        let principals: Vec<_> = principals.collect();
        let circle = async { Ok(circle_for(tx, owner, &principals, &[]).await?) };
        let before = load(tx, &self.app, &self.call, &self.resource);
        let (before, usage, circle) = try_join3(before, usage, circle).await?;
        let resource = Resource::parse(self.app.catalog, &self.resource, owner, region)?;
        let new = NewPolicy { resource, text: &self.policy, read: &self.read };
        let (quotas, timing) = (&self.app.settings.quotas, self.app.timing());
        let ledger = Ledger { usage, quotas, timing, circle: circle.as_ref() };
        let mut ids = || self.app.entropy.uuid();
        let decision = decide_put(&new, (owner, region), before.as_ref(), &ledger, now, &mut ids)?;
        tx.apply(&decision.changes, now).await?;
        Ok(json(&Output::new(&decision.reply)))
    }
}

struct Delete {
    app: Arc<App>,
    call: Call,
    resource: String,
}

impl Work for Delete {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        let usage = async { Ok(tx.owner_usage(self.call.account, self.call.region).await?) };
        let (before, usage) = try_join(load(tx, &self.app, &self.call, &self.resource), usage).await?;
        let before = before.ok_or_else(|| not_found(&self.resource))?;
        let changes = decide_remove(&before, usage, self.call.now);
        tx.apply(&changes, self.call.now).await?;
        Ok(json(&serde_json::json!({"returnValue": true})))
    }
}

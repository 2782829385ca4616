//! CreateResourceShare: a share, and at once what is in it and with whom (reference §10.1).

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::{try_join, try_join_all};
use rampart_aws::rest_json::parse_body;
use rampart_core::associate::{Entities, Ledger, decide_associate};
use rampart_core::contents::Contents;
use rampart_core::permission::attach::{attach_missing, choose};
use rampart_core::permission::parameters::Values;
use rampart_core::permission::{Attachable, find};
use rampart_core::refusal::PermissionRefusal;
use rampart_core::resource_share::{Origin, Tag, check_name, check_tags};
use rampart_core::{AttachedPermission, Change, OwnerUsage, Refusal, ResourceShare, ShareId};
use rampart_store::{Abort, Transaction, Work};
use serde::{Deserialize, Serialize};

use super::answering::write_past_what_is_over;
use super::effect::circle_for;
use super::entities::Named;
use super::input::required;
use super::permissions::{ValuesInput, attachable, values};
use super::shapes::{ResourceShareShape, View};
use super::tag_resource::{TagInput, tags};
use crate::app::{App, Call};
use crate::idempotency::Once;
use crate::operations::{Answer, Request};

const NAME: &str = "CreateResourceShare";

/// Permissions that one call may name: more than there are types helps nobody.
const PERMISSIONS_MAX: usize = 500;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    name: Option<String>,
    resource_arns: Option<Vec<String>>,
    principals: Option<Vec<String>>,
    tags: Option<Vec<TagInput>>,
    allow_external_principals: Option<bool>,
    client_token: Option<String>,
    permission_arns: Option<Vec<String>>,
    permission_template_parameters: Option<Vec<PermissionValuesInput>>,
    sources: Option<Vec<String>>,
    resource_share_configuration: Option<ConfigurationInput>,
}

/// Values for the parameters of one of the chosen permissions.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PermissionValuesInput {
    permission_arn: Option<String>,
    permission_template_parameters: Option<Vec<ValuesInput>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ConfigurationInput {
    retain_sharing_on_account_leave_organization: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    resource_share: ResourceShareShape,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<String>,
}

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: Input = parse_body(&request.body)?;
        let client_token = input.client_token.clone();
        let wanted = Wanted::new(input)?;
        wanted.named.recognise(&app, &request.call)?;
        for arn in wanted.permissions.keys() {
            find(app.catalog, arn, request.call.account, request.call.region)?;
        }
        let once = Once::new(&request.call, NAME, client_token.as_deref(), &wanted)?;
        let owner = request.call.account;
        let command = Create { app: Arc::clone(&app), call: request.call, wanted, client_token, once };
        write_past_what_is_over(&app, owner, command).await
    })
}

/// What the caller wants, checked. Two calls that want the same serialize alike.
#[derive(Serialize)]
struct Wanted {
    name: String,
    named: Named,
    /// By ARN, with values for its parameters.
    permissions: BTreeMap<String, Values>,
    tags: Vec<Tag>,
    allow_external_principals: bool,
    retain: bool,
}

impl Wanted {
    fn new(input: Input) -> Result<Self, Refusal> {
        let name = required(input.name, "name")?;
        check_name(&name)?;
        // AWS: true unless said otherwise (reference §4.2).
        let allow_external_principals = input.allow_external_principals.unwrap_or(true);
        let permissions = with_values(input.permission_arns, input.permission_template_parameters)?;
        let configuration = input.resource_share_configuration.unwrap_or_default();
        let retain = configuration.retain_sharing_on_account_leave_organization.unwrap_or(false);
        // AWS: whether both go together is unknown; refusing is the recommended choice (reference §4.1).
        if retain && !allow_external_principals {
            return Err(Refusal::RetainedSharingConfined);
        }
        Ok(Self {
            name,
            named: Named::new(input.resource_arns, input.principals, input.sources)?,
            permissions,
            tags: check_tags(tags(input.tags.unwrap_or_default())?)?,
            allow_external_principals,
            retain,
        })
    }
}

/// The permissions that are chosen, each with the values that are given for it.
fn with_values(
    arns: Option<Vec<String>>,
    given: Option<Vec<PermissionValuesInput>>,
) -> Result<BTreeMap<String, Values>, Refusal> {
    let arns = arns.unwrap_or_default();
    if arns.len() > PERMISSIONS_MAX {
        let (parameter, limit) = ("permissionArns", PERMISSIONS_MAX);
        return Err(Refusal::TooManyFilterValues { parameter, values: arns.len(), limit });
    }
    let mut permissions: BTreeMap<_, _> = arns.into_iter().map(|arn| (arn, Values::new())).collect();
    for PermissionValuesInput { permission_arn, permission_template_parameters } in given.unwrap_or_default()
    {
        let arn = required(permission_arn, "permissionTemplateParameters.permissionArn")?;
        let Some(entry) = permissions.get_mut(&arn) else {
            return Err(
                PermissionRefusal::ParametersOfUnattached { arn: arn.chars().take(256).collect() }.into()
            );
        };
        entry.extend(values(permission_template_parameters)?);
    }
    Ok(permissions)
}

struct Create {
    app: Arc<App>,
    call: Call,
    wanted: Wanted,
    client_token: Option<String>,
    once: Once,
}

impl Work for Create {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        if let Some(answer) = self.once.recall(tx).await? {
            return Ok(answer);
        }
        let (now, timing) = (self.call.now, self.app.timing());
        let share = self.new_share();
        let entities = self.wanted.named.recognise(&self.app, &self.call)?;
        let chosen = self.wanted.permissions.iter().map(async |(arn, values)| {
            Ok::<_, Abort>((attachable(tx, &self.app, &self.call, arn).await?, values.clone()))
        });
        let usage = async { Ok(tx.owner_usage(self.call.account, self.call.region).await?) };
        let (before, chosen) = try_join(usage, try_join_all(chosen)).await?;
        let usage = OwnerUsage { resource_shares: before.resource_shares.saturating_add(1), ..before };
        let quotas = &self.app.settings.quotas;
        usage.check_shares(quotas)?;
        let circle = circle_for(tx, self.call.account, &entities.principals, &[]).await?;
        let ledger = Ledger { usage, quotas, timing, circle: circle.as_ref() };
        let decision =
            decide_associate(&share, &entities, Vec::new(), ledger, now, &mut || self.app.entropy.uuid())?;
        let mut changes = decision.changes;
        // With contents the decision begins with the share and the usage; without, these two are all.
        if changes.is_empty() {
            changes = vec![Change::ShareStored(share.clone()), Change::UsageStored(usage)];
        }
        changes.extend(
            self.permissions(&share, &entities, &chosen)?.into_iter().map(Change::PermissionAttached),
        );
        if !share.tags.is_empty() {
            changes.push(Change::ShareTagged {
                owner: share.owner,
                region: share.region,
                share: share.id,
                share_created: share.created,
                added: share.tags.clone(),
                removed: Vec::new(),
            });
        }
        tx.apply(&changes, now).await?;
        let resource_share = ResourceShareShape::new(&share, View::Written, now, timing);
        let resource_share = resource_share.expect("a share made now is active");
        self.once.answer(tx, &Output { resource_share, client_token: self.client_token.clone() }).await
    }
}

impl Create {
    /// The permissions that were chosen, and the defaults of the types that none was chosen for.
    fn permissions(
        &self,
        share: &ResourceShare,
        entities: &Entities<'_, '_>,
        chosen: &[(Attachable, Values)],
    ) -> Result<Vec<AttachedPermission>, Refusal> {
        let (catalog, arn, now) = (self.app.catalog, share.arn(), self.call.now);
        let mut attached = choose(arn, chosen, now)?;
        let added = attach_missing(catalog, arn, &attached, &entities.resource_types(), now);
        attached.extend(added);
        Ok(attached)
    }

    fn new_share(&self) -> ResourceShare {
        ResourceShare {
            owner: self.call.account,
            region: self.call.region,
            id: ShareId(self.app.entropy.uuid()),
            name: self.wanted.name.clone(),
            allow_external_principals: self.wanted.allow_external_principals,
            retain_sharing_on_account_leave_organization: self.wanted.retain,
            tags: self.wanted.tags.clone(),
            created: self.call.now,
            updated: self.call.now,
            deleted: None,
            contents: Contents::default(),
            origin: Origin::Made,
        }
    }
}

//! DescribeAccount, ListAccounts, ListAccountsForParent, ListParents, ListChildren, MoveAccount.

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::organization::member::decide_move;
use rampart_core::organization::refusal::Fault;
use rampart_core::organization::{Member, Organization, ParentId, TargetId};
use rampart_core::{Decision, OrganizationChange, OrganizationRefusal};
use rampart_store::{Abort, Transaction};
use serde::{Deserialize, Serialize};

use super::input::{account_id, invalid, parent_id, required, target_id};
use super::managing::{At, Managing, Nothing, done, manage, managed_by};
use super::pages::Page;
use super::shapes::AccountShape;
use super::tree::{parent, target_type};
use crate::app::{App, Call};
use crate::idempotency::json;
use crate::operations::{Answer, Request};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DescribeInput {
    account_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeOutput {
    account: AccountShape,
}

pub(crate) fn describe_account(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: DescribeInput = parse_body(&request.body)?;
        let call = request.call;
        let account = account_id(input.account_id.as_deref(), "AccountId")?;
        let reader = app.store.reader().await?;
        let organization = managed_by(&reader, call.account).await?;
        let member = reader.member(organization.management, account).await?;
        let member = member.ok_or(OrganizationRefusal::AccountNotFound)?;
        let account = AccountShape::new(&organization, &member, call.region.partition());
        Ok(json(&DescribeOutput { account }))
    })
}

/// The members of all lists here.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListInput {
    parent_id: Option<String>,
    child_id: Option<String>,
    child_type: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

impl ListInput {
    fn page(&self, app: &App, call: &Call, filters: &impl Serialize) -> Result<Page, OrganizationRefusal> {
        Page::open(app, call, filters, self.max_results, self.next_token.as_deref())
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AccountsOutput {
    accounts: Vec<AccountShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl AccountsOutput {
    fn new(
        app: &App,
        call: &Call,
        organization: &Organization,
        page: &Page,
        mut members: Vec<Member>,
    ) -> Self {
        let next_token = page.cut(app, &mut members, |member| member.account.as_str());
        let shape = |member: &Member| AccountShape::new(organization, member, call.region.partition());
        Self { accounts: members.iter().map(shape).collect(), next_token }
    }
}

pub(crate) fn list_accounts(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: ListInput = parse_body(&request.body)?;
        let call = request.call;
        let page = input.page(&app, &call, &())?;
        let reader = app.store.reader().await?;
        let organization = managed_by(&reader, call.account).await?;
        let members = reader.members(organization.management, page.after(), page.load_size()).await?;
        Ok(json(&AccountsOutput::new(&app, &call, &organization, &page, members)))
    })
}

pub(crate) fn list_accounts_for_parent(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: ListInput = parse_body(&request.body)?;
        let call = request.call;
        let id = parent_id(input.parent_id.as_deref(), "ParentId")?;
        let page = input.page(&app, &call, &id)?;
        let reader = app.store.reader().await?;
        let organization = managed_by(&reader, call.account).await?;
        parent(&reader, &organization, &id).await?.ok_or(OrganizationRefusal::ParentNotFound)?;
        let members = reader.members_in(organization.management, &id, page.after(), page.load_size()).await?;
        Ok(json(&AccountsOutput::new(&app, &call, &organization, &page, members)))
    })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RelativeShape {
    id: String,
    r#type: &'static str,
}

impl RelativeShape {
    fn new(id: &TargetId) -> Self {
        Self { id: id.as_str().to_owned(), r#type: target_type(id) }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ParentsOutput {
    parents: Vec<RelativeShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) fn list_parents(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: ListInput = parse_body(&request.body)?;
        let call = request.call;
        let child = target_id(input.child_id.as_deref(), "ChildId")?;
        let page = input.page(&app, &call, &child)?;
        let reader = app.store.reader().await?;
        let management = managed_by(&reader, call.account).await?.management;
        let parent: Option<ParentId> = match &child {
            TargetId::Account(account) => {
                reader.member(management, *account).await?.map(|member| member.parent)
            }
            TargetId::Parent(unit) => reader.unit(management, unit).await?.map(|unit| unit.parent),
        };
        let parent = parent.ok_or(OrganizationRefusal::ChildNotFound)?;
        let mut parents = vec![RelativeShape::new(&TargetId::Parent(parent))];
        parents.retain(|parent| parent.id.as_str() > page.after());
        let next_token = page.cut(&app, &mut parents, |parent| &parent.id);
        Ok(json(&ParentsOutput { parents, next_token }))
    })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ChildrenOutput {
    children: Vec<RelativeShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) fn list_children(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: ListInput = parse_body(&request.body)?;
        let call = request.call;
        let id = parent_id(input.parent_id.as_deref(), "ParentId")?;
        let wants_accounts = match required(input.child_type.as_deref(), "ChildType")? {
            "ACCOUNT" => true,
            "ORGANIZATIONAL_UNIT" => false,
            _ => return Err(invalid("ChildType", Fault::Enum).into()),
        };
        let page = input.page(&app, &call, &(&id, wants_accounts))?;
        let reader = app.store.reader().await?;
        let organization = managed_by(&reader, call.account).await?;
        parent(&reader, &organization, &id).await?.ok_or(OrganizationRefusal::ParentNotFound)?;
        let (management, after, size) = (organization.management, page.after(), page.load_size());
        let mut children: Vec<TargetId> = if wants_accounts {
            let members = reader.members_in(management, &id, after, size).await?;
            members.into_iter().map(|member| TargetId::Account(member.account)).collect()
        } else {
            let units = reader.units_in(management, &id, after, size).await?;
            units.into_iter().map(|unit| TargetId::Parent(unit.id)).collect()
        };
        let next_token = page.cut(&app, &mut children, TargetId::as_str);
        Ok(json(&ChildrenOutput { children: children.iter().map(RelativeShape::new).collect(), next_token }))
    })
}

#[expect(clippy::struct_field_names, reason = "AWS's own names")]
#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct MoveInput {
    account_id: Option<String>,
    source_parent_id: Option<String>,
    destination_parent_id: Option<String>,
}

pub(crate) fn move_account(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: MoveInput = parse_body(&request.body)?;
        manage(app, request.call, input).await
    })
}

impl Managing for MoveInput {
    type Reply = Nothing;

    async fn decide(&self, tx: &Transaction, at: &At<'_>) -> Result<Decision<Nothing>, Abort> {
        let account = account_id(self.account_id.as_deref(), "AccountId")?;
        let source = parent_id(self.source_parent_id.as_deref(), "SourceParentId")?;
        let destination = parent_id(self.destination_parent_id.as_deref(), "DestinationParentId")?;
        let member = tx.member(at.organization.management, account).await?;
        let member = member.ok_or(OrganizationRefusal::AccountNotFound)?;
        let destination = parent(tx, at.organization, &destination).await?;
        let destination = destination.ok_or(OrganizationRefusal::DestinationParentNotFound)?;
        let moved = decide_move(&member, &source, &destination)?;
        Ok(done(vec![OrganizationChange::MemberStored(moved)]))
    }
}

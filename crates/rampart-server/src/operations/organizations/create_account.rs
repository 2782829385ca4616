//! CreateAccount, DescribeCreateAccountStatus, ListCreateAccountStatus.
//!
//! An account and the organization that it joins may be of different partitions. The account is registered first: when
//! the second transaction does not come to pass, an account without an organization is left, which nobody was told of.

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::access_key::Account;
use rampart_core::iam::{IamName, access_role};
use rampart_core::organization::creation::{
    AccountCreation, CreationOutcome, check_account_name, check_email,
};
use rampart_core::organization::member::{JoinedMethod, Joining, decide_claim, decide_join};
use rampart_core::organization::refusal::Fault;
use rampart_core::organization::unit::Parent;
use rampart_core::organization::{CreationId, Member};
use rampart_core::{AccountId, Change, Decision, OrganizationChange, OrganizationRefusal, TimestampMs};
use rampart_store::{Abort, Reader, Transaction, Work};
use serde::{Deserialize, Serialize};

use super::input::{TagShape, id, invalid, required, tags};
use super::managing::{At, Managing, check_claimed, decided, manage, managed_by};
use super::pages::Page;
use super::shapes::CreationShape;
use crate::app::{App, Call};
use crate::failure::Failure;
use crate::idempotency::{Once, json};
use crate::operations::{Answer, Request};

/// How often a number for a new account is drawn before giving up: numbers that are taken are rare.
const DRAWS_MAX: usize = 16;

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct CreateInput {
    email: Option<String>,
    account_name: Option<String>,
    role_name: Option<String>,
    iam_user_access_to_billing: Option<String>,
    tags: Option<Vec<TagShape>>,
    #[serde(skip)]
    joining: Option<(AccountId, i64)>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Described {
    create_account_status: CreationShape,
}

pub(crate) fn create_account(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let mut input: CreateInput = parse_body(&request.body)?;
        let call = request.call;
        input.check()?;
        let once = Once::new(&call, call.operation.name, None, &input)?;
        let account = {
            let reader = app.store.reader().await?;
            if let Some(answer) = once.recall(&reader).await? {
                drop(reader);
                return Ok(once.confirmed(&app, answer).await?);
            }
            let organization = managed_by(&reader, call.account).await?;
            decide_join(&organization, app.settings.quotas.organization_accounts)?;
            let email = input.email.as_deref().unwrap_or_default();
            let is_taken = reader.has_member_with_email(organization.management, email).await?;
            if is_taken { None } else { Some(draw_account(&app, &reader).await?) }
        };
        if let Some(account) = account {
            let epoch = register(&app, &call, account, &input).await?;
            input.joining = Some((account, epoch));
        }
        manage(app, call, input).await
    })
}

/// Registers a new account in its own partition, claimed for the organization of the caller; gives the claim's epoch.
async fn register(app: &App, call: &Call, account: AccountId, input: &CreateInput) -> Result<i64, Failure> {
    let (name, role_name) = (input.account_name.clone().unwrap_or_default(), input.role_name.clone());
    let account = Account { id: account, name, created: call.now };
    let partition = app.store.partition_of(account.id);
    let command =
        Register { account, role_name, random: app.entropy.bytes(), management: call.account, now: call.now };
    Ok(app.store.write(partition, command).await?)
}

struct Register {
    account: Account,
    /// The role by which the organization gets into it.
    role_name: Option<String>,
    random: [u8; 17],
    management: AccountId,
    now: TimestampMs,
}

impl Work for Register {
    type Reply = i64;

    async fn run(&self, tx: &Transaction) -> Result<i64, Abort> {
        let last = tx.organization_claim(self.account.id).await?;
        let claim = decide_claim(self.account.id, self.management, last, self.now)?;
        let (account, role) = (self.account.id, self.role_name.as_deref());
        let mut changes = vec![
            Change::AccountStored(self.account.clone()),
            Change::Organization(OrganizationChange::Claimed(claim)),
        ];
        changes.extend(access_role::create(account, self.management, role, self.random, self.now)?);
        tx.apply(&changes, self.now).await?;
        Ok(claim.epoch)
    }
}

/// A number that no account has.
async fn draw_account(app: &App, reader: &Reader) -> Result<AccountId, Failure> {
    for _ in 0..DRAWS_MAX {
        let number = u64::from_be_bytes(app.entropy.bytes()) % 1_000_000_000_000;
        let account: AccountId = format!("{number:012}").parse().expect("twelve digits");
        let is_taken =
            reader.account(account).await?.is_some() || reader.membership(account).await?.is_some();
        if !is_taken {
            return Ok(account);
        }
    }
    Err(OrganizationRefusal::ConcurrentModification.into())
}

impl CreateInput {
    fn check(&self) -> Result<(), OrganizationRefusal> {
        check_email(required(self.email.as_deref(), "Email")?)?;
        check_account_name(required(self.account_name.as_deref(), "AccountName")?)?;
        if let Some(role) = &self.role_name {
            IamName::of_identity(role, "RoleName").map_err(|_| invalid("RoleName", Fault::Pattern))?;
        }
        match self.iam_user_access_to_billing.as_deref() {
            None | Some("ALLOW" | "DENY") => {}
            Some(_) => return Err(invalid("IamUserAccessToBilling", Fault::Enum)),
        }
        tags(self.tags.as_deref().unwrap_or_default()).map(drop)
    }
}

impl Managing for CreateInput {
    type Reply = Described;

    async fn decide(&self, tx: &Transaction, at: &At<'_>) -> Result<Decision<Described>, Abort> {
        let (management, now) = (at.organization.management, at.call.now);
        let (name, email) = (self.account_name.clone().unwrap_or_default(), self.email.clone());
        let email = email.unwrap_or_default();
        let mut creation = AccountCreation {
            management,
            id: CreationId::new(at.app.entropy.bytes()),
            name: name.clone(),
            requested: now,
            outcome: CreationOutcome::EmailAlreadyExists,
        };
        let mut changes = Vec::new();
        // Somebody may have taken the address since the account was registered.
        let joining = match self.joining {
            Some(joining) if !tx.has_member_with_email(management, &email).await? => Some(joining),
            _ => None,
        };
        if let Some((account, epoch)) = joining {
            let after = decide_join(at.organization, at.app.settings.quotas.organization_accounts)?;
            check_claimed(tx, at.app, management, (account, epoch)).await?;
            let joining = Joining { account, name, email, epoch };
            let parent = Parent::root(&after);
            let member = Member::new(joining, management, &parent, JoinedMethod::Created, now);
            changes.push(OrganizationChange::Stored(after));
            changes.push(OrganizationChange::MemberStored(member));
            let added = tags(self.tags.as_deref().unwrap_or_default())?;
            if !added.is_empty() {
                let (resource, removed) = (account.to_string(), Vec::new());
                changes.push(OrganizationChange::Tagged { management, resource, added, removed });
            }
            creation.outcome = CreationOutcome::Succeeded(account);
        }
        let reply = Described { create_account_status: CreationShape::begun(&creation) };
        changes.push(OrganizationChange::CreationStored(creation));
        Ok(decided(changes, reply))
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DescribeInput {
    create_account_request_id: Option<String>,
}

pub(crate) fn describe_create_account_status(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: DescribeInput = parse_body(&request.body)?;
        let call = request.call;
        let id = id(input.create_account_request_id.as_deref(), "CreateAccountRequestId", CreationId::parse)?;
        let reader = app.store.reader().await?;
        let management = managed_by(&reader, call.account).await?.management;
        let creation = reader.account_creation(management, &id, forgotten(&app, &call)).await?;
        let creation = creation.ok_or(OrganizationRefusal::CreationNotFound)?;
        Ok(json(&Described { create_account_status: CreationShape::ended(&creation) }))
    })
}

/// Requests made then or before are not shown any more.
fn forgotten(app: &App, call: &Call) -> TimestampMs {
    call.now.saturating_sub_ms(app.timing().account_creation_visible_ms)
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListInput {
    states: Option<Vec<String>>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListOutput {
    create_account_statuses: Vec<CreationShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) fn list_create_account_status(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: ListInput = parse_body(&request.body)?;
        let call = request.call;
        let states = wanted_states(input.states.as_deref())?;
        let page = Page::open(&app, &call, &states, input.max_results, input.next_token.as_deref())?;
        let reader = app.store.reader().await?;
        let management = managed_by(&reader, call.account).await?.management;
        let (after, size) = (page.after(), page.load_size());
        let mut found =
            reader.account_creations(management, states, forgotten(&app, &call), after, size).await?;
        let next_token = page.cut(&app, &mut found, |creation| creation.id.as_str());
        let create_account_statuses = found.iter().map(CreationShape::ended).collect();
        Ok(json(&ListOutput { create_account_statuses, next_token }))
    })
}

/// The states to look for, of the two that a request is ever found in. An empty text is no state.
fn wanted_states(states: Option<&[String]>) -> Result<[&'static str; 2], OrganizationRefusal> {
    let Some(states) = states.filter(|states| !states.is_empty()) else {
        return Ok(["SUCCEEDED", "FAILED"]);
    };
    let mut wanted = ["", ""];
    for state in states {
        match state.as_str() {
            "SUCCEEDED" => wanted[0] = "SUCCEEDED",
            "FAILED" => wanted[1] = "FAILED",
            "IN_PROGRESS" => {}
            _ => return Err(invalid("States", Fault::Enum)),
        }
    }
    Ok(wanted)
}

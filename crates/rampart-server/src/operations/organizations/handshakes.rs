//! InviteAccountToOrganization, AcceptHandshake, DeclineHandshake, CancelHandshake, DescribeHandshake,
//! ListHandshakesForAccount, ListHandshakesForOrganization.

use std::sync::Arc;

use rampart_aws::rest_json::parse_body;
use rampart_core::organization::handshake::{Handshake, HandshakeAnswer, decide_answer, forgotten_by};
use rampart_core::organization::member::{JoinedMethod, Joining, decide_claim, decide_join};
use rampart_core::organization::refusal::{Constraint, Fault, HandshakeConstraint};
use rampart_core::organization::unit::Parent;
use rampart_core::organization::{HandshakeId, Member, Organization};
use rampart_core::{AccountId, Change, Decision, OrganizationChange, OrganizationRefusal, TimestampMs};
use rampart_store::{Abort, Reader, Transaction, Work};
use serde::{Deserialize, Serialize};

use super::input::{TagShape, account_id, at_most, id, invalid, required, tags};
use super::managing::{At, Managing, check_claimed, decided, manage, managed_by};
use super::pages::Page;
use super::shapes::HandshakeShape;
use crate::app::{App, Call};
use crate::failure::Failure;
use crate::idempotency::{Once, json};
use crate::operations::{Answer, Request};

const NOTES_CHARS_MAX: usize = 1024;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Described {
    handshake: HandshakeShape,
}

fn described(handshake: &Handshake, call: &Call) -> Described {
    Described { handshake: HandshakeShape::new(handshake, call.now, call.region.partition()) }
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct InviteInput {
    target: Option<PartyInput>,
    notes: Option<String>,
    tags: Option<Vec<TagShape>>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct PartyInput {
    id: Option<String>,
    r#type: Option<String>,
}

impl PartyInput {
    fn account(&self) -> Result<AccountId, OrganizationRefusal> {
        match required(self.r#type.as_deref(), "Target")? {
            "ACCOUNT" => account_id(self.id.as_deref(), "Target"),
            "EMAIL" | "ORGANIZATION" => Err(invalid("Target", Fault::PartyType)),
            _ => Err(invalid("Target", Fault::Enum)),
        }
    }
}

pub(crate) fn invite_account_to_organization(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: InviteInput = parse_body(&request.body)?;
        manage(app, request.call, input).await
    })
}

impl Managing for InviteInput {
    type Reply = Described;

    async fn decide(&self, tx: &Transaction, at: &At<'_>) -> Result<Decision<Described>, Abort> {
        let target = self.target.as_ref().ok_or_else(|| invalid("Target", Fault::Required))?.account()?;
        if let Some(notes) = &self.notes {
            at_most(notes, NOTES_CHARS_MAX, "Notes")?;
        }
        let tags = tags(self.tags.as_deref().unwrap_or_default())?;
        let (organization, now) = (at.organization, at.call.now);
        if tx.member(organization.management, target).await?.is_some() {
            let constraint = HandshakeConstraint::AlreadyInOrganization;
            return Err(OrganizationRefusal::HandshakeConstraint(constraint).into());
        }
        join(organization, at.app)?;
        let last = tx.last_handshake(organization.management, target).await?;
        if last.is_some_and(|last| last.is_open(now)) {
            return Err(OrganizationRefusal::DuplicateHandshake.into());
        }
        let id = HandshakeId::new(at.app.entropy.bytes());
        let handshake = Handshake::new(organization, id, target, self.notes.clone(), tags, now);
        let reply = described(&handshake, at.call);
        Ok(decided(vec![OrganizationChange::HandshakeStored(handshake)], reply))
    }
}

/// One account more by a handshake: the limit has another name then.
fn join(organization: &Organization, app: &App) -> Result<Organization, OrganizationRefusal> {
    decide_join(organization, app.settings.quotas.organization_accounts).map_err(|refusal| match refusal {
        OrganizationRefusal::Constraint(Constraint::AccountNumber { limit }) => {
            OrganizationRefusal::HandshakeConstraint(HandshakeConstraint::AccountNumber { limit })
        }
        other => other,
    })
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct HandshakeInput {
    handshake_id: Option<String>,
}

impl HandshakeInput {
    fn id(&self) -> Result<HandshakeId, OrganizationRefusal> {
        id(self.handshake_id.as_deref(), "HandshakeId", HandshakeId::parse)
    }
}

/// The handshake of that id.
async fn load(app: &App, reader: &Reader, id: &HandshakeId, call: &Call) -> Result<Handshake, Abort> {
    let found = reader.handshake(id, forgotten(app, call)).await?;
    Ok(found.ok_or(OrganizationRefusal::HandshakeNotFound)?)
}

/// Handshakes that were to be forgotten by then are not shown any more.
pub(crate) fn forgotten(app: &App, call: &Call) -> TimestampMs {
    forgotten_by(call.now, app.timing().handshake_visible_ms)
}

/// Accepting is up to the account; so is declining. Cancelling is up to the organization.
fn check_party(
    handshake: &Handshake,
    answer: HandshakeAnswer,
    call: &Call,
) -> Result<(), OrganizationRefusal> {
    let party = match answer {
        HandshakeAnswer::Accepted | HandshakeAnswer::Declined => handshake.target,
        HandshakeAnswer::Canceled => handshake.management,
    };
    if party == call.account { Ok(()) } else { Err(OrganizationRefusal::AccessDenied) }
}

pub(crate) fn accept_handshake(app: Arc<App>, request: Request) -> Answer {
    Box::pin(answer(app, request, HandshakeAnswer::Accepted))
}

pub(crate) fn decline_handshake(app: Arc<App>, request: Request) -> Answer {
    Box::pin(answer(app, request, HandshakeAnswer::Declined))
}

pub(crate) fn cancel_handshake(app: Arc<App>, request: Request) -> Answer {
    Box::pin(answer(app, request, HandshakeAnswer::Canceled))
}

/// Answers in the partition of the organization. An account that accepts is claimed in its own before.
async fn answer(app: Arc<App>, request: Request, answer: HandshakeAnswer) -> Result<String, Failure> {
    let input: HandshakeInput = parse_body(&request.body)?;
    let call = request.call;
    let id = input.id()?;
    let once = Once::new(&call, call.operation.name, None, &input)?;
    let handshake = {
        let reader = app.store.reader().await?;
        if let Some(answer) = once.recall(&reader).await? {
            drop(reader);
            return Ok(once.confirmed(&app, answer).await?);
        }
        let handshake = load(&app, &reader, &id, &call).await?;
        check_party(&handshake, answer, &call)?;
        decide_answer(&handshake, answer, call.now)?;
        handshake
    };
    let epoch = match answer {
        HandshakeAnswer::Accepted => {
            let claim = Claim { call: call.clone(), management: handshake.management };
            app.store.write(app.store.partition_of(call.account), claim).await?
        }
        HandshakeAnswer::Declined | HandshakeAnswer::Canceled => 0,
    };
    let partition = app.store.partition_of(handshake.management);
    let command = Settle { app: Arc::clone(&app), call, id, answer, epoch, once };
    Ok(app.store.write(partition, command).await?)
}

/// Claims the caller's account for an organization; gives the claim's epoch.
struct Claim {
    call: Call,
    management: AccountId,
}

impl Work for Claim {
    type Reply = i64;

    async fn run(&self, tx: &Transaction) -> Result<i64, Abort> {
        let (account, now) = (self.call.account, self.call.now);
        if tx.membership(account).await?.is_some() {
            let constraint = HandshakeConstraint::AlreadyInOrganization;
            return Err(OrganizationRefusal::HandshakeConstraint(constraint).into());
        }
        let claim = decide_claim(account, self.management, tx.organization_claim(account).await?, now)?;
        tx.apply(&[Change::Organization(OrganizationChange::Claimed(claim))], now).await?;
        Ok(claim.epoch)
    }
}

struct Settle {
    app: Arc<App>,
    call: Call,
    id: HandshakeId,
    answer: HandshakeAnswer,
    epoch: i64,
    once: Once,
}

impl Work for Settle {
    type Reply = String;

    async fn run(&self, tx: &Transaction) -> Result<String, Abort> {
        if let Some(answer) = self.once.recall(tx).await? {
            return Ok(answer);
        }
        let now = self.call.now;
        let handshake = load(&self.app, tx, &self.id, &self.call).await?;
        let ended = decide_answer(&handshake, self.answer, now)?;
        let mut changes = Vec::new();
        if self.answer == HandshakeAnswer::Accepted {
            changes = self.joining(tx, &handshake).await?;
        }
        let reply = described(&ended, &self.call);
        changes.push(OrganizationChange::HandshakeStored(ended));
        let changes: Vec<_> = changes.into_iter().map(Change::Organization).collect();
        tx.apply(&changes, now).await?;
        self.once.answer(tx, &reply).await
    }
}

impl Settle {
    async fn joining(
        &self,
        tx: &Transaction,
        handshake: &Handshake,
    ) -> Result<Vec<OrganizationChange>, Abort> {
        let (management, account) = (handshake.management, self.call.account);
        let organization = tx.organization(management).await?;
        // Handshakes go with their organization.
        let organization = organization.ok_or(OrganizationRefusal::HandshakeNotFound)?;
        let after = join(&organization, &self.app)?;
        check_claimed(tx, &self.app, management, (account, self.epoch)).await?;
        let name = tx.account(account).await?.map(|known| known.name).unwrap_or_default();
        let joining = Joining::existing(account, &name, self.epoch);
        let parent = Parent::root(&after);
        let member = Member::new(joining, management, &parent, JoinedMethod::Invited, self.call.now);
        let mut changes = vec![OrganizationChange::Stored(after), OrganizationChange::MemberStored(member)];
        if !handshake.tags.is_empty() {
            let (resource, added, removed) = (account.to_string(), handshake.tags.clone(), Vec::new());
            changes.push(OrganizationChange::Tagged { management, resource, added, removed });
        }
        Ok(changes)
    }
}

pub(crate) fn describe_handshake(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let input: HandshakeInput = parse_body(&request.body)?;
        let call = request.call;
        let handshake = load(&app, &app.store.reader().await?, &input.id()?, &call).await?;
        if ![handshake.target, handshake.management].contains(&call.account) {
            return Err(OrganizationRefusal::AccessDenied.into());
        }
        Ok(json(&described(&handshake, &call)))
    })
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListInput {
    filter: Option<FilterInput>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct FilterInput {
    action_type: Option<String>,
    parent_handshake_id: Option<String>,
}

/// The actions of AWS's handshakes that nobody takes here.
const OTHER_ACTIONS: [&str; 4] = [
    "ENABLE_ALL_FEATURES",
    "APPROVE_ALL_FEATURES",
    "ADD_ORGANIZATIONS_SERVICE_LINKED_ROLE",
    "TRANSFER_RESPONSIBILITY",
];

impl FilterInput {
    /// Whether invitations are asked for at all: they have no parent.
    fn wants_invitations(&self) -> Result<bool, OrganizationRefusal> {
        match (self.action_type.as_deref(), self.parent_handshake_id.as_deref()) {
            (Some(_), Some(_)) => Err(invalid("Filter", Fault::FilterBoth)),
            (None | Some("INVITE"), None) => Ok(true),
            (Some(action), None) if OTHER_ACTIONS.contains(&action) => Ok(false),
            (Some(_), None) => Err(invalid("Filter", Fault::Enum)),
            (None, parent) => id(parent, "Filter", HandshakeId::parse).map(|_| false),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListOutput {
    handshakes: Vec<HandshakeShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(crate) fn list_handshakes_for_account(app: Arc<App>, request: Request) -> Answer {
    Box::pin(list(app, request, true))
}

pub(crate) fn list_handshakes_for_organization(app: Arc<App>, request: Request) -> Answer {
    Box::pin(list(app, request, false))
}

async fn list(app: Arc<App>, request: Request, is_received: bool) -> Result<String, Failure> {
    let input: ListInput = parse_body(&request.body)?;
    let call = request.call;
    let filter = input.filter.unwrap_or_default();
    let wants_invitations = filter.wants_invitations()?;
    let page = Page::open(&app, &call, &filter, input.max_results, input.next_token.as_deref())?;
    let reader = app.store.reader().await?;
    let (forgotten, after, size) = (forgotten(&app, &call), page.after(), page.load_size());
    let mut handshakes = if is_received {
        reader.received_handshakes(call.account, forgotten, after, size).await?
    } else {
        let management = managed_by(&reader, call.account).await?.management;
        reader.sent_handshakes(management, forgotten, after, size).await?
    };
    if !wants_invitations {
        handshakes.clear();
    }
    let next_token = page.cut(&app, &mut handshakes, |handshake| handshake.id.as_str());
    let partition = call.region.partition();
    let shape = |handshake: &Handshake| HandshakeShape::new(handshake, call.now, partition);
    Ok(json(&ListOutput { handshakes: handshakes.iter().map(shape).collect(), next_token }))
}

//! Accounts in an organization: how they come, where they stand, how they go.
//!
//! An account is a member of one organization at the most. Its row lives with the organization; before there is one the
//! account is claimed in its own partition, so that two organizations cannot take it at once.

use rampart_aws::AccountId;
use rampart_aws::timestamp::TimestampMs;
use serde::{Deserialize, Serialize};

use super::refusal::Constraint;
use super::unit::Parent;
use super::{Organization, OrganizationRefusal, ParentId};

/// How an account came to be a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinedMethod {
    /// It was there before.
    Invited,
    /// The organization made it.
    Created,
}

impl JoinedMethod {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "INVITED",
            Self::Created => "CREATED",
        }
    }
}

/// An account in an organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Whose organization it is.
    pub management: AccountId,
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// Its root user's address.
    pub email: String,
    /// What it stands in.
    pub parent: ParentId,
    /// The path of that: `o-…/r-…/ou-…/`.
    pub path: String,
    /// How it came.
    pub joined_by: JoinedMethod,
    /// When.
    pub joined: TimestampMs,
    /// Tells this time of being a member from every other of the same account: raised on each joining.
    pub epoch: i64,
    /// When it was closed.
    pub closed: Option<TimestampMs>,
}

impl Member {
    /// A new member.
    pub fn new(
        joining: Joining,
        management: AccountId,
        parent: &Parent,
        joined_by: JoinedMethod,
        now: TimestampMs,
    ) -> Self {
        Self {
            management,
            account: joining.account,
            name: joining.name,
            email: joining.email,
            parent: parent.id.clone(),
            path: parent.path.clone(),
            joined_by,
            joined: now,
            epoch: joining.epoch,
            closed: None,
        }
    }

    /// AWS: `SUSPENDED` is a closed account's status.
    pub fn status(&self) -> &'static str {
        if self.closed.is_some() { "SUSPENDED" } else { "ACTIVE" }
    }

    /// AWS: the newer word for the same.
    pub fn state(&self) -> &'static str {
        if self.closed.is_some() { "CLOSED" } else { "ACTIVE" }
    }
}

/// Who joins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joining {
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// Its root user's address.
    pub email: String,
    /// The epoch of its claim.
    pub epoch: i64,
}

impl Joining {
    /// An account that is there already. rampart knows no addresses of such accounts, so it forms one.
    pub fn existing(account: AccountId, name: &str, epoch: i64) -> Self {
        let name = if name.is_empty() { account.as_str() } else { name };
        Self { account, name: name.to_owned(), email: format!("{account}@accounts.invalid"), epoch }
    }
}

/// What an account is in an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Which organization.
    pub organization: Organization,
    /// As which member.
    pub member: Member,
}

impl Membership {
    /// Whether the account decides for the organization.
    pub fn is_management(&self) -> bool {
        self.organization.is_managed_by(self.member.account)
    }

    /// The ids of all that the account stands in: the organization, its root, and units from the outermost in.
    pub fn path_ids(&self) -> impl Iterator<Item = &str> {
        self.member.path.split('/').filter(|id| !id.is_empty())
    }
}

/// A row in the account's own partition: which organization may take it now, and how often one did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The account.
    pub account: AccountId,
    /// The management account of the organization that claims it.
    pub management: AccountId,
    /// The number of the claim.
    pub epoch: i64,
    /// Until when no other organization may claim it.
    pub until: TimestampMs,
}

/// How long an organization has to take what it claimed.
const CLAIM_MS: i64 = 60_000;

/// So long before a claim lapses nothing is begun by it any more: longer than a transaction may take, and the clocks of two
/// nodes differ.
const CLAIM_MARGIN_MS: i64 = 30_000;

/// Claims an account that is no member for the organization of `management`. A claim that was not used lapses.
pub fn decide_claim(
    account: AccountId,
    management: AccountId,
    last: Option<Claim>,
    now: TimestampMs,
) -> Result<Claim, OrganizationRefusal> {
    if last.is_some_and(|claim| claim.management != management && claim.until > now) {
        return Err(OrganizationRefusal::ConcurrentModification);
    }
    let epoch = last.map_or(1, |claim| claim.epoch + 1);
    Ok(Claim { account, management, epoch, until: now.saturating_add_ms(CLAIM_MS) })
}

/// Whether an account may be taken by the claim of that number: it is still the last one, and good for longer than taking
/// it lasts. `now` is the present: who claimed may have been held up since.
pub fn check_claim(
    last: Option<Claim>,
    management: AccountId,
    epoch: i64,
    now: TimestampMs,
) -> Result<(), OrganizationRefusal> {
    let is_ours = |claim: &Claim| claim.management == management && claim.epoch == epoch;
    match last.filter(is_ours) {
        Some(claim) if now.saturating_add_ms(CLAIM_MARGIN_MS) < claim.until => Ok(()),
        _ => Err(OrganizationRefusal::ConcurrentModification),
    }
}

/// Gives an account free at once that was a member by its last claim, and is none any more.
pub fn release(claim: Claim, epoch: i64, now: TimestampMs) -> Option<Claim> {
    (claim.epoch == epoch).then_some(Claim { until: now, ..claim })
}

/// One account more.
pub fn decide_join(
    organization: &Organization,
    accounts_max: u32,
) -> Result<Organization, OrganizationRefusal> {
    if organization.accounts >= accounts_max {
        return Err(OrganizationRefusal::Constraint(Constraint::AccountNumber { limit: accounts_max }));
    }
    Ok(Organization { accounts: organization.accounts + 1, ..organization.clone() })
}

/// One account fewer. The management account stays as long as the organization does.
pub fn decide_leave(
    organization: &Organization,
    member: &Member,
) -> Result<Organization, OrganizationRefusal> {
    if organization.is_managed_by(member.account) {
        return Err(OrganizationRefusal::ManagementCannotLeave);
    }
    Ok(Organization { accounts: organization.accounts.saturating_sub(1), ..organization.clone() })
}

/// From one parent to another.
pub fn decide_move(
    member: &Member,
    source: &ParentId,
    destination: &Parent,
) -> Result<Member, OrganizationRefusal> {
    if member.parent != *source {
        return Err(OrganizationRefusal::SourceParentNotFound);
    }
    if member.parent == destination.id {
        return Err(OrganizationRefusal::DuplicateAccount);
    }
    Ok(Member { parent: destination.id.clone(), path: destination.path.clone(), ..member.clone() })
}

/// Closes an account. It stays a member.
pub fn decide_close(
    organization: &Organization,
    member: &Member,
    now: TimestampMs,
) -> Result<Member, OrganizationRefusal> {
    super::check_all_features(organization)?;
    if organization.is_managed_by(member.account) {
        return Err(OrganizationRefusal::Constraint(Constraint::CannotCloseManagement));
    }
    if member.closed.is_some() {
        return Err(OrganizationRefusal::AccountAlreadyClosed);
    }
    Ok(Member { closed: Some(now), ..member.clone() })
}

#[cfg(test)]
mod tests {
    use super::super::tests::organization;
    use super::*;

    const NOW: TimestampMs = TimestampMs(5_000);

    fn account(text: &str) -> AccountId {
        text.parse().unwrap()
    }

    fn member(organization: &Organization, id: &str) -> Member {
        let joining = Joining::existing(account(id), "", 1);
        Member::new(joining, organization.management, &Parent::root(organization), JoinedMethod::Invited, NOW)
    }

    #[test]
    fn an_account_is_claimed_by_one_organization_at_a_time() {
        let (ours, theirs) = (account("111111111111"), account("222222222222"));
        let member = account("333333333333");
        let first = decide_claim(member, ours, None, NOW).unwrap();
        assert_eq!(first.epoch, 1);
        let second = decide_claim(member, ours, Some(first), NOW).unwrap();
        assert_eq!(second.epoch, 2);
        let refused = decide_claim(member, theirs, Some(second), NOW);
        assert_eq!(refused, Err(OrganizationRefusal::ConcurrentModification));
        let later = decide_claim(member, theirs, Some(second), second.until).unwrap();
        assert_eq!((later.epoch, later.management), (3, theirs));
        assert_eq!(release(second, 1, NOW), None);
        let free = release(second, 2, NOW).unwrap();
        assert!(decide_claim(member, theirs, Some(free), NOW).is_ok());
    }

    #[test]
    fn an_account_is_taken_by_its_last_claim_alone_and_well_before_it_lapses() {
        let (ours, theirs) = (account("111111111111"), account("222222222222"));
        let claim = decide_claim(account("333333333333"), ours, None, NOW).unwrap();
        let check = |management, epoch, now| check_claim(Some(claim), management, epoch, now);
        let refused = Err(OrganizationRefusal::ConcurrentModification);
        assert_eq!(check(ours, 1, NOW), Ok(()));
        assert_eq!(check(theirs, 1, NOW), refused);
        assert_eq!(check(ours, 2, NOW), refused);
        assert_eq!(check_claim(None, ours, 1, NOW), refused);
        let too_late = claim.until.saturating_sub_ms(CLAIM_MARGIN_MS);
        assert_eq!(check(ours, 1, too_late.saturating_sub_ms(1)), Ok(()));
        assert_eq!(check(ours, 1, too_late), refused);
        let free = release(claim, 1, NOW);
        assert_eq!(check_claim(free, ours, 1, NOW), refused);
    }

    #[test]
    fn accounts_are_counted() {
        let organization = organization();
        let two = decide_join(&organization, 2).unwrap();
        assert_eq!(two.accounts, 2);
        let constraint = Constraint::AccountNumber { limit: 2 };
        assert_eq!(decide_join(&two, 2), Err(OrganizationRefusal::Constraint(constraint)));
        assert_eq!(decide_leave(&two, &member(&two, "333333333333")).unwrap().accounts, 1);
        let management = member(&two, "111111111111");
        assert_eq!(decide_leave(&two, &management), Err(OrganizationRefusal::ManagementCannotLeave));
    }

    #[test]
    fn a_move_is_from_where_the_account_is_to_where_it_is_not() {
        let organization = organization();
        let (member, root) = (member(&organization, "333333333333"), Parent::root(&organization));
        let unit = ParentId::parse("ou-ab12-abcdefgh").unwrap();
        let unit = Parent { path: format!("{}{unit}/", root.path), id: unit };
        let moved = decide_move(&member, &root.id, &unit).unwrap();
        assert_eq!((moved.parent.clone(), moved.path.clone()), (unit.id.clone(), unit.path.clone()));
        assert_eq!(decide_move(&moved, &root.id, &unit), Err(OrganizationRefusal::SourceParentNotFound));
        assert_eq!(decide_move(&moved, &unit.id, &unit), Err(OrganizationRefusal::DuplicateAccount));
        let membership = Membership { organization, member: moved };
        assert_eq!(membership.path_ids().collect::<Vec<_>>(), ["o-a1b2c3d4e5", "r-ab12", "ou-ab12-abcdefgh"]);
    }

    #[test]
    fn an_account_is_closed_once_and_never_the_management_account() {
        let organization = organization();
        let closed = decide_close(&organization, &member(&organization, "333333333333"), NOW).unwrap();
        assert_eq!((closed.status(), closed.closed), ("SUSPENDED", Some(NOW)));
        let again = decide_close(&organization, &closed, NOW);
        assert_eq!(again, Err(OrganizationRefusal::AccountAlreadyClosed));
        let management = decide_close(&organization, &member(&organization, "111111111111"), NOW);
        assert_eq!(management, Err(OrganizationRefusal::Constraint(Constraint::CannotCloseManagement)));
    }
}

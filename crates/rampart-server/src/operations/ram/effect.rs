//! Whether what was shared within an organization is still effective: decided anew by every reader, from the memberships
//! that it rests on.

use std::collections::{BTreeSet, HashMap};

use rampart_core::association::Standing;
use rampart_core::organization::circle::lasts;
use rampart_core::organization::{Circle, Membership, ParentId};
use rampart_core::{AccountId, Association, Principal, TimestampMs};
use rampart_store::{Reader, StoreError};

/// The circle of a member, with those of `accounts` and `units` that are in it.
pub(crate) async fn circle(
    reader: &Reader,
    owner: Option<&Membership>,
    accounts: &[AccountId],
    units: &[ParentId],
) -> Result<Option<Circle>, StoreError> {
    let Some(membership) = owner else { return Ok(None) };
    let management = membership.organization.management;
    let members = reader.member_epochs(management, accounts);
    let units = futures_util::future::try_join_all(units.iter().map(|unit| reader.unit(management, unit)));
    let (members, units) = futures_util::future::try_join(members, units).await?;
    let units = units.into_iter().flatten().collect();
    Ok(Circle::of(owner, members, units))
}

/// The circle of `owner` as far as principals and rows ask for it.
pub(crate) async fn circle_for(
    reader: &Reader,
    owner: AccountId,
    principals: &[Principal],
    rows: &[Association],
) -> Result<Option<Circle>, StoreError> {
    let membership = reader.membership(owner).await?;
    let mut accounts: BTreeSet<AccountId> = receivers(rows.iter());
    let mut units = Vec::new();
    for principal in principals {
        match principal {
            Principal::Account(account) | Principal::Identity { account, .. } => {
                accounts.insert(*account);
            }
            Principal::OrganizationalUnit { id, .. } => units.extend(ParentId::parse(id)),
            Principal::Organization { .. } | Principal::Service(_) => {}
        }
    }
    circle(reader, membership.as_ref(), &accounts.into_iter().collect::<Vec<_>>(), &units).await
}

/// Shows rows of the caller's own shares whose memberships are over as ended. When exactly that was is told once they are
/// tidied; until then it is now.
pub(super) async fn end_what_is_over<'a>(
    reader: &Reader,
    owner: Option<&Membership>,
    rows: impl Iterator<Item = &'a mut Association>,
    now: TimestampMs,
) -> Result<(), StoreError> {
    let based: Vec<&mut Association> = rows.filter(|row| row.basis().is_some()).collect();
    if based.is_empty() {
        return Ok(());
    }
    let accounts: Vec<_> = receivers(based.iter().map(|row| &**row)).into_iter().collect();
    let circle = circle(reader, owner, &accounts, &[]).await?;
    for row in based {
        if matches!(row.standing, Standing::Granted { .. }) && !lasts(row, circle.as_ref()) {
            row.standing = Standing::Ended { at: now };
        }
    }
    Ok(())
}

/// The accounts that see shares by rows that rest on memberships.
fn receivers<'a>(rows: impl Iterator<Item = &'a Association>) -> BTreeSet<AccountId> {
    let based = rows.filter(|row| row.basis().is_some());
    based.filter_map(|row| row.receiver().and_then(|text| text.parse().ok())).collect()
}

/// The epochs of those of `owners` that are in the organization of a member.
pub(super) async fn owner_epochs(
    reader: &Reader,
    membership: Option<&Membership>,
    owners: BTreeSet<AccountId>,
) -> Result<HashMap<AccountId, i64>, StoreError> {
    match membership {
        Some(membership) if !owners.is_empty() => {
            let owners: Vec<_> = owners.into_iter().collect();
            reader.member_epochs(membership.organization.management, &owners).await
        }
        _ => Ok(HashMap::new()),
    }
}

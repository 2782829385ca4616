//! The shares that others share with the caller: by its account, by its organization, or by a unit that it is in.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{try_join, try_join_all};
use rampart_core::association::Standing;
use rampart_core::organization::circle::lasts_for;
use rampart_core::organization::{Basis, Membership, Sharing};
use rampart_core::{AccountId, ResourceShare, ShareArn, TimestampMs};
use rampart_store::{Reader, ReceivedGrant, ShareCursor};

use super::effect::owner_epochs;
use crate::app::{App, Call};
use crate::failure::Failure;

/// Grants that are read together for a receiver, at the least: of one share there may be several.
const GRANTS_AT_ONCE: u32 = 64;

/// A share of another account, as the caller sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReceivedShare {
    /// The share.
    pub(crate) share: ResourceShare,
    /// Since when the caller has it.
    pub(crate) since: TimestampMs,
    /// Whether it has it only as one outside the owner's organization (reference §6.3).
    pub(crate) is_external: bool,
}

/// By what the caller sees shares.
fn receivers(account: AccountId, membership: Option<&Membership>) -> Vec<String> {
    let inside = membership.filter(|membership| membership.organization.sharing == Sharing::On);
    // Nothing is shared with a root.
    let path = inside.into_iter().flat_map(Membership::path_ids).filter(|id| !id.starts_with("r-"));
    let path = path.map(str::to_owned);
    std::iter::once(account.to_string()).chain(path).collect()
}

/// The share of that ARN, if it is another's and the caller can see it.
pub(crate) async fn share(
    reader: &Reader,
    app: &App,
    call: &Call,
    arn: ShareArn,
) -> Result<Option<ReceivedShare>, Failure> {
    let membership = call.membership(reader).await?;
    let receivers = receivers(call.account, membership);
    let rows = try_join_all(receivers.iter().map(|receiver| reader.associations_of_receiver(arn, receiver)));
    let (share, rows) = try_join(reader.resource_share(arn), rows).await?;
    let (now, timing) = (call.now, app.timing());
    let Some(share) =
        share.filter(|share| share.owner != call.account && share.status(now, timing).is_some())
    else {
        return Ok(None);
    };
    let rows: Vec<_> = rows.into_iter().flatten().collect();
    let owners = rows.iter().any(|row| row.basis().is_some()).then_some(share.owner);
    let epochs = owner_epochs(reader, membership, owners.into_iter().collect()).await?;
    let settled = now.saturating_sub_ms(timing.settle_delay_ms);
    let owner = epochs.get(&share.owner).copied();
    let effective = rows.iter().filter(|row| lasts_for(row.basis(), membership, owner));
    let effective = effective.filter_map(|row| match row.standing {
        Standing::Granted { at, .. } if at <= settled => Some((at, row.is_external())),
        _ => None,
    });
    let both = effective.reduce(|(since, external), (at, also)| (since.min(at), external && also));
    Ok(both.map(|(since, is_external)| ReceivedShare { share, since, is_external }))
}

/// The next shares of others that the caller sees, oldest first: `limit` of them, unless there are no more.
pub(super) async fn shares(
    reader: &Reader,
    app: &App,
    call: &Call,
    mut after: ShareCursor,
    limit: u32,
) -> Result<Vec<ReceivedShare>, Failure> {
    let membership = call.membership(reader).await?;
    let receivers = receivers(call.account, membership);
    let wanted = usize::try_from(limit).expect("a page size fits");
    let at_once = GRANTS_AT_ONCE.max(limit + 1);
    let mut found: Vec<ReceivedShare> = Vec::new();
    loop {
        let pages = receivers.iter().map(|receiver| {
            let (account, region, timing) = (call.account, call.region, app.timing());
            reader.received_grants(receiver, account, region, after, call.now, timing, at_once)
        });
        let pages = try_join_all(pages).await?;
        // What lies beyond the end of a page that is full may be missing; so may some of that share's own grants.
        let full = pages.iter().filter(|page| page.len() == usize::try_from(at_once).expect("fits"));
        let end = full.filter_map(|page| page.last()).map(cursor_of).min();
        let mut grants: Vec<_> = pages.into_iter().flatten().collect();
        grants.retain(|grant| end.is_none_or(|end| cursor_of(grant) < end));
        let complete = effective(reader, membership, &grants).await?;
        found.extend(complete.into_values());
        if let (Some(end), true) = (end, grants.is_empty()) {
            // A share with more grants than are read together: it is looked at alone.
            let arn = share_at(reader, call, &receivers, app, after).await?;
            if let Some(arn) = arn {
                found.extend(share(reader, app, call, arn).await?);
            }
            after = end;
        } else if let Some(last) = grants.iter().map(cursor_of).max() {
            after = last;
        }
        if found.len() >= wanted || end.is_none() {
            found.truncate(wanted);
            return Ok(found);
        }
    }
}

/// The ARN of the next share after a place.
async fn share_at(
    reader: &Reader,
    call: &Call,
    receivers: &[String],
    app: &App,
    after: ShareCursor,
) -> Result<Option<ShareArn>, Failure> {
    let firsts = receivers.iter().map(|receiver| {
        reader.received_grants(receiver, call.account, call.region, after, call.now, app.timing(), 1)
    });
    let firsts = try_join_all(firsts).await?.into_iter().flatten();
    Ok(firsts.min_by_key(cursor_of).map(|grant| grant.share.arn()))
}

fn cursor_of(grant: &ReceivedGrant) -> ShareCursor {
    ShareCursor::after(&grant.share)
}

/// The shares of grants that are effective, each since the first of these.
async fn effective(
    reader: &Reader,
    membership: Option<&Membership>,
    grants: &[ReceivedGrant],
) -> Result<BTreeMap<ShareCursor, ReceivedShare>, Failure> {
    let based = grants.iter().filter(|grant| grant.basis.is_some());
    let owners: BTreeSet<AccountId> = based.map(|grant| grant.share.owner).collect();
    let epochs = owner_epochs(reader, membership, owners).await?;
    let lasts = |basis: Option<&Basis>, owner| lasts_for(basis, membership, epochs.get(&owner).copied());
    let mut shares: BTreeMap<ShareCursor, ReceivedShare> = BTreeMap::new();
    for grant in grants.iter().filter(|grant| lasts(grant.basis.as_ref(), grant.share.owner)) {
        let is_external = grant.is_external;
        let first = ReceivedShare { share: grant.share.clone(), since: grant.since, is_external };
        let seen = shares.entry(cursor_of(grant)).or_insert(first);
        seen.since = seen.since.min(grant.since);
        seen.is_external &= is_external;
    }
    Ok(shares)
}

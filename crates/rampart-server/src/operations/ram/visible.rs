//! Which shares a list may walk: the caller's own, and those that others share with it.

use futures_util::future::try_join_all;
use rampart_core::{AssociationId, AssociationKind, Refusal, ShareArn, ShareId};
use rampart_store::{AssociationCursor, AssociationScope, ShareCursor};

use super::contents_of::Walk;
use super::effect::end_what_is_over;
use super::received::{self, ReceivedShare};
use crate::failure::Failure;
use crate::paging::Place;

/// A way through shares, whose contents a list tells one share after the other.
#[derive(Clone, Copy)]
pub(super) enum Way<'a> {
    /// What others share with the caller; of `named` shares only those, of an `owner` only its own.
    Received { named: Option<&'a [ShareArn]>, owner: Option<&'a str> },
    /// The caller's own shares that hold an entity.
    Holding { kind: AssociationKind, entity: &'a str },
}

/// A share on the way, and its place among the shares of the way.
pub(super) type Stop = (Place, ShareArn);

impl Way<'_> {
    /// The next shares after a place: `limit` of them, unless the way ends before.
    pub(super) async fn stops(
        &self,
        walk: &Walk<'_>,
        after: Place,
        limit: u32,
    ) -> Result<Vec<Stop>, Failure> {
        match *self {
            Self::Received { named, owner } => received_stops(walk, named, owner, after, limit).await,
            Self::Holding { kind, entity } => holding_stops(walk, kind, entity, after, limit).await,
        }
    }
}

/// Refuses a share that the caller cannot see: one that is not its own, or that is not shared with it.
pub(super) async fn check_visible(walk: &Walk<'_>, own: bool, shares: &[ShareArn]) -> Result<(), Failure> {
    let seen = try_join_all(shares.iter().map(|arn| is_visible(walk, own, *arn))).await?;
    match shares.iter().zip(seen).find(|(_, seen)| !seen) {
        Some((share, _)) => Err(Refusal::ShareNotFound { share: *share }.into()),
        None => Ok(()),
    }
}

async fn is_visible(walk: &Walk<'_>, own: bool, arn: ShareArn) -> Result<bool, Failure> {
    let (now, timing) = (walk.call.now, walk.app.timing());
    if arn.region != walk.call.region {
        return Ok(false);
    }
    if !own {
        return Ok(received::share(walk.reader, walk.app, walk.call, arn).await?.is_some());
    }
    let share = if walk.call.owns(arn) { walk.reader.resource_share(arn).await? } else { None };
    Ok(share.is_some_and(|share| share.status(now, timing).is_some()))
}

/// The shares that others share with the caller, oldest first; of `named` ones only those.
pub(super) async fn received(
    walk: &Walk<'_>,
    named: Option<&[ShareArn]>,
    after: Place,
    limit: u32,
) -> Result<Vec<ReceivedShare>, Failure> {
    let after = ShareCursor { created: after.time, id: ShareId(after.id) };
    let Some(named) = named else {
        return received::shares(walk.reader, walk.app, walk.call, after, limit).await;
    };
    let one = named.iter().map(|arn| received::share(walk.reader, walk.app, walk.call, *arn));
    let mut found: Vec<_> = try_join_all(one).await?.into_iter().flatten().collect();
    found.retain(|received| ShareCursor::after(&received.share) > after);
    found.sort_by_key(|received| ShareCursor::after(&received.share));
    found.truncate(usize::try_from(limit).expect("a page size fits"));
    Ok(found)
}

/// A share that is not wanted is passed without being looked into.
async fn received_stops(
    walk: &Walk<'_>,
    named: Option<&[ShareArn]>,
    owner: Option<&str>,
    mut after: Place,
    limit: u32,
) -> Result<Vec<Stop>, Failure> {
    let wanted = usize::try_from(limit).expect("a page size fits");
    let mut stops = Vec::new();
    loop {
        let shares = received(walk, named, after, limit).await?;
        let at_end = shares.len() < wanted;
        for received in &shares {
            let cursor = ShareCursor::after(&received.share);
            after = Place { time: cursor.created, id: cursor.id.0 };
            if owner.is_none_or(|owner| received.share.owner.as_str() == owner) && stops.len() < wanted {
                stops.push((after, received.share.arn()));
            }
        }
        if at_end || stops.len() == wanted {
            return Ok(stops);
        }
    }
}

/// Shares that hold the entity and in which it has not ended, in the order in which it came into them.
async fn holding_stops(
    walk: &Walk<'_>,
    kind: AssociationKind,
    entity: &str,
    after: Place,
    limit: u32,
) -> Result<Vec<Stop>, Failure> {
    let (call, timing) = (walk.call, walk.app.timing());
    let scope = AssociationScope::Entity(entity);
    let wanted = usize::try_from(limit).expect("a page size fits");
    let mut after = AssociationCursor { created: after.time, id: AssociationId(after.id) };
    let mut stops = Vec::new();
    loop {
        let mut rows = walk
            .reader
            .associations(scope, call.account, call.region, kind, after, call.now, timing, limit)
            .await?;
        let at_end = rows.len() < wanted;
        let membership = call.membership(walk.reader).await?;
        let associations = rows.iter_mut().map(|row| &mut row.association);
        end_what_is_over(walk.reader, membership, associations, call.now).await?;
        for row in rows {
            after = AssociationCursor::after(&row.association);
            if !row.association.has_ended(call.now) && row.share_deleted.is_none() && stops.len() < wanted {
                let place = Place { time: after.created, id: after.id.0 };
                stops.push((place, row.association.share_arn()));
            }
        }
        if at_end || stops.len() == wanted {
            return Ok(stops);
        }
    }
}

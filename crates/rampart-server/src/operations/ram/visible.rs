//! Which shares a list may walk: the caller's own, and those that others share with it.

use futures_util::future::{try_join, try_join_all};
use rampart_core::contents::Contents;
use rampart_core::resource_share::Origin;
use rampart_core::{
    AccountId, Arn, AssociationId, AssociationKind, Refusal, ResourceShare, ShareArn, ShareId,
};
use rampart_store::{AssociationCursor, HeldEntity, ShareCursor};

use super::contents_of::Walk;
use super::effect::end_what_is_over;
use super::received::{self, ReceivedShare};
use crate::failure::Failure;
use crate::paging::Place;

/// Shares that are looked up one by one for the resources that they hold, and resources that are asked for so.
const HOLDING_MAX: usize = 32;

/// A way through shares, whose contents a list tells one share after the other.
#[derive(Clone, Copy)]
pub(super) enum Way<'a> {
    /// What others share with the caller; of `named` shares only those, of an `owner` only its own.
    Received { named: Option<&'a [ShareArn]>, owner: Option<&'a str> },
    /// The caller's own shares that hold an entity, of `named` shares only those.
    Holding { kind: AssociationKind, entity: &'a str, named: Option<&'a [ShareArn]> },
}

/// A share on the way.
pub(super) struct Stop {
    /// Its place among the shares of the way.
    pub(super) place: Place,
    /// Which it is.
    pub(super) share: ShareArn,
    /// Whether it is one that the way is about; others are passed.
    pub(super) wanted: bool,
    /// What is in it: nothing once it is deleted.
    pub(super) contents: Contents,
    /// Whether it is still shown but allows nothing any more.
    pub(super) is_deleted: bool,
    /// How it came to be: not told of the caller's own.
    pub(super) origin: Option<Origin>,
}

/// The next shares on a way, those that are passed too: as many as were asked for, or all that were named.
pub(super) struct Stops {
    pub(super) stops: Vec<Stop>,
    /// Whether there are no more.
    pub(super) at_end: bool,
}

impl Way<'_> {
    /// The next shares after a place: `limit` of them, unless the way ends before.
    pub(super) async fn stops(&self, walk: &Walk<'_>, after: Place, limit: u32) -> Result<Stops, Failure> {
        match *self {
            Self::Received { named, owner } => received_stops(walk, named, owner, after, limit).await,
            Self::Holding { kind, entity, named: None } => {
                holding_stops(walk, kind, entity, after, limit).await
            }
            Self::Holding { kind, entity, named: Some(named) } => {
                named_holding_stops(walk, kind, entity, named, after).await
            }
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

/// Of the shares that others may share with the caller, those that hold one of `resources`, if they are few: asked of the
/// resources' owners, whose shares alone can hold them, it costs the same however many shares the caller was given.
pub(super) async fn received_holding(
    walk: &Walk<'_>,
    resources: &[String],
    named: Option<&[ShareArn]>,
) -> Result<Option<Vec<ShareArn>>, Failure> {
    let owners = resources.iter().map(|arn| Arn::parse(arn).ok()?.account().parse::<AccountId>().ok());
    let Some(owners) = owners.collect::<Option<Vec<_>>>().filter(|owners| owners.len() <= HOLDING_MAX) else {
        return Ok(None);
    };
    let limit = u32::try_from(HOLDING_MAX + 1).expect("a small number fits");
    let (region, start) = (walk.call.region, AssociationCursor::START);
    let pages = resources.iter().zip(owners);
    let pages = pages.map(|(arn, owner)| walk.reader.shares_holding(arn, owner, region, start, limit));
    let pages = try_join_all(pages).await?;
    if pages.iter().any(|page| page.len() > HOLDING_MAX) {
        return Ok(None);
    }
    let shares = pages.into_iter().flatten().map(|held| held.share);
    let mut shares: Vec<_> = shares.filter(|share| named.is_none_or(|named| named.contains(share))).collect();
    shares.sort_unstable_by_key(|share| share.id);
    shares.dedup();
    Ok(Some(shares).filter(|shares| shares.len() <= HOLDING_MAX))
}

async fn received_stops(
    walk: &Walk<'_>,
    named: Option<&[ShareArn]>,
    owner: Option<&str>,
    after: Place,
    limit: u32,
) -> Result<Stops, Failure> {
    // Named ones are looked up one by one: they are not looked up again for a next part of them.
    let limit = named.map_or(limit, |named| u32::try_from(named.len()).expect("a filter is short"));
    let shares = received(walk, named, after, limit).await?;
    let at_end = named.is_some() || shares.len() < usize::try_from(limit).expect("a page size fits");
    let stop = |received: ReceivedShare| {
        let (share, cursor) = (&received.share, ShareCursor::after(&received.share));
        Stop {
            place: Place { time: cursor.created, id: cursor.id.0 },
            share: share.arn(),
            wanted: owner.is_none_or(|owner| share.owner.as_str() == owner),
            contents: contents_of(share),
            is_deleted: share.deleted.is_some(),
            origin: Some(share.origin),
        }
    };
    Ok(Stops { stops: shares.into_iter().map(stop).collect(), at_end })
}

/// What of a share may still be listed: all that a deleted one held ended with it.
fn contents_of(share: &ResourceShare) -> Contents {
    if share.deleted.is_some() { Contents::default() } else { share.contents }
}

/// Shares that hold the entity and in which it has not ended, in the order in which it came into them.
async fn holding_stops(
    walk: &Walk<'_>,
    kind: AssociationKind,
    entity: &str,
    after: Place,
    limit: u32,
) -> Result<Stops, Failure> {
    let call = walk.call;
    let after = AssociationCursor { created: after.time, id: AssociationId(after.id) };
    let held =
        walk.reader.shares_of_entity(kind, entity, call.account, call.region, after, call.now, limit).await?;
    let at_end = held.len() < usize::try_from(limit).expect("a page size fits");
    Ok(Stops { stops: stops_of(walk, held).await?, at_end })
}

/// The same, of shares that were named: each is looked up by its key, however many others hold the entity.
async fn named_holding_stops(
    walk: &Walk<'_>,
    kind: AssociationKind,
    entity: &str,
    named: &[ShareArn],
    after: Place,
) -> Result<Stops, Failure> {
    let reader = walk.reader;
    let one = |arn: ShareArn| try_join(reader.association(arn, kind, entity), reader.resource_share(arn));
    let found = try_join_all(named.iter().map(|arn| one(*arn))).await?;
    let after = AssociationCursor { created: after.time, id: AssociationId(after.id) };
    let held = found.into_iter().filter_map(|(association, share)| {
        let share = share.filter(|share| share.deleted.is_none())?;
        Some(HeldEntity { association: association?, contents: share.contents })
    });
    let mut held: Vec<_> = held.filter(|held| AssociationCursor::after(&held.association) > after).collect();
    held.sort_by_key(|held| AssociationCursor::after(&held.association));
    Ok(Stops { stops: stops_of(walk, held).await?, at_end: true })
}

async fn stops_of(walk: &Walk<'_>, mut held: Vec<HeldEntity>) -> Result<Vec<Stop>, Failure> {
    let call = walk.call;
    let membership = call.membership(walk.reader).await?;
    let associations = held.iter_mut().map(|held| &mut held.association);
    end_what_is_over(walk.reader, membership, associations, call.now).await?;
    let stop = |held: HeldEntity| {
        let cursor = AssociationCursor::after(&held.association);
        Stop {
            place: Place { time: cursor.created, id: cursor.id.0 },
            share: held.association.share_arn(),
            wanted: !held.association.has_ended(call.now),
            contents: held.contents,
            // Only shares that are there hold an entity.
            is_deleted: false,
            origin: None,
        }
    };
    Ok(held.into_iter().map(stop).collect())
}

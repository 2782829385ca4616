//! Others' customer managed permissions: who was granted a share sees the permissions that it carries, in the versions
//! that it carries (reference §0.3; how AWS shares them is not established).

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;
use rampart_core::permission::{CustomerPermission, PermissionName, PermissionVersion};
use rampart_core::{AccountId, AttachedPermission, ShareArn, TimestampMs};
use rampart_store::{AttachmentCursor, Reader, StoreError};
use uuid::Uuid;

use super::contents_of::Walk;
use super::received as received_shares;
use super::visible::{Stop, Stops, Way};
use crate::app::{App, Call};
use crate::failure::Failure;
use crate::paging::{Place, SCAN_MAX};

/// Shares that are looked into together.
const SHARES_AT_ONCE: u32 = 64;
/// Attachments that are read together.
const ROWS_AT_ONCE: u32 = 100;

/// The permissions of the shares that others share with the caller, of `named` shares only those, until the page is full:
/// a query for every 64 shares, and one for each of these. `keep` says which are wanted.
pub(super) async fn received(
    walk: &Walk<'_>,
    named: Option<&[ShareArn]>,
    keep: impl Fn(&AttachedPermission) -> bool,
) -> Result<(Vec<AttachedPermission>, Option<String>), Failure> {
    let page = walk.page;
    if let Some(token) = page.empty_first(walk.app) {
        return Ok((Vec::new(), Some(token)));
    }
    let way = Way::Received { named, owner: None };
    let mut outer = page.after.unwrap_or(Place::START);
    let begun = page.within;
    let (mut found, mut looked_at) = (Vec::new(), 0);
    loop {
        let Stops { stops, at_end } = way.stops(walk, outer, SHARES_AT_ONCE).await?;
        for stops in stops.chunks(usize::try_from(SHARES_AT_ONCE).expect("a small number fits")) {
            let rows = try_join_all(stops.iter().map(|stop| carried(walk, stop))).await?;
            for (stop, rows) in stops.iter().zip(rows) {
                let share = stop.share.id.0;
                // The place of a row in its share is its number, from one.
                let after = begun.filter(|(id, _)| *id == share).map_or(0, |(_, place)| place.time.0);
                let mut last = after;
                looked_at += 1;
                for (number, row) in (1_i64..).zip(rows).filter(|(number, _)| *number > after) {
                    looked_at += 1;
                    if keep(&row) {
                        if found.len() == usize::try_from(page.size).expect("a page size fits") {
                            let inner = Place { time: TimestampMs(last), id: Uuid::nil() };
                            return Ok((found, Some(page.token_within(walk.app, outer, share, inner))));
                        }
                        found.push(row);
                    }
                    last = number;
                }
                outer = stop.place;
            }
        }
        if at_end {
            return Ok((found, None));
        }
        if looked_at >= SCAN_MAX {
            return Ok((found, Some(page.token(walk.app, outer))));
        }
    }
}

/// What a share on the way allows: a deleted one nothing.
async fn carried(walk: &Walk<'_>, stop: &Stop) -> Result<Vec<AttachedPermission>, StoreError> {
    if stop.is_deleted { Ok(Vec::new()) } else { walk.reader.share_permissions(stop.share).await }
}

/// All customer managed permissions that the caller's received shares carry, each with the newest version among them.
/// Reads what every received share carries: what is asked for is known no other way.
pub(super) async fn all(walk: &Walk<'_>) -> Result<BTreeMap<(AccountId, String), u32>, Failure> {
    let way = Way::Received { named: None, owner: None };
    let (mut outer, mut found) = (Place::START, BTreeMap::new());
    loop {
        let Stops { stops, at_end } = way.stops(walk, outer, SHARES_AT_ONCE).await?;
        let rows = try_join_all(stops.iter().map(|stop| carried(walk, stop))).await?;
        for row in rows.into_iter().flatten() {
            if let PermissionName::Customer(name) = row.permission {
                let newest = found.entry((row.owner, name)).or_insert(row.version);
                *newest = row.version.max(*newest);
            }
        }
        match stops.last() {
            Some(stop) if !at_end => outer = stop.place,
            _ => return Ok(found),
        }
    }
}

/// Which versions of another account's permission the caller sees, through at most [`SCAN_MAX`] of its owner's shares.
pub(super) async fn visible_versions(
    reader: &Reader,
    app: &App,
    call: &Call,
    owner: AccountId,
    name: &str,
) -> Result<BTreeSet<u32>, Failure> {
    let named = PermissionName::Customer(name.to_owned());
    let (mut after, mut looked_at, mut versions) = (AttachmentCursor::START, 0, BTreeSet::new());
    loop {
        let of = Some((&named, None));
        let rows = reader.attached_permissions(owner, call.region, of, after, ROWS_AT_ONCE).await?;
        let seen = rows.iter().map(|row| received_shares::share(reader, app, call, row.share_arn()));
        let seen = try_join_all(seen).await?;
        versions.extend(rows.iter().zip(seen).filter(|(_, seen)| seen.is_some()).map(|(row, _)| row.version));
        looked_at += rows.len();
        match rows.last() {
            Some(last)
                if rows.len() >= usize::try_from(ROWS_AT_ONCE).expect("fits") && looked_at < SCAN_MAX =>
            {
                after = AttachmentCursor::after(last);
            }
            _ => return Ok(versions),
        }
    }
}

/// Another account's permission with one of its versions.
pub(super) async fn load(
    reader: &Reader,
    call: &Call,
    owner: AccountId,
    name: &str,
    number: u32,
) -> Result<Option<(CustomerPermission, PermissionVersion)>, Failure> {
    let permission = reader.permission(owner, call.region, name);
    let version = reader.permission_version(owner, call.region, name, i64::from(number));
    let (permission, version) = futures_util::future::try_join(permission, version).await?;
    Ok(permission.zip(version))
}

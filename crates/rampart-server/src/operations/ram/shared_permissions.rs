//! Others' customer managed permissions: who was granted a share sees the permissions that it carries, in the versions
//! that it carries (reference §0.3; how AWS shares them is not established).

use std::collections::BTreeSet;

use futures_util::future::{try_join, try_join_all};
use rampart_core::permission::{CustomerPermission, PermissionName, PermissionVersion};
use rampart_core::resource_share::Origin;
use rampart_core::{AccountId, AttachedPermission, ShareArn, TimestampMs};
use rampart_store::{AttachedInShare, AttachmentCursor, Reader, ShareCursor, StoreError};
use uuid::Uuid;

use super::contents_of::Walk;
use super::received as received_shares;
use super::visible::{Stop, Stops, Way};
use crate::app::{App, Call};
use crate::failure::Failure;
use crate::paging::{Place, SCAN_MAX};

/// Shares that are looked into together.
const SHARES_AT_ONCE: u32 = 64;
/// Permissions whose other shares are looked up together.
const PERMISSIONS_AT_ONCE: usize = 16;
/// Attachments that are read together.
const ROWS_AT_ONCE: u32 = 100;

/// The permissions of the shares that others share with the caller, of `named` shares only those, until the page is full:
/// a query for every 64 shares, and one for each of these. `keep` says which are wanted.
pub(super) async fn received(
    walk: &Walk<'_>,
    named: Option<&[ShareArn]>,
    mut keep: impl FnMut(&AttachedPermission) -> bool,
) -> Result<(Vec<AttachedInShare>, Option<String>), Failure> {
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
                for (number, attached) in (1_i64..).zip(rows).filter(|(number, _)| *number > after) {
                    looked_at += 1;
                    if keep(&attached) {
                        if found.len() == usize::try_from(page.size).expect("a page size fits") {
                            let inner = Place { time: TimestampMs(last), id: Uuid::nil() };
                            return Ok((found, Some(page.token_within(walk.app, outer, share, inner))));
                        }
                        let origin = stop.origin.unwrap_or(Origin::Made);
                        found.push(AttachedInShare { attached, origin });
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

/// Another account's permission, in the newest version that the caller sees.
pub(super) type Shared = (CustomerPermission, PermissionVersion);

/// The customer managed permissions, of one type or of all, that the shares of a page of [`received`] carry, each once in the whole list: where
/// the oldest share stands that carries it. Beyond [`SCAN_MAX`] of a page's attachments that are looked up for it, one
/// that very many shares carry may come again, and not in its newest version.
pub(super) async fn received_permissions(
    walk: &Walk<'_>,
    resource_type: Option<&str>,
) -> Result<(Vec<Shared>, Option<String>), Failure> {
    let (reader, call) = (walk.reader, walk.call);
    let mut seen = BTreeSet::new();
    let is_new = |row: &AttachedPermission| match &row.permission {
        PermissionName::Customer(name) => {
            resource_type.is_none_or(|wanted| row.resource_type == wanted)
                && seen.insert((row.owner, name.clone()))
        }
        PermissionName::Managed(_) => false,
    };
    let (rows, token) = received(walk, None, is_new).await?;
    let (mut wanted, mut left) = (Vec::new(), SCAN_MAX);
    for rows in rows.chunks(PERMISSIONS_AT_ONCE) {
        let of = |row: &AttachedInShare| (row.attached.owner, row.attached.permission.clone());
        let of: Vec<_> = rows.iter().map(of).collect();
        let carriers = of.iter().map(|(owner, name)| carriers(reader, walk.app, call, (*owner, name), left));
        for (row, carriers) in rows.iter().zip(try_join_all(carriers).await?) {
            left = left.saturating_sub(carriers.looked_at);
            wanted.extend(carriers.newest_if_oldest_is(&row.attached).map(|newest| (&row.attached, newest)));
        }
    }
    let found = wanted
        .into_iter()
        .map(|(row, newest)| load(reader, call, row.owner, row.permission.as_str(), newest));
    Ok((try_join_all(found).await?.into_iter().flatten().collect(), token))
}

/// A share that carries a permission, and that the caller sees.
struct Carrier {
    arn: ShareArn,
    place: ShareCursor,
    version: u32,
}

/// Shares that carry a permission.
struct Carriers {
    seen: Vec<Carrier>,
    looked_at: usize,
}

impl Carriers {
    /// The newest version that they carry, if the share of `row` is the oldest of them. Where it was not looked at, it
    /// counts as that.
    fn newest_if_oldest_is(&self, row: &AttachedPermission) -> Option<u32> {
        let newest = self.seen.iter().map(|carrier| carrier.version).max();
        let its = self.seen.iter().find(|carrier| carrier.arn == row.share_arn());
        let is_oldest = its.is_none_or(|its| self.seen.iter().all(|carrier| its.place <= carrier.place));
        is_oldest.then(|| newest.unwrap_or_default().max(row.version))
    }
}

/// The shares through which the caller sees another account's permission, among the first `limit` of its owner's that
/// carry it.
async fn carriers(
    reader: &Reader,
    app: &App,
    call: &Call,
    (owner, permission): (AccountId, &PermissionName),
    limit: usize,
) -> Result<Carriers, Failure> {
    let mut after = AttachmentCursor::START;
    let mut carriers = Carriers { seen: Vec::new(), looked_at: 0 };
    while carriers.looked_at < limit {
        let of = Some((permission, None));
        let rows = reader.attached_permissions(owner, call.region, of, after, ROWS_AT_ONCE).await?;
        let shares =
            rows.iter().map(|row| received_shares::share(reader, app, call, row.attached.share_arn()));
        for (row, seen) in rows.iter().zip(try_join_all(shares).await?) {
            carriers.seen.extend(seen.map(|seen| Carrier {
                arn: seen.share.arn(),
                place: ShareCursor::after(&seen.share),
                version: row.attached.version,
            }));
        }
        carriers.looked_at += rows.len();
        match rows.last() {
            Some(last) if rows.len() >= usize::try_from(ROWS_AT_ONCE).expect("fits") => {
                after = AttachmentCursor::after(&last.attached);
            }
            _ => break,
        }
    }
    Ok(carriers)
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
    let carriers = carriers(reader, app, call, (owner, &named), SCAN_MAX).await?;
    Ok(carriers.seen.into_iter().map(|carrier| carrier.version).collect())
}

/// Another account's permission with one of its versions.
pub(super) async fn load(
    reader: &Reader,
    call: &Call,
    owner: AccountId,
    name: &str,
    number: u32,
) -> Result<Option<Shared>, Failure> {
    let permission = reader.permission(owner, call.region, name);
    let version = reader.permission_version(owner, call.region, name, i64::from(number));
    let (permission, version) = try_join(permission, version).await?;
    Ok(permission.zip(version))
}

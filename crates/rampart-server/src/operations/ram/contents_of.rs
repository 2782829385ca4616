//! Walks over the associations of one kind: of the caller's own shares along the index that fits, or of the contents of
//! many shares, one share after the other.

use std::collections::HashMap;
use std::ops::ControlFlow;

use futures_util::future::try_join_all;
use rampart_core::{AssociationId, AssociationKind, ShareArn, ShareId};
use rampart_store::{AssociationCursor, AssociationInShare, AssociationScope, Reader};
use uuid::Uuid;

use super::effect::end_what_is_over;
use super::visible::{Stop, Stops, Way};
use crate::app::{App, Call};
use crate::failure::Failure;
use crate::paging::{Page, Place, SCAN_MAX, Walked};

/// Shares that are read together, to look into those that hold something: each time twice as many.
const STOPS_AT_ONCE: u32 = 16;
/// Shares that are read together at the most.
const STOPS_AT_ONCE_MAX: u32 = 256;

/// Rows of these that are loaded together at the most.
const ROWS_AT_ONCE_MAX: u32 = 1_600;

/// What a walk reads with, and which rows it wants.
pub(super) struct Walk<'a> {
    pub(super) reader: &'a Reader,
    pub(super) app: &'a App,
    pub(super) call: &'a Call,
    pub(super) page: &'a Page,
    pub(super) kind: AssociationKind,
    /// What is looked for in each share on a way, where it is named.
    pub(super) entities: Option<&'a [String]>,
    /// Only rows of shares that hold a resource of this type.
    pub(super) share_type: Option<&'a str>,
}

/// Entities that are looked for in each share by their keys; for more the share's rows are walked.
const ENTITIES_MAX: usize = 8;

/// Of each share whether it holds a resource of a type.
pub(super) async fn hold_type(
    reader: &Reader,
    shares: &[ShareArn],
    resource_type: &str,
) -> Result<Vec<bool>, Failure> {
    Ok(try_join_all(shares.iter().map(|share| reader.share_holds_type(*share, resource_type))).await?)
}

/// What of the caller's own is walked when a list names entities, shares, or both.
pub(super) fn own_scopes<'a>(
    entities: Option<&'a [String]>,
    shares: Option<&[ShareArn]>,
) -> Vec<AssociationScope<'a>> {
    match (entities, shares) {
        // An entity may be in thousands of shares: where both are named each pair is read by its key, unless these are
        // more than a page looks at.
        (Some(entities), Some(shares)) if entities.len() * shares.len() <= SCAN_MAX => {
            let of = |share: ShareArn| {
                entities.iter().map(move |entity| AssociationScope::EntityInShare(share, entity))
            };
            shares.iter().copied().flat_map(of).collect()
        }
        (Some(entities), _) => entities.iter().map(|entity| AssociationScope::Entity(entity)).collect(),
        (None, Some(shares)) => shares.iter().copied().map(AssociationScope::Share).collect(),
        (None, None) => vec![AssociationScope::Owner],
    }
}

/// Rows of a page, and the token of the next.
pub(super) type Found = (Vec<AssociationInShare>, Option<String>);

impl<'a> Walk<'a> {
    /// A walk over all of one kind.
    pub(super) fn new(
        reader: &'a Reader,
        app: &'a App,
        call: &'a Call,
        page: &'a Page,
        kind: AssociationKind,
    ) -> Self {
        Self { reader, app, call, page, kind, entities: None, share_type: None }
    }

    /// The caller's own rows in all `scopes`, merged in the order of their creation. `keep` says which are wanted.
    pub(super) async fn own(
        &self,
        scopes: &[AssociationScope<'_>],
        keep: impl Fn(&AssociationInShare) -> bool,
    ) -> Result<Found, Failure> {
        let mut after = cursor(self.page.after);
        let (mut found, mut looked_at) = (Vec::new(), 0);
        let mut known = HashMap::new();
        loop {
            let pages = scopes.iter().map(|scope| self.rows(*scope, after, self.page.load_size()));
            let mut rows: Vec<_> = try_join_all(pages).await?.into_iter().flatten().collect();
            rows.sort_by_key(|row| AssociationCursor::after(&row.association));
            // Beyond a page's worth the rows of another scope may be missing.
            let at_end = self.page.is_last(rows.len());
            rows.truncate(size(self.page.load_size()));
            // Two scopes may have a row in common.
            rows.dedup_by_key(|row| row.association.id);
            self.end_what_is_over(rows.iter_mut()).await?;
            looked_at += rows.len();
            if let Some(last) = rows.last() {
                after = AssociationCursor::after(&last.association);
            }
            rows.retain(&keep);
            self.learn_types(&rows, &mut known).await?;
            rows.retain(|row| known.get(&row.association.share).is_none_or(|holds| *holds));
            found.append(&mut rows);
            let place = |row: &AssociationInShare| place_of(AssociationCursor::after(&row.association));
            let walked = Walked { after: place_of(after), looked_at, at_end };
            if let ControlFlow::Break(token) = self.page.ends(self.app, &mut found, place, walked) {
                return Ok((found, token));
            }
        }
    }

    /// The rows of the shares on a way. `keep` says which are wanted. Shares count as looked at too: a way through many
    /// that yield nothing ends in a short page, not in a long wait.
    pub(super) async fn along(
        &self,
        way: Way<'_>,
        keep: impl Fn(&AssociationInShare) -> bool,
    ) -> Result<Found, Failure> {
        if let Some(token) = self.page.empty_first(self.app) {
            return Ok((Vec::new(), Some(token)));
        }
        let mut outer = self.page.after.unwrap_or(Place::START);
        let mut within = self.page.within;
        let (mut found, mut looked_at, mut stops_next) = (Vec::new(), 0, STOPS_AT_ONCE);
        // So many rows are looked at together: as many as are to be found, and where few are wanted each time twice as many.
        let mut rows_next = self.page.load_size();
        loop {
            let Stops { stops, at_end } = way.stops(self, outer, stops_next).await?;
            let end = stops.last().filter(|_| at_end).map(|stop| stop.place);
            let mut ahead = stops.as_slice();
            while !ahead.is_empty() {
                let left = self.page.load_size() - u32::try_from(found.len()).expect("a page is small");
                let (stops, later) = ahead.split_at(self.enough(ahead, left, rows_next));
                (ahead, rows_next) = (later, (rows_next * 2).min(ROWS_AT_ONCE_MAX));
                for (stop, rows) in stops.iter().zip(self.contents(stops, within, left).await?) {
                    let full = rows.len() == size(left);
                    looked_at += 1;
                    for row in rows {
                        looked_at += 1;
                        let inner = place_of(AssociationCursor::after(&row.association));
                        if keep(&row) {
                            if found.len() == size(self.page.size) {
                                return Ok((found, Some(self.token_before(outer, within, stop.share.id.0))));
                            }
                            found.push(row);
                        }
                        within = Some((stop.share.id.0, inner));
                    }
                    if full {
                        // There may be more in this share than was loaded: the next page goes on in it.
                        return Ok((found, Some(self.token_before(outer, within, stop.share.id.0))));
                    }
                    outer = stop.place;
                    if looked_at >= SCAN_MAX && end != Some(outer) {
                        return Ok((found, Some(self.page.token(self.app, outer))));
                    }
                }
            }
            if at_end {
                return Ok((found, None));
            }
            stops_next = (stops_next * 2).min(STOPS_AT_ONCE_MAX);
        }
    }

    /// How many of the next stops hold so many rows, of each at most what is left to be found.
    fn enough(&self, stops: &[Stop], left: u32, rows: u32) -> usize {
        let entities =
            self.entities.map_or(u32::MAX, |entities| u32::try_from(entities.len()).unwrap_or(u32::MAX));
        let mut held = 0;
        let short = stops.iter().take_while(|stop| {
            let is_short = held < rows;
            held += if stop.wanted { stop.contents.count_of(self.kind).min(entities).min(left) } else { 0 };
            is_short
        });
        short.count()
    }

    /// What was asked for of each stop, at most `left` rows of each; nothing is asked of a stop that can have none.
    async fn contents(
        &self,
        stops: &[Stop],
        within: Option<(Uuid, Place)>,
        left: u32,
    ) -> Result<Vec<Vec<AssociationInShare>>, Failure> {
        let rows = async |stop: &Stop| {
            if !stop.wanted || stop.contents.count_of(self.kind) == 0 {
                return Ok(Vec::new());
            }
            let arn = stop.share;
            if let Some(resource_type) = self.share_type
                && !self.reader.share_holds_type(arn, resource_type).await?
            {
                return Ok(Vec::new());
            }
            let begun = within.filter(|(id, _)| *id == arn.id.0).map(|(_, place)| place);
            let Some(entities) = self.entities.filter(|entities| entities.len() <= ENTITIES_MAX) else {
                return self.rows(AssociationScope::Share(arn), cursor(begun), left).await;
            };
            let of = |entity| self.rows(AssociationScope::EntityInShare(arn, entity), cursor(begun), left);
            let rows = try_join_all(entities.iter().map(|entity| of(entity))).await?;
            let mut rows: Vec<_> = rows.into_iter().flatten().collect();
            rows.sort_by_key(|row| AssociationCursor::after(&row.association));
            rows.truncate(size(left));
            Ok::<_, Failure>(rows)
        };
        let mut pages = try_join_all(stops.iter().map(rows)).await?;
        self.end_what_is_over(pages.iter_mut().flatten()).await?;
        Ok(pages)
    }

    /// Asks of the shares of `rows` that are not `known` yet whether they hold the type that is asked for.
    async fn learn_types(
        &self,
        rows: &[AssociationInShare],
        known: &mut HashMap<ShareId, bool>,
    ) -> Result<(), Failure> {
        let Some(resource_type) = self.share_type else { return Ok(()) };
        let shares = rows.iter().map(|row| row.association.share_arn());
        let mut new: Vec<_> = shares.filter(|share| !known.contains_key(&share.id)).collect();
        new.sort_unstable_by_key(|share| share.id);
        new.dedup();
        let holds = hold_type(self.reader, &new, resource_type).await?;
        known.extend(new.iter().map(|share| share.id).zip(holds));
        Ok(())
    }

    /// The token that goes on after what was looked at.
    fn token_before(&self, outer: Place, within: Option<(Uuid, Place)>, share: Uuid) -> String {
        match within.filter(|(id, _)| *id == share) {
            Some((id, inner)) => self.page.token_within(self.app, outer, id, inner),
            None => self.page.token(self.app, outer),
        }
    }

    async fn rows(
        &self,
        scope: AssociationScope<'_>,
        after: AssociationCursor,
        limit: u32,
    ) -> Result<Vec<AssociationInShare>, Failure> {
        // A share on the way may be another account's: its rows live with its owner.
        let owner = match scope {
            AssociationScope::Share(share) | AssociationScope::EntityInShare(share, _) => share.owner,
            _ => self.call.account,
        };
        let (region, now, timing) = (self.call.region, self.call.now, self.app.timing());
        Ok(self.reader.associations(scope, owner, region, self.kind, after, now, timing, limit).await?)
    }

    async fn end_what_is_over(
        &self,
        rows: impl Iterator<Item = &mut AssociationInShare>,
    ) -> Result<(), Failure> {
        // Principals are told to their share's owner alone.
        if self.kind == AssociationKind::Principal {
            let membership = self.call.membership(self.reader).await?;
            let associations = rows.map(|row| &mut row.association);
            end_what_is_over(self.reader, membership, associations, self.call.now).await?;
        }
        Ok(())
    }
}

fn cursor(place: Option<Place>) -> AssociationCursor {
    place.map_or(AssociationCursor::START, |place| AssociationCursor {
        created: place.time,
        id: AssociationId(place.id),
    })
}

fn place_of(cursor: AssociationCursor) -> Place {
    Place { time: cursor.created, id: cursor.id.0 }
}

fn size(limit: u32) -> usize {
    usize::try_from(limit).expect("a page size fits")
}

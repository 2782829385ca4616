//! Walks over the associations of one kind: of the caller's own shares along the index that fits, or of the contents of
//! many shares, one share after the other.

use futures_util::future::try_join_all;
use rampart_core::{AssociationId, AssociationKind};
use rampart_store::{AssociationCursor, AssociationInShare, AssociationScope, Reader};
use uuid::Uuid;

use super::effect::end_what_is_over;
use super::visible::Way;
use crate::app::{App, Call};
use crate::failure::Failure;
use crate::paging::{Page, Place, SCAN_MAX};

/// Shares whose contents are loaded together.
const SHARES_AT_ONCE: u32 = 16;

/// What a walk reads with, and which rows it wants.
pub(super) struct Walk<'a> {
    pub(super) reader: &'a Reader,
    pub(super) app: &'a App,
    pub(super) call: &'a Call,
    pub(super) page: &'a Page,
    pub(super) kind: AssociationKind,
}

/// Rows of a page, and the token of the next.
pub(super) type Found = (Vec<AssociationInShare>, Option<String>);

impl Walk<'_> {
    /// The caller's own rows in all `scopes`, merged in the order of their creation. `keep` says which are wanted.
    pub(super) async fn own(
        &self,
        scopes: &[AssociationScope<'_>],
        keep: impl Fn(&AssociationInShare) -> bool,
    ) -> Result<Found, Failure> {
        let mut after = cursor(self.page.after);
        let (mut found, mut looked_at) = (Vec::new(), 0);
        loop {
            let pages = scopes.iter().map(|scope| self.rows(*scope, after, self.page.load_size()));
            let mut rows: Vec<_> = try_join_all(pages).await?.into_iter().flatten().collect();
            rows.sort_by_key(|row| AssociationCursor::after(&row.association));
            // Beyond a page's worth the rows of another scope may be missing.
            let at_end = rows.len() < size(self.page.load_size());
            rows.truncate(size(self.page.load_size()));
            looked_at += rows.len();
            if let Some(last) = rows.last() {
                after = AssociationCursor::after(&last.association);
            }
            found.extend(rows.into_iter().filter(&keep));
            let place = |row: &AssociationInShare| place_of(AssociationCursor::after(&row.association));
            if let Some(token) = self.page.cut(self.app, &mut found, place) {
                return Ok((found, Some(token)));
            }
            if at_end {
                return Ok((found, None));
            }
            if looked_at >= SCAN_MAX {
                return Ok((found, Some(self.page.token(self.app, place_of(after)))));
            }
        }
    }

    /// The rows of the shares on a way. `keep` says which are wanted.
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
        let (mut found, mut looked_at) = (Vec::new(), 0);
        loop {
            let stops = way.stops(self, outer, SHARES_AT_ONCE).await?;
            let left = self.page.load_size() - u32::try_from(found.len()).expect("a page is small");
            let pages = stops.iter().map(|(_, share)| {
                let begun = within.filter(|(id, _)| *id == share.id.0).map(|(_, place)| place);
                self.rows(AssociationScope::Share(*share), cursor(begun), left)
            });
            let pages = try_join_all(pages).await?;
            for ((place, share), rows) in stops.iter().zip(pages) {
                let full = rows.len() == size(left);
                for row in rows {
                    looked_at += 1;
                    let inner = place_of(AssociationCursor::after(&row.association));
                    if keep(&row) {
                        if found.len() == size(self.page.size) {
                            return Ok((found, Some(self.token_before(outer, within, share.id.0))));
                        }
                        found.push(row);
                    }
                    within = Some((share.id.0, inner));
                }
                if full || looked_at >= SCAN_MAX {
                    // There may be more in this share than was loaded: the next page goes on in it.
                    return Ok((found, Some(self.token_before(outer, within, share.id.0))));
                }
                outer = *place;
            }
            if stops.len() < size(SHARES_AT_ONCE) {
                return Ok((found, None));
            }
        }
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
            AssociationScope::Share(share) => share.owner,
            _ => self.call.account,
        };
        let (region, now, timing) = (self.call.region, self.call.now, self.app.timing());
        let mut rows =
            self.reader.associations(scope, owner, region, self.kind, after, now, timing, limit).await?;
        if self.kind == AssociationKind::Principal {
            // Principals are told to their share's owner alone.
            let membership = self.call.membership(self.reader).await?;
            let associations = rows.iter_mut().map(|row| &mut row.association);
            end_what_is_over(self.reader, membership, associations, now).await?;
        }
        Ok(rows)
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

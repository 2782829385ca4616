//! Pages by keyset, with opaque tokens that only this store's servers can make (reference §2.3).
//!
//! A token holds the place after which the next page begins, and a MAC over that place, the caller, the Region, the
//! operation and its filters: it is of use for the same list alone.

use std::cmp::Ordering;
use std::ops::ControlFlow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use rampart_core::limits::{NEXT_TOKEN_CHARS_MAX, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX};
use rampart_core::{Refusal, TimestampMs};
use serde::Serialize;
use sha2::Sha256;
use uuid::Uuid;

use crate::app::{App, Call};
use crate::idempotency::json;

/// Rows looked at for one page at the most. A page may be short, even empty, with a token (reference §2.3).
pub(crate) const SCAN_MAX: usize = 2_000;

const PLACE_BYTES: usize = 24;
const MAC_BYTES: usize = 16;

/// After which item a page begins: a time, and an id among the items of that time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) time: TimestampMs,
    pub(crate) id: Uuid,
}

impl Place {
    /// Before the first item.
    pub(crate) const START: Self = Self { time: TimestampMs(i64::MIN), id: Uuid::nil() };

    fn to_bytes(self) -> Vec<u8> {
        [self.time.0.to_be_bytes().as_slice(), self.id.as_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (time, id) = bytes.split_first_chunk()?;
        Some(Self { time: TimestampMs(i64::from_be_bytes(*time)), id: Uuid::from_slice(id).ok()? })
    }
}

/// How far a walk has come.
#[derive(Clone, Copy)]
pub(crate) struct Walked {
    /// The last row that was looked at.
    pub(crate) after: Place,
    /// How many rows were.
    pub(crate) looked_at: usize,
    /// Whether there are no more.
    pub(crate) at_end: bool,
}

/// What a token says.
struct Read {
    place: Place,
    /// The place within a share that was begun.
    within: Option<(Uuid, Place)>,
    part: u8,
}

/// The page that a call asks for.
#[derive(Clone)]
pub(crate) struct Page {
    /// Items at the most.
    pub(crate) size: u32,
    /// Where it begins; at the start when none.
    pub(crate) after: Option<Place>,
    /// In a list of the contents of many shares: the share that was begun, and after what in it the page begins.
    pub(crate) within: Option<(Uuid, Place)>,
    /// In a list that is several lists one after the other: in which it begins, from zero.
    part: u8,
    binding: Vec<u8>,
    /// Open mode's switch: the first page of every list is empty and has a token.
    begins_empty: bool,
}

impl Page {
    /// Reads the page members of a call. `filters` are all its other members.
    pub(crate) fn open(
        app: &App,
        call: &Call,
        operation: &'static str,
        filters: &impl Serialize,
        max_results: Option<i64>,
        next_token: Option<&str>,
    ) -> Result<Self, Refusal> {
        let size = match max_results {
            None => PAGE_SIZE_DEFAULT,
            Some(n) => u32::try_from(n)
                .ok()
                .filter(|size| (1..=PAGE_SIZE_MAX).contains(size))
                .ok_or(Refusal::PageSizeOutOfRange { page_size: n })?,
        };
        let binding = binding(call, operation, filters);
        let begins_empty = app.settings.empty_pages && next_token.is_none();
        let mut page = Self { size, after: None, within: None, part: 0, binding, begins_empty };
        if let Some(token) = next_token {
            let read = page.read_token(app, token).ok_or(Refusal::NextTokenInvalid)?;
            (page.after, page.within, page.part) = (Some(read.place), read.within, read.part);
        }
        Ok(page)
    }

    /// The page as it goes on in a part of its list, with `found` items from the parts before; `None` when it begins
    /// after that part. A page that is full is told whether there is more: it has room for one that is not shown.
    pub(crate) fn in_part(&self, part: u8, found: usize) -> Option<Self> {
        let size = self.size.saturating_sub(u32::try_from(found).expect("a page holds few")).max(1);
        let page = Self { size, part, ..self.clone() };
        match self.part.cmp(&part) {
            Ordering::Less => Some(Self { after: None, within: None, ..page }),
            Ordering::Equal => Some(page),
            Ordering::Greater => None,
        }
    }

    /// How many items to load: one more than the page holds tells whether there is a next page.
    pub(crate) fn load_size(&self) -> u32 {
        self.size + 1
    }

    /// The token of an empty first page, when the switch asks for one.
    pub(crate) fn empty_first(&self, app: &App) -> Option<String> {
        self.begins_empty.then(|| self.token(app, Place::START))
    }

    /// Cuts what was loaded to the page, and makes the token of the next one if there is more.
    pub(crate) fn cut<T>(
        &self,
        app: &App,
        items: &mut Vec<T>,
        place: impl Fn(&T) -> Place,
    ) -> Option<String> {
        let size = usize::try_from(self.size).expect("a page size fits");
        if let Some(token) = self.empty_first(app) {
            items.clear();
            return Some(token);
        }
        if items.len() <= size {
            return None;
        }
        items.truncate(size);
        items.last().map(|last| self.token(app, place(last)))
    }

    /// Whether a load of so many rows was the last: it is, when there were fewer than were asked for.
    pub(crate) fn is_last(&self, rows: usize) -> bool {
        rows < usize::try_from(self.load_size()).expect("a page size fits")
    }

    /// Whether a walk that filters what it loads ends here, and with which token: the page is full, or nothing is left, or
    /// enough was looked at for a page. Then it is short, which its token says.
    pub(crate) fn ends<T>(
        &self,
        app: &App,
        found: &mut Vec<T>,
        place: impl Fn(&T) -> Place,
        walked: Walked,
    ) -> ControlFlow<Option<String>> {
        if let Some(token) = self.cut(app, found, place) {
            return ControlFlow::Break(Some(token));
        }
        if walked.at_end {
            return ControlFlow::Break(None);
        }
        if walked.looked_at >= SCAN_MAX {
            return ControlFlow::Break(Some(self.token(app, walked.after)));
        }
        ControlFlow::Continue(())
    }

    /// The token of the page after `place`.
    pub(crate) fn token(&self, app: &App, place: Place) -> String {
        self.sealed(app, place.to_bytes())
    }

    /// The token of the page that goes on within a share, after `inner`; `outer` is the place of the share before it.
    pub(crate) fn token_within(&self, app: &App, outer: Place, share: Uuid, inner: Place) -> String {
        let mut bytes = outer.to_bytes();
        bytes.extend_from_slice(share.as_bytes());
        bytes.extend_from_slice(&inner.to_bytes());
        self.sealed(app, bytes)
    }

    fn sealed(&self, app: &App, mut bytes: Vec<u8>) -> String {
        bytes.extend((self.part > 0).then_some(self.part));
        seal(app, &self.binding, bytes)
    }

    fn read_token(&self, app: &App, token: &str) -> Option<Read> {
        let mut places = unseal(app, &self.binding, token)?;
        // The lengths of places are even.
        let part = if places.len() % 2 == 1 { places.pop()? } else { 0 };
        let (outer, within) = places.as_slice().split_at_checked(PLACE_BYTES)?;
        let place = Place::from_bytes(outer)?;
        if within.is_empty() {
            return Some(Read { place, within: None, part });
        }
        let (share, inner) = within.split_at_checked(16)?;
        let within = Some((Uuid::from_slice(share).ok()?, Place::from_bytes(inner)?));
        Some(Read { place, within, part })
    }
}

/// What a list is bound to: its filters, the caller, the Region and the operation.
pub(crate) fn binding(call: &Call, operation: &str, filters: &impl Serialize) -> Vec<u8> {
    let mut binding = json(filters).into_bytes();
    for part in [call.account.as_str(), call.region.as_str(), operation] {
        binding.extend_from_slice(part.as_bytes());
        binding.push(0);
    }
    binding
}

/// A token that holds `place`, of use for what it is bound to alone.
pub(crate) fn seal(app: &App, binding: &[u8], mut place: Vec<u8>) -> String {
    let mac = mac(app, binding, &place).finalize().into_bytes();
    place.extend_from_slice(&mac[..MAC_BYTES]);
    URL_SAFE_NO_PAD.encode(place)
}

/// The place that a token of ours holds.
pub(crate) fn unseal(app: &App, binding: &[u8], token: &str) -> Option<Vec<u8>> {
    if token.len() > NEXT_TOKEN_CHARS_MAX {
        return None;
    }
    let mut bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let seal = bytes.split_off(bytes.len().checked_sub(MAC_BYTES)?);
    mac(app, binding, &bytes).verify_truncated_left(&seal).ok()?;
    Some(bytes)
}

fn mac(app: &App, binding: &[u8], place: &[u8]) -> Hmac<Sha256> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(app.store.page_token_key()).expect("any length of key is taken");
    mac.update(binding);
    mac.update(place);
    mac
}

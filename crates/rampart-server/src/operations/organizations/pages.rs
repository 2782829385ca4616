//! Pages of Organizations' lists: at most 20 items, walked by their ids.

use rampart_core::OrganizationRefusal;
use rampart_core::limits::ORGANIZATION_PAGE_SIZE_MAX;
use rampart_core::organization::refusal::Fault;
use serde::Serialize;

use super::input::invalid;
use crate::app::{App, Call};
use crate::paging::{binding, seal, unseal};

/// The page that a call asks for.
pub(super) struct Page {
    size: u32,
    after: String,
    binding: Vec<u8>,
    begins_empty: bool,
}

impl Page {
    /// Reads the page members of a call. `filters` are all its other members.
    pub(super) fn open(
        app: &App,
        call: &Call,
        filters: &impl Serialize,
        max_results: Option<i64>,
        next_token: Option<&str>,
    ) -> Result<Self, OrganizationRefusal> {
        let max = i64::from(ORGANIZATION_PAGE_SIZE_MAX);
        let size = match max_results {
            None => ORGANIZATION_PAGE_SIZE_MAX,
            Some(n) if n < 1 => return Err(invalid("MaxResults", Fault::TooSmall { min: 1 })),
            Some(n) if n > max => return Err(invalid("MaxResults", Fault::TooLarge { max })),
            Some(n) => u32::try_from(n).unwrap_or(ORGANIZATION_PAGE_SIZE_MAX),
        };
        let binding = binding(call, call.operation.name, filters);
        let after = match next_token {
            None => String::new(),
            Some(token) => unseal(app, &binding, token)
                .and_then(|place| String::from_utf8(place).ok())
                .ok_or_else(|| invalid("NextToken", Fault::NextToken))?,
        };
        let begins_empty = app.settings.empty_pages && next_token.is_none();
        Ok(Self { size, after, binding, begins_empty })
    }

    /// The id after which the page begins; empty at the start.
    pub(super) fn after(&self) -> &str {
        &self.after
    }

    /// How many items to load: one more than the page holds tells whether there is a next page.
    pub(super) fn load_size(&self) -> u32 {
        self.size + 1
    }

    /// Cuts what was loaded to the page, and makes the token of the next one if there is more.
    pub(super) fn cut<T>(&self, app: &App, items: &mut Vec<T>, id: impl Fn(&T) -> &str) -> Option<String> {
        let size = usize::try_from(self.size).expect("a page size fits");
        if self.begins_empty {
            items.clear();
            return Some(self.token(app, ""));
        }
        if items.len() <= size {
            return None;
        }
        items.truncate(size);
        items.last().map(|last| self.token(app, id(last)))
    }

    fn token(&self, app: &App, after: &str) -> String {
        seal(app, &self.binding, after.as_bytes().to_vec())
    }
}

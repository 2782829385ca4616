//! Pages of IAM: `MaxItems` and `Marker`. A marker is of use in the caller's own account alone, so nothing seals it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rampart_aws::query::{Form, XmlWriter};
use rampart_core::iam::IamRefusal;

use super::input::number;

/// `MaxItems` when the caller names none.
const PAGE_SIZE_DEFAULT: i64 = 100;
/// The largest `MaxItems`.
const PAGE_SIZE_MAX: i64 = 1_000;
/// Between the parts of a place: nothing that a name or a path has.
const SEPARATOR: char = '\n';

/// The page that a call asks for.
pub(super) struct Page {
    size: usize,
    /// After what it begins: as many parts as the list's order has, empty at the start.
    after: Vec<String>,
}

impl Page {
    /// Reads the page parameters of a list that is ordered by `parts` texts.
    pub(super) fn open(form: &Form, parts: usize) -> Result<Self, IamRefusal> {
        let size = number(form, "MaxItems", 1, PAGE_SIZE_MAX)?.unwrap_or(PAGE_SIZE_DEFAULT);
        let after = match form.get("Marker") {
            None => vec![String::new(); parts],
            Some(marker) => {
                let after = read_marker(marker).ok_or(IamRefusal::MarkerInvalid)?;
                if after.len() != parts {
                    return Err(IamRefusal::MarkerInvalid);
                }
                after
            }
        };
        Ok(Self { size: usize::try_from(size).expect("a page size is small"), after })
    }

    /// How many items to load: one more than the page holds tells whether there is a next page.
    pub(super) fn load_size(&self) -> u32 {
        u32::try_from(self.size + 1).expect("a page size is small")
    }

    /// A part of the place after which the page begins.
    pub(super) fn after(&self, part: usize) -> &str {
        &self.after[part]
    }

    /// Cuts what was loaded to the page, and makes the marker of the next one if there is more.
    pub(super) fn cut<T>(&self, items: &mut Vec<T>, place: impl Fn(&T) -> Vec<&str>) -> Option<String> {
        if items.len() <= self.size {
            return None;
        }
        items.truncate(self.size);
        let last = items.last().map(&place)?;
        Some(URL_SAFE_NO_PAD.encode(last.join(&SEPARATOR.to_string())))
    }
}

fn read_marker(marker: &str) -> Option<Vec<String>> {
    let bytes = URL_SAFE_NO_PAD.decode(marker).ok()?;
    let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))?;
    Some(text.split(SEPARATOR).map(str::to_owned).collect())
}

/// The end of a list's answer.
pub(super) fn write_page(xml: &mut XmlWriter, marker: Option<&str>) {
    xml.text_element("IsTruncated", if marker.is_some() { "true" } else { "false" });
    if let Some(marker) = marker {
        xml.text_element("Marker", marker);
    }
}

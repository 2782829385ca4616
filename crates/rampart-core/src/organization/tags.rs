//! Tags on roots, units, accounts and policies.

use super::OrganizationRefusal;
use super::refusal::{Constraint, Fault};
use crate::limits::{TAG_KEY_CHARS_MAX, TAG_VALUE_CHARS_MAX, TAGS_PER_ORGANIZATION_RESOURCE_MAX};
use crate::resource_share::Tag;

/// Checks tags that are given: sorted, each key once.
pub fn check_tags(mut tags: Vec<Tag>) -> Result<Vec<Tag>, OrganizationRefusal> {
    for tag in &tags {
        check_key(&tag.key)?;
        if tag.value.chars().count() > TAG_VALUE_CHARS_MAX {
            return Err(invalid(Fault::TooLong { max: TAG_VALUE_CHARS_MAX }));
        }
        check_characters(&tag.value)?;
    }
    tags.sort();
    if tags.windows(2).any(|two| two[0].key == two[1].key) {
        return Err(invalid(Fault::DuplicateTag));
    }
    check_number(tags.len())?;
    Ok(tags)
}

/// Checks a key that is given.
pub fn check_key(key: &str) -> Result<(), OrganizationRefusal> {
    match key.chars().count() {
        0 => return Err(invalid(Fault::TooShort { min: 1 })),
        chars if chars > TAG_KEY_CHARS_MAX => return Err(invalid(Fault::TooLong { max: TAG_KEY_CHARS_MAX })),
        _ => {}
    }
    if key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:")) {
        return Err(invalid(Fault::SystemTag));
    }
    check_characters(key)
}

/// Refuses more tags than a resource may have.
pub fn check_number(tags: usize) -> Result<(), OrganizationRefusal> {
    let limit = TAGS_PER_ORGANIZATION_RESOURCE_MAX;
    if tags > limit {
        return Err(OrganizationRefusal::Constraint(Constraint::TagsMax { limit }));
    }
    Ok(())
}

// AWS: letters, digits, separators and these signs, of any script (the model's pattern).
fn check_characters(text: &str) -> Result<(), OrganizationRefusal> {
    let is_allowed = |c: char| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c) || is_separator(c);
    if text.chars().all(is_allowed) { Ok(()) } else { Err(invalid(Fault::Pattern)) }
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() && !c.is_control()
}

fn invalid(fault: Fault) -> OrganizationRefusal {
    OrganizationRefusal::Invalid { parameter: "Tags", fault }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: &[(&str, &str)]) -> Result<Vec<Tag>, OrganizationRefusal> {
        let tag = |(key, value): &(&str, &str)| Tag { key: (*key).to_owned(), value: (*value).to_owned() };
        check_tags(pairs.iter().map(tag).collect())
    }

    #[test]
    fn tags_are_sorted_and_unique() {
        let tags = check(&[("b", ""), ("a", "1")]).unwrap();
        assert_eq!(tags.iter().map(|tag| tag.key.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(check(&[("a", "1"), ("a", "2")]), Err(invalid(Fault::DuplicateTag)));
    }

    #[test]
    fn keys_and_values_have_their_characters_and_lengths() {
        let long = "v".repeat(257);
        for bad in [
            ("", "v"),
            ("aws:x", "v"),
            ("AWS:x", "v"),
            ("k\n", "v"),
            ("k", "v\u{7}"),
            ("k!", "v"),
            ("k", &long),
        ] {
            assert!(check(&[bad]).is_err(), "{bad:?}");
        }
        assert!(check(&[("cost center/é", "a+b=c@d._:-")]).is_ok());
        let many: Vec<String> = (0..51).map(|n| format!("k{n}")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|key| (key.as_str(), "")).collect();
        assert!(check(&many[..50]).is_ok());
        assert_eq!(check(&many), Err(OrganizationRefusal::Constraint(Constraint::TagsMax { limit: 50 })));
    }
}

//! Requests: `application/x-www-form-urlencoded` bodies, or the same text as a URL's query.

use crate::percent::decode_front;

/// The most parameters in one request.
pub const FORM_PAIRS_MAX: usize = 1_000;

/// The parameters of a request, decoded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Form {
    /// Sorted by name.
    pairs: Vec<(String, String)>,
}

/// Why a form cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// More than [`FORM_PAIRS_MAX`] parameters.
    #[error("The request has too many parameters.")]
    TooManyPairs,
    /// A `%` that is not followed by two hexadecimal digits.
    #[error("The request has a parameter that is not URL-encoded correctly.")]
    InvalidPercent,
    /// A name or value that is not UTF-8 once decoded.
    #[error("The request has a parameter that is not valid UTF-8.")]
    NotUtf8,
    /// A name or value with U+0000, which no store of ours can hold and no text of AWS's has.
    #[error("The request has a parameter with the character U+0000.")]
    NulCharacter,
    /// A name that is given twice.
    #[error("The request has the parameter '{0}' more than once.")]
    Duplicate(String),
}

/// Reads a form. Empty pairs (`a=1&&b=2`) are passed over; a name without `=` has an empty value.
pub fn parse_form(body: &[u8]) -> Result<Form, FormError> {
    let mut pairs = Vec::new();
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        if pairs.len() == FORM_PAIRS_MAX {
            return Err(FormError::TooManyPairs);
        }
        let mut sides = pair.splitn(2, |byte| *byte == b'=');
        let name = decode(sides.next().unwrap_or_default())?;
        let value = decode(sides.next().unwrap_or_default())?;
        pairs.push((name, value));
    }
    pairs.sort_unstable();
    match pairs.windows(2).find(|two| two[0].0 == two[1].0) {
        Some(two) => Err(FormError::Duplicate(two[0].0.clone())),
        None => Ok(Form { pairs }),
    }
}

fn decode(text: &[u8]) -> Result<String, FormError> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        match first {
            b'%' => {
                decoded.push(decode_front(rest).ok_or(FormError::InvalidPercent)?);
                rest = &rest[3..];
                continue;
            }
            b'+' => decoded.push(b' '),
            _ => decoded.push(*first),
        }
        rest = tail;
    }
    if decoded.contains(&0) {
        return Err(FormError::NulCharacter);
    }
    String::from_utf8(decoded).map_err(|_| FormError::NotUtf8)
}

impl Form {
    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        let at = self.pairs.binary_search_by(|(key, _)| key.as_str().cmp(name)).ok()?;
        Some(&self.pairs[at].1)
    }

    /// Which operation is called.
    pub fn action(&self) -> Option<&str> {
        self.get("Action")
    }

    /// Which version of the API is spoken.
    pub fn version(&self) -> Option<&str> {
        self.get("Version")
    }

    /// All parameters, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The members of a list in the order of their numbers: for `Tags`, what is called `Tags.member.1` or starts
    /// with `Tags.member.1.`, then `Tags.member.2` and so on. Gaps are closed, other names passed over.
    pub fn members(&self, list: &str) -> Vec<Member<'_>> {
        let prefix = format!("{list}.member.");
        let start = self.pairs.partition_point(|(name, _)| *name < prefix);
        let mut numbers: Vec<(u32, &str)> = self.pairs[start..]
            .iter()
            .map_while(|(name, _)| name.strip_prefix(&prefix))
            .filter_map(|rest| {
                let digits = rest.split('.').next()?;
                Some((member_number(digits)?, digits))
            })
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
            .into_iter()
            .map(|(_, digits)| Member { form: self, name: format!("{prefix}{digits}") })
            .collect()
    }
}

/// A number as clients write it: no sign, no leading zero.
fn member_number(digits: &str) -> Option<u32> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    if is_number { digits.parse().ok() } else { None }
}

/// One member of a list in a form.
#[derive(Debug, Clone)]
pub struct Member<'a> {
    form: &'a Form,
    /// `Tags.member.1`.
    name: String,
}

impl<'a> Member<'a> {
    /// The value of a member that is a plain string.
    pub fn value(&self) -> Option<&'a str> {
        self.form.get(&self.name)
    }

    /// The value of one of the members of a member that is a structure, such as `Key`.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.form.get(&format!("{}.{name}", self.name))
    }

    /// The members of a list inside a member that is a structure.
    pub fn members(&self, list: &str) -> Vec<Member<'a>> {
        self.form.members(&format!("{}.{list}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Form {
        parse_form(text.as_bytes()).unwrap()
    }

    #[test]
    fn names_and_values_are_decoded() {
        let form = form("Action=GetCallerIdentity&Version=2011-06-15&a+b=c%20d%2B%C3%A9&flag&&empty=&eq=a=b");
        assert_eq!(form.action(), Some("GetCallerIdentity"));
        assert_eq!(form.version(), Some("2011-06-15"));
        assert_eq!(form.get("a b"), Some("c d+é"));
        assert_eq!(form.get("flag"), Some(""));
        assert_eq!(form.get("empty"), Some(""));
        assert_eq!(form.get("eq"), Some("a=b"));
        assert_eq!(form.get("action"), None);
        assert_eq!(form.iter().count(), 6);
        assert_eq!(parse_form(b""), Ok(Form::default()));
    }

    #[test]
    fn refusals() {
        for bad in ["a=%", "a=%4", "a=%zz", "%=1", "a=%+1"] {
            assert_eq!(parse_form(bad.as_bytes()), Err(FormError::InvalidPercent), "{bad}");
        }
        for bad in ["a=%00", "%00=a", "a=b\0c"] {
            assert_eq!(parse_form(bad.as_bytes()), Err(FormError::NulCharacter), "{bad:?}");
        }
        assert_eq!(parse_form(b"a=%FF"), Err(FormError::NotUtf8));
        assert_eq!(parse_form(b"a=\xFF"), Err(FormError::NotUtf8));
        assert_eq!(parse_form(b"b=1&a=1&b=2"), Err(FormError::Duplicate("b".to_owned())));
    }

    #[test]
    fn as_many_pairs_as_the_limit() {
        let pairs = |count: usize| (0..count).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&");
        assert_eq!(form(&pairs(FORM_PAIRS_MAX)).iter().count(), FORM_PAIRS_MAX);
        assert_eq!(parse_form(pairs(FORM_PAIRS_MAX + 1).as_bytes()), Err(FormError::TooManyPairs));
    }

    #[test]
    fn lists_of_structures() {
        let form = form(
            "Tags.member.10.Key=j&Tags.member.1.Key=a&Tags.member.1.Value=1&Tags.member.2.Key=b\
             &Tags.member.x.Key=no&Tags.member.0.Key=no&Tags.member.01.Key=no&Tags.member.-1.Key=no\
             &Tags.member=no&Tagset.member.1.Key=no&Tags.member.99999999999.Key=no",
        );
        let tags: Vec<_> =
            form.members("Tags").iter().map(|tag| (tag.get("Key"), tag.get("Value"))).collect();
        assert_eq!(tags, [(Some("a"), Some("1")), (Some("b"), None), (Some("j"), None)]);
        assert!(form.members("Nothing").is_empty());
    }

    #[test]
    fn lists_of_strings_and_lists_in_lists() {
        let form = form("L.member.2=b&L.member.1=a&S.member.1.L.member.1=x&S.member.1.L.member.2=y");
        let values: Vec<_> = form.members("L").iter().map(Member::value).collect();
        assert_eq!(values, [Some("a"), Some("b")]);
        let structures = form.members("S");
        assert_eq!(structures.len(), 1);
        let inner: Vec<_> = structures[0].members("L").iter().map(Member::value).collect();
        assert_eq!(inner, [Some("x"), Some("y")]);
    }
}

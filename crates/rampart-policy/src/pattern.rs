//! Texts with wildcards and policy variables, compiled once and matched without allocating.
//!
//! What a variable holds is compared letter by letter: a `*` in it is a star and no wildcard.

use crate::document::Version;
use crate::evaluate::Context;

/// Why a text is not a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternFault {
    /// `${` without `}`.
    #[error("the policy variable has no closing brace")]
    MissingBrace,
    /// `${}`, or a default without a key.
    #[error("the policy variable names no key")]
    EmptyVariable,
    /// A default that is not in single quotes.
    #[error("the default of a policy variable stands in single quotes, after a comma")]
    InvalidDefault,
    /// A space, a quote or a bracket in the key.
    #[error("the key of a policy variable has no spaces, quotes, brackets or wildcards")]
    InvalidVariable,
}

/// A text as a pattern that stands for it alone, in documents of 2012: `*`, `?` and `$` mean themselves.
pub fn literal(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '*' | '?' | '$' => pattern.extend(['$', '{', letter, '}']),
            _ => pattern.push(letter),
        }
    }
    pattern
}

/// What has a meaning besides itself in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Syntax {
    pub(crate) wildcards: bool,
    pub(crate) variables: bool,
    /// In the first five fields between colons, `?` and a `*` that does not end its field stay there.
    pub(crate) fields: bool,
}

/// The fields of an ARN whose wildcards may be bounded: all but the last.
const BOUNDED_FIELDS: usize = 5;

impl Syntax {
    /// Wildcards only.
    pub(crate) const WILDCARDS: Self = Self { wildcards: true, variables: false, fields: false };

    /// Wildcards, and variables if the version has them.
    pub(crate) fn pattern(version: Version) -> Self {
        Self { wildcards: true, ..Self::literal(version) }
    }

    /// Variables if the version has them.
    pub(crate) fn literal(version: Version) -> Self {
        Self { wildcards: false, variables: version == Version::V2012, fields: false }
    }

    /// As `pattern`, with the bounds of an ARN's fields.
    pub(crate) fn fields(version: Version) -> Self {
        Self { fields: true, ..Self::pattern(version) }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Piece {
    Text(Box<str>),
    Many,
    One,
    /// A `*` that matches no colon.
    ManyInField,
    /// A `?` that matches no colon.
    OneInField,
    Variable(Variable),
}

/// `${key}` or `${key, 'default'}`; the key in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Variable {
    pub(crate) key: Box<str>,
    pub(crate) default: Option<Box<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Pattern {
    pub(crate) pieces: Box<[Piece]>,
    pub(crate) has_variables: bool,
}

/// What can be said of a match when a variable may have no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truth {
    True,
    False,
    Unknown,
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

/// How a variable without a value is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The match is [`Truth::Unknown`].
    Unknown,
    /// It could hold anything: true if some value would match.
    Anything,
}

impl Pattern {
    pub(crate) fn parse(text: &str, syntax: Syntax) -> Result<Self, PatternFault> {
        let mut pieces = Vec::new();
        let mut rest = text;
        let mut colons = 0;
        while let Some(first) = rest.chars().next() {
            let is_bounded = syntax.fields && colons < BOUNDED_FIELDS;
            let (piece, len) = match first {
                '$' if syntax.variables && rest[1..].starts_with('{') => parse_variable(rest)?,
                '*' if syntax.wildcards && is_bounded && !ends_field(&rest[1..]) => (Piece::ManyInField, 1),
                '*' if syntax.wildcards => (Piece::Many, 1),
                '?' if syntax.wildcards && is_bounded => (Piece::OneInField, 1),
                '?' if syntax.wildcards => (Piece::One, 1),
                _ => {
                    let len = rest[first.len_utf8()..]
                        .find(['$', '*', '?'])
                        .map_or(rest.len(), |at| at + first.len_utf8());
                    colons += rest[..len].bytes().filter(|b| *b == b':').count();
                    (Piece::Text(rest[..len].into()), len)
                }
            };
            push(&mut pieces, piece);
            rest = &rest[len..];
        }
        let has_variables = pieces.iter().any(|piece| matches!(piece, Piece::Variable(_)));
        Ok(Self { pieces: pieces.into(), has_variables })
    }

    /// Whether the whole of `text` is one of the texts that this stands for.
    pub(crate) fn matches(&self, text: &str, context: &Context, missing: Missing) -> Truth {
        if self.has_variables && missing == Missing::Unknown && self.lacks_value(context) {
            return Truth::Unknown;
        }
        self.glob::<false>(text, context).into()
    }

    /// As `matches`, with ASCII letters alike in both cases. For patterns without variables.
    pub(crate) fn matches_ignoring_case(&self, text: &str) -> bool {
        self.glob::<true>(text, &Context::EMPTY)
    }

    /// Whether a variable has no value in this request.
    pub(crate) fn lacks_value(&self, context: &Context) -> bool {
        self.pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Variable(variable) if variable.value(context).is_none()))
    }

    /// Compares with the text that results when there are no wildcards, ignoring case as Unicode has it.
    pub(crate) fn equals_ignoring_case(&self, text: &str, context: &Context, missing: Missing) -> Truth {
        if self.has_variables && self.lacks_value(context) {
            return match missing {
                Missing::Unknown => Truth::Unknown,
                Missing::Anything => Truth::True,
            };
        }
        let resolved = self.pieces.iter().flat_map(|piece| match piece {
            Piece::Text(text) => text.chars(),
            Piece::Variable(variable) => variable.value(context).unwrap_or_default().chars(),
            Piece::Many | Piece::One | Piece::ManyInField | Piece::OneInField => "".chars(),
        });
        resolved.flat_map(char::to_lowercase).eq(text.chars().flat_map(char::to_lowercase)).into()
    }

    /// Two-pointer matching: after a failure only the last `*` need give way, so no more than
    /// length of text times length of pattern steps are taken.
    ///
    /// A bounded `*` gives way first, up to the next colon, then the last one without bounds. A colon follows that one
    /// as long as bounded ones do, so each field of the text is gone through for no more than five of the pattern's.
    fn glob<const FOLD: bool>(&self, text: &str, context: &Context) -> bool {
        let text = text.as_bytes();
        let (mut piece, mut at) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        let mut retry_in_field: Option<(usize, usize)> = None;
        loop {
            let step = match self.pieces.get(piece) {
                None if at == text.len() => return true,
                None => None,
                Some(Piece::Text(literal)) => prefix_len::<FOLD>(&text[at..], literal.as_bytes()),
                Some(Piece::One) => char_len(&text[at..]),
                Some(Piece::OneInField) => char_len_in_field(&text[at..]),
                Some(Piece::ManyInField) => {
                    retry_in_field = Some((piece + 1, at));
                    Some(0)
                }
                Some(Piece::Variable(variable)) if let Some(value) = variable.value(context) => {
                    prefix_len::<FOLD>(&text[at..], value.as_bytes())
                }
                Some(Piece::Many | Piece::Variable(_)) => {
                    if piece + 1 == self.pieces.len() {
                        return true;
                    }
                    retry = Some((piece + 1, at));
                    retry_in_field = None;
                    Some(0)
                }
            };
            if let Some(len) = step {
                at += len;
                piece += 1;
                continue;
            }
            if let Some((after_star, from)) = &mut retry_in_field
                && let Some(len) = char_len_in_field(&text[*from..])
            {
                *from += len;
                (piece, at) = (*after_star, *from);
                continue;
            }
            retry_in_field = None;
            let Some((after_star, from)) = &mut retry else { return false };
            let Some(len) = char_len(&text[*from..]) else { return false };
            *from += len;
            (piece, at) = (*after_star, *from);
        }
    }
}

impl Variable {
    /// The value in this request, or the default; a key with several values has none.
    fn value<'a>(&'a self, context: &'a Context) -> Option<&'a str> {
        match context.get(&self.key) {
            [] => self.default.as_deref(),
            [value] => Some(value),
            _ => None,
        }
    }
}

fn prefix_len<const FOLD: bool>(text: &[u8], prefix: &[u8]) -> Option<usize> {
    let head = text.get(..prefix.len())?;
    let is_equal = if FOLD { head.eq_ignore_ascii_case(prefix) } else { head == prefix };
    is_equal.then_some(prefix.len())
}

/// The length of the first character of what is left of a text.
fn char_len(text: &[u8]) -> Option<usize> {
    let first = *text.first()?;
    Some(match first {
        0..0x80 => 1,
        0x80..0xE0 => 2,
        0xE0..0xF0 => 3,
        _ => 4,
    })
}

/// As `char_len`, for a wildcard that matches no colon.
fn char_len_in_field(text: &[u8]) -> Option<usize> {
    if text.first() == Some(&b':') { None } else { char_len(text) }
}

/// Whether a field of an ARN is over before what is left of a pattern.
fn ends_field(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(':')
}

/// Adds a piece in the one form that means it: texts joined, and `?` before `*` where both stand together.
fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    match (pieces.last_mut(), piece) {
        (Some(Piece::Many), Piece::Many) | (Some(Piece::ManyInField), Piece::ManyInField) => {}
        (Some(last @ Piece::Many), Piece::One) => {
            *last = Piece::One;
            pieces.push(Piece::Many);
        }
        (Some(last @ Piece::ManyInField), Piece::OneInField) => {
            *last = Piece::OneInField;
            pieces.push(Piece::ManyInField);
        }
        (Some(Piece::Text(before)), Piece::Text(after)) => *before = format!("{before}{after}").into(),
        (_, piece) => pieces.push(piece),
    }
}

/// Reads the variable that `text` starts with, and says how long it is.
fn parse_variable(text: &str) -> Result<(Piece, usize), PatternFault> {
    let end = text.find('}').ok_or(PatternFault::MissingBrace)?;
    let inside = &text[2..end];
    let len = end + 1;
    if matches!(inside, "*" | "?" | "$") {
        return Ok((Piece::Text(inside.into()), len));
    }
    let (key, default) = match inside.split_once(',') {
        None => (inside, None),
        Some((key, default)) => {
            let quoted = default.trim();
            let default = quoted.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
            let default = default.filter(|text| !text.contains('\'')).ok_or(PatternFault::InvalidDefault)?;
            (key.trim_end(), Some(default.into()))
        }
    };
    if key.is_empty() {
        return Err(PatternFault::EmptyVariable);
    }
    if key.contains(|c: char| c.is_whitespace() || "'\"{$*?".contains(c)) {
        return Err(PatternFault::InvalidVariable);
    }
    Ok((Piece::Variable(Variable { key: key.to_lowercase().into(), default }), len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_stands_for_its_text_alone() {
        for text in ["plain", "a*b", "a?", "${aws:username}", "$", "${*}", "*{?}$"] {
            let pattern = Pattern::parse(&literal(text), Syntax::pattern(Version::V2012)).unwrap();
            assert_eq!(pattern.matches(text, &Context::EMPTY, Missing::Unknown), Truth::True, "{text}");
            let longer = text.replace(['*', '?', '$'], "xx");
            let other = pattern.matches(&longer, &Context::EMPTY, Missing::Unknown);
            assert_eq!(other == Truth::True, longer == text, "{text}");
        }
    }
}

//! ARNs with wildcards, compared field by field: a wildcard does not reach over a colon, except in the last field.

use super::ValueFault;
use crate::document::Version;
use crate::evaluate::Context;
use crate::pattern::{Missing, Pattern, Piece, Syntax, Truth};

const FIELDS: usize = 6;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ArnPattern {
    Fields(Box<[Pattern; FIELDS]>),
    /// A variable alone: what it holds must be the same ARN. Or `*` alone, which is every ARN.
    Whole(Pattern),
}

impl ArnPattern {
    pub(crate) fn parse(text: &str, version: Version) -> Result<Self, ValueFault> {
        let syntax = Syntax::pattern(version);
        let whole = Pattern::parse(text, syntax)?;
        if matches!(*whole.pieces, [Piece::Variable(_) | Piece::Many]) {
            return Ok(Self::Whole(whole));
        }
        let mut fields = Vec::with_capacity(FIELDS);
        for field in split_outside_variables(text, syntax.variables) {
            fields.push(Pattern::parse(field, syntax)?);
        }
        fields.try_into().map(Self::Fields).map_err(|_| ValueFault::NotAnArn)
    }

    pub(crate) fn matches(&self, actual: &str, context: &Context, missing: Missing) -> Truth {
        let mut found = actual.splitn(FIELDS, ':');
        if !actual.starts_with("arn:") || actual.splitn(FIELDS, ':').count() < FIELDS {
            return Truth::Unknown;
        }
        match self {
            Self::Whole(pattern) => pattern.matches(actual, context, missing),
            Self::Fields(fields) => {
                let mut all = Truth::True;
                for field in fields.iter() {
                    match field.matches(found.next().unwrap_or_default(), context, missing) {
                        Truth::True => {}
                        Truth::False => all = Truth::False,
                        Truth::Unknown => return Truth::Unknown,
                    }
                }
                all
            }
        }
    }
}

/// The six fields, split at colons that are not inside a variable's braces.
fn split_outside_variables(text: &str, variables: bool) -> Vec<&str> {
    let mut fields = Vec::with_capacity(FIELDS);
    let mut start = 0;
    let mut in_variable = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' if variables && text[..at].ends_with('$') => in_variable = true,
            b'}' => in_variable = false,
            b':' if !in_variable && fields.len() + 1 < FIELDS => {
                fields.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    fields.push(&text[start..]);
    fields
}

//! Condition operators by name: a comparison, how it runs over many values, and whether an absent key satisfies it.

use std::fmt;

/// A condition operator, such as `ForAnyValue:StringLikeIfExists`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operator {
    /// What is compared.
    pub comparison: Comparison,
    /// How a key with several values is taken.
    pub quantifier: Quantifier,
    /// `…IfExists`: true when the request does not have the key.
    pub if_exists: bool,
}

/// The set prefix of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantifier {
    /// No prefix.
    Plain,
    /// `ForAllValues:`
    ForAllValues,
    /// `ForAnyValue:`
    ForAnyValue,
}

/// An operator without its prefix and suffix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "they are named as IAM names them")]
pub enum Comparison {
    StringEquals,
    StringNotEquals,
    StringEqualsIgnoreCase,
    StringNotEqualsIgnoreCase,
    StringLike,
    StringNotLike,
    NumericEquals,
    NumericNotEquals,
    NumericLessThan,
    NumericLessThanEquals,
    NumericGreaterThan,
    NumericGreaterThanEquals,
    DateEquals,
    DateNotEquals,
    DateLessThan,
    DateLessThanEquals,
    DateGreaterThan,
    DateGreaterThanEquals,
    Bool,
    BinaryEquals,
    IpAddress,
    NotIpAddress,
    ArnEquals,
    ArnLike,
    ArnNotEquals,
    ArnNotLike,
    Null,
}

use Comparison as C;

/// Every comparison with its name.
const NAMES: [(Comparison, &str); 27] = [
    (C::StringEquals, "StringEquals"),
    (C::StringNotEquals, "StringNotEquals"),
    (C::StringEqualsIgnoreCase, "StringEqualsIgnoreCase"),
    (C::StringNotEqualsIgnoreCase, "StringNotEqualsIgnoreCase"),
    (C::StringLike, "StringLike"),
    (C::StringNotLike, "StringNotLike"),
    (C::NumericEquals, "NumericEquals"),
    (C::NumericNotEquals, "NumericNotEquals"),
    (C::NumericLessThan, "NumericLessThan"),
    (C::NumericLessThanEquals, "NumericLessThanEquals"),
    (C::NumericGreaterThan, "NumericGreaterThan"),
    (C::NumericGreaterThanEquals, "NumericGreaterThanEquals"),
    (C::DateEquals, "DateEquals"),
    (C::DateNotEquals, "DateNotEquals"),
    (C::DateLessThan, "DateLessThan"),
    (C::DateLessThanEquals, "DateLessThanEquals"),
    (C::DateGreaterThan, "DateGreaterThan"),
    (C::DateGreaterThanEquals, "DateGreaterThanEquals"),
    (C::Bool, "Bool"),
    (C::BinaryEquals, "BinaryEquals"),
    (C::IpAddress, "IpAddress"),
    (C::NotIpAddress, "NotIpAddress"),
    (C::ArnEquals, "ArnEquals"),
    (C::ArnLike, "ArnLike"),
    (C::ArnNotEquals, "ArnNotEquals"),
    (C::ArnNotLike, "ArnNotLike"),
    (C::Null, "Null"),
];

const FOR_ALL_VALUES: &str = "ForAllValues:";
const FOR_ANY_VALUE: &str = "ForAnyValue:";
const IF_EXISTS: &str = "IfExists";

impl Comparison {
    /// All of them, in the order of the IAM reference.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.into_iter().map(|(comparison, _)| comparison)
    }

    /// The name in a policy.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(comparison, _)| *comparison == self).map_or("", |(_, name)| name)
    }

    /// Whether it holds when none of the values matches.
    pub fn is_negated(self) -> bool {
        matches!(
            self,
            C::StringNotEquals
                | C::StringNotEqualsIgnoreCase
                | C::StringNotLike
                | C::NumericNotEquals
                | C::DateNotEquals
                | C::NotIpAddress
                | C::ArnNotEquals
                | C::ArnNotLike
        )
    }

    /// The comparison that this one is the negation of, or itself.
    pub fn positive(self) -> Self {
        match self {
            C::StringNotEquals => C::StringEquals,
            C::StringNotEqualsIgnoreCase => C::StringEqualsIgnoreCase,
            C::StringNotLike => C::StringLike,
            C::NumericNotEquals => C::NumericEquals,
            C::DateNotEquals => C::DateEquals,
            C::NotIpAddress => C::IpAddress,
            C::ArnNotEquals => C::ArnEquals,
            C::ArnNotLike => C::ArnLike,
            other => other,
        }
    }
}

impl Operator {
    /// The comparison without prefix and suffix.
    pub fn plain(comparison: Comparison) -> Self {
        Self { comparison, quantifier: Quantifier::Plain, if_exists: false }
    }

    /// Reads an operator's name; `None` if there is no such operator.
    ///
    /// `Null` takes neither `IfExists`, as in IAM, nor a set prefix, of which IAM says nothing.
    pub fn parse(name: &str) -> Option<Self> {
        let (quantifier, rest) = if let Some(rest) = name.strip_prefix(FOR_ALL_VALUES) {
            (Quantifier::ForAllValues, rest)
        } else if let Some(rest) = name.strip_prefix(FOR_ANY_VALUE) {
            (Quantifier::ForAnyValue, rest)
        } else {
            (Quantifier::Plain, name)
        };
        let (comparison_name, if_exists) = match rest.strip_suffix(IF_EXISTS) {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let (comparison, _) = NAMES.into_iter().find(|(_, name)| *name == comparison_name)?;
        let operator = Self { comparison, quantifier, if_exists };
        (comparison != C::Null || operator == Self::plain(C::Null)).then_some(operator)
    }

    /// The operator that a misspelt name may mean: the same letters in other case.
    pub(crate) fn near(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        Comparison::all()
            .flat_map(|comparison| {
                let quantifiers = [Quantifier::Plain, Quantifier::ForAllValues, Quantifier::ForAnyValue];
                quantifiers.into_iter().flat_map(move |quantifier| {
                    [false, true].map(|if_exists| Self { comparison, quantifier, if_exists })
                })
            })
            .find(|operator| {
                operator.to_string().to_ascii_lowercase() == lower && operator.to_string() != name
            })
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.quantifier {
            Quantifier::Plain => "",
            Quantifier::ForAllValues => FOR_ALL_VALUES,
            Quantifier::ForAnyValue => FOR_ANY_VALUE,
        })?;
        f.write_str(self.comparison.name())?;
        f.write_str(if self.if_exists { IF_EXISTS } else { "" })
    }
}

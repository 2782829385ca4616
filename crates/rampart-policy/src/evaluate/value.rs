//! The values of conditions as their operators compare them.

mod arn;
mod date;
mod ip;
mod number;

use arn::ArnPattern;
use date::Moment;
use ip::Network;
use number::Decimal;

use super::Context;
use crate::document::Version;
use crate::operator::Comparison;
use crate::pattern::{Missing, Pattern, PatternFault, Syntax, Truth};

/// Why an operator cannot compare with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueFault {
    /// A policy variable that is not well formed.
    #[error("{0}")]
    InvalidPattern(#[from] PatternFault),
    /// Not a number that is compared.
    #[error("this operator compares decimal numbers of up to 18 digits before and after the point")]
    NotANumber,
    /// Not a moment.
    #[error("this operator compares dates such as 2026-11-21T09:30:00Z, or seconds since 1970")]
    NotADate,
    /// Neither true nor false.
    #[error("this operator compares with `true` or `false`")]
    NotABoolean,
    /// Not Base64.
    #[error("this operator compares Base64 with padding")]
    NotBase64,
    /// Neither an address nor a range.
    #[error("this operator compares IP addresses and ranges such as 203.0.113.0/24")]
    NotAnAddress,
    /// Not an ARN with wildcards.
    #[error(
        "this operator compares ARNs of six fields, each of which may have wildcards, or a policy variable alone"
    )]
    NotAnArn,
}

/// A value of a policy, ready to be compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Operand {
    Text(Pattern),
    TextIgnoringCase(Pattern),
    Number(Decimal),
    Date(Moment),
    Bool(bool),
    Binary(Box<str>),
    Network(Network),
    Arn(ArnPattern),
}

/// Whether an operator can compare with this value.
pub(crate) fn check_value(comparison: Comparison, text: &str, version: Version) -> Result<(), ValueFault> {
    Operand::compile(comparison, text, version).map(drop)
}

impl Operand {
    pub(crate) fn compile(comparison: Comparison, text: &str, version: Version) -> Result<Self, ValueFault> {
        use Comparison as C;
        Ok(match comparison.positive() {
            C::StringEquals => Self::Text(Pattern::parse(text, Syntax::literal(version))?),
            C::StringLike => Self::Text(Pattern::parse(text, Syntax::pattern(version))?),
            C::StringEqualsIgnoreCase => {
                Self::TextIgnoringCase(Pattern::parse(text, Syntax::literal(version))?)
            }
            C::Bool | C::Null => Self::Bool(parse_bool(text).ok_or(ValueFault::NotABoolean)?),
            C::BinaryEquals if is_base64(text) => Self::Binary(text.into()),
            C::BinaryEquals => return Err(ValueFault::NotBase64),
            C::IpAddress => Self::Network(Network::parse(text).ok_or(ValueFault::NotAnAddress)?),
            C::ArnEquals | C::ArnLike => Self::Arn(ArnPattern::parse(text, version)?),
            C::NumericEquals
            | C::NumericLessThan
            | C::NumericLessThanEquals
            | C::NumericGreaterThan
            | C::NumericGreaterThanEquals => {
                Self::Number(Decimal::parse(text).ok_or(ValueFault::NotANumber)?)
            }
            // The rest are dates: `positive` leaves no other.
            _ => Self::Date(Moment::parse(text).ok_or(ValueFault::NotADate)?),
        })
    }

    /// Whether comparing can be inconclusive: a variable may have no value, a request's value may not be of the kind.
    pub(crate) fn is_certain(&self) -> bool {
        matches!(self, Self::Text(pattern) | Self::TextIgnoringCase(pattern) if !pattern.has_variables)
    }

    /// Compares a request's value with this one, as the operator without negation does. A value that is not of the
    /// operator's kind at all is unknown.
    pub(crate) fn compare(
        &self,
        comparison: Comparison,
        actual: &str,
        context: &Context,
        missing: Missing,
    ) -> Truth {
        match self {
            Self::Text(pattern) => pattern.matches(actual, context, missing),
            Self::TextIgnoringCase(pattern) => pattern.equals_ignoring_case(actual, context, missing),
            Self::Number(number) => ordered(comparison, Decimal::parse(actual), *number),
            Self::Date(date) => ordered(comparison, Moment::parse(actual), *date),
            Self::Bool(value) => {
                parse_bool(actual).map_or(Truth::Unknown, |actual| (actual == *value).into())
            }
            Self::Binary(text) if is_base64(actual) => (**text == *actual).into(),
            Self::Binary(_) => Truth::Unknown,
            Self::Network(network) => {
                ip::parse_address(actual).map_or(Truth::Unknown, |address| network.contains(address).into())
            }
            Self::Arn(pattern) => pattern.matches(actual, context, missing),
        }
    }
}

fn ordered<T: Ord + Copy>(comparison: Comparison, actual: Option<T>, value: T) -> Truth {
    use Comparison as C;
    let Some(ordering) = actual.map(|actual| actual.cmp(&value)) else { return Truth::Unknown };
    let holds = match comparison {
        C::NumericLessThan | C::DateLessThan => ordering.is_lt(),
        C::NumericLessThanEquals | C::DateLessThanEquals => ordering.is_le(),
        C::NumericGreaterThan | C::DateGreaterThan => ordering.is_gt(),
        C::NumericGreaterThanEquals | C::DateGreaterThanEquals => ordering.is_ge(),
        _ => ordering.is_eq(),
    };
    holds.into()
}

pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Whether the text is Base64 as RFC 4648 writes it, padded and with no stray bits, so that equal bytes are equal texts.
fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let value = |b: u8| match b {
        b'A'..=b'Z' => Some(b - b'A'),
        b'a'..=b'z' => Some(b - b'a' + 26),
        b'0'..=b'9' => Some(b - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let stray_bits = match text.len() - digits.len() {
        0 => 0,
        1 => 0b11,
        2 => 0b1111,
        _ => return false,
    };
    text.len().is_multiple_of(4)
        && digits.bytes().all(|b| value(b).is_some())
        && digits.bytes().last().and_then(value).is_none_or(|last| last & stray_bits == 0)
}

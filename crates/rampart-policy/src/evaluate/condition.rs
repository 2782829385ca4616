//! One key under one operator: does it hold for a request?

use super::{Context, Operand};
use crate::document::Effect;
use crate::operator::{Comparison, Operator, Quantifier};
use crate::pattern::{Missing, Truth};

/// A condition key and the values that its operator compares with.
#[derive(Debug, Clone)]
pub(super) struct Test {
    operator: Operator,
    /// In lower case.
    key: Box<str>,
    operands: Box<[Operand]>,
    is_negated: bool,
    /// No comparison here can be left open.
    is_certain: bool,
}

/// A comparison in an Allow is open: the statement does not apply.
struct Open;

impl Test {
    pub(super) fn new(operator: Operator, key: &str, operands: Box<[Operand]>) -> Self {
        let is_certain = operands.iter().all(Operand::is_certain);
        let is_negated = operator.comparison.is_negated();
        Self { operator, key: key.to_lowercase().into(), operands, is_negated, is_certain }
    }

    pub(super) fn holds(&self, effect: Effect, context: &Context) -> bool {
        let values = context.get(&self.key);
        if self.operator.comparison == Comparison::Null {
            // AWS: Null asks whether the key is there, with whatever value.
            return self.operands.contains(&Operand::Bool(values.is_empty()));
        }
        let holds_for = |value: &String| self.holds_for(value, effect, context);
        // Without a short cut, so that an open comparison is seen wherever it stands.
        let count = |values: &[String]| {
            values.iter().try_fold(0, |count, value| holds_for(value).map(|holds| count + usize::from(holds)))
        };
        let verdict = match self.operator.quantifier {
            Quantifier::ForAllValues if is_null(values) => Ok(true),
            _ if values.is_empty() => {
                // ForAnyValue over nothing is false for negated operators too.
                let is_plain = self.operator.quantifier == Quantifier::Plain;
                Ok(self.operator.if_exists || (is_plain && self.is_negated))
            }
            Quantifier::ForAnyValue if is_null(values) => Ok(false),
            Quantifier::ForAllValues => count(values).map(|count| count == values.len()),
            Quantifier::Plain if self.is_negated => count(values).map(|count| count == values.len()),
            Quantifier::Plain | Quantifier::ForAnyValue => count(values).map(|count| count > 0),
        };
        verdict.unwrap_or(false)
    }

    /// Whether one value of the request satisfies the operator.
    fn holds_for(&self, value: &str, effect: Effect, context: &Context) -> Result<bool, Open> {
        let missing =
            if effect == Effect::Deny && !self.is_negated { Missing::Anything } else { Missing::Unknown };
        let mut matches = false;
        for operand in &self.operands {
            matches |= match operand.compare(self.operator.comparison, value, context, missing) {
                Truth::True if self.is_certain => return Ok(!self.is_negated),
                Truth::True => true,
                Truth::False => false,
                Truth::Unknown if effect == Effect::Allow => return Err(Open),
                // In a Deny: what may match matches, and what may except does not.
                Truth::Unknown => !self.is_negated,
            };
        }
        Ok(matches != self.is_negated)
    }
}

/// IAM's "null data set", which the set operators know: no values, or only empty ones.
fn is_null(values: &[String]) -> bool {
    values.iter().all(String::is_empty)
}

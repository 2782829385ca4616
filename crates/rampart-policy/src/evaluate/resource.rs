//! Resources of a statement.
//!
//! AWS: a `*` that ends a field of an ARN reaches over colons; elsewhere in one of the first five fields, wildcards stay
//! in their field. Where it matters that no more is matched than AWS does (what an Allow lists, what a Deny excepts),
//! both are asked; otherwise the wider reading counts.

use super::value::ArnPattern;
use super::{Context, ValueFault};
use crate::document::Version;
use crate::pattern::{Missing, Pattern, PatternFault, Syntax, Truth};

/// The pattern of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResourcePattern {
    whole: Pattern,
    /// If wildcards in the midst of its first five fields must stay there.
    fields: Option<ArnPattern>,
}

impl ResourcePattern {
    pub(crate) fn parse(text: &str, version: Version) -> Result<Self, PatternFault> {
        let whole = Pattern::parse(text, Syntax::pattern(version))?;
        let fields = match ArnPattern::parse(text, version) {
            Ok(fields) if fields.has_wildcards_inside() => Some(fields),
            Err(ValueFault::InvalidPattern(fault)) => return Err(fault),
            _ => None,
        };
        Ok(Self { whole, fields })
    }

    /// Whether a wildcard of this could reach further as a plain text than as an ARN.
    pub(crate) fn is_bounded(&self) -> bool {
        self.fields.is_some()
    }

    /// Whether the resource matches when every `*` reaches as far as it can.
    pub(super) fn matches_widely(&self, resource: &str, context: &Context, missing: Missing) -> Truth {
        self.whole.matches(resource, context, missing)
    }

    /// Whether the resource matches with wildcards kept in their fields.
    pub(super) fn matches_narrowly(&self, resource: &str, context: &Context) -> Truth {
        let whole = self.whole.matches(resource, context, Missing::Unknown);
        match &self.fields {
            Some(fields) if whole == Truth::True => fields.matches(resource, context, Missing::Unknown),
            _ => whole,
        }
    }
}

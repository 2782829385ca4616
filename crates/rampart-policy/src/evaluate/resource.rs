//! Resources of a statement.
//!
//! AWS: a `*` that ends a field of an ARN reaches over colons, in a pattern of fewer than six fields too: `arn:aws:s3*`
//! and `arn:*` are what they look like. Elsewhere in one of the first five fields, wildcards stay in their field. In the
//! sixth they match anything. That a bounded wildcard never reaches further is inferred, so where it matters that no
//! more is matched than AWS does (what an Allow lists, what a Deny excepts), the bounds hold; otherwise (what a Deny
//! lists, what an Allow excepts) the wider reading counts.

use super::Context;
use crate::document::Version;
use crate::pattern::{Missing, Pattern, PatternFault, Piece, Syntax, Truth};

/// The pattern of a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ResourcePattern {
    whole: Pattern,
    /// With the bounds of its fields, if a wildcard is bounded by them.
    within: Option<Pattern>,
}

impl ResourcePattern {
    pub(crate) fn parse(text: &str, version: Version) -> Result<Self, PatternFault> {
        let whole = Pattern::parse(text, Syntax::pattern(version))?;
        let within = Pattern::parse(text, Syntax::fields(version))?;
        let is_bounded = |piece: &Piece| matches!(piece, Piece::ManyInField | Piece::OneInField);
        let within = within.pieces.iter().any(is_bounded).then_some(within);
        Ok(Self { whole, within })
    }

    /// Whether a wildcard of this could reach further as a plain text than as an ARN.
    pub(crate) fn is_bounded(&self) -> bool {
        self.within.is_some()
    }

    /// The pattern in the wider reading.
    pub(crate) fn whole(&self) -> &Pattern {
        &self.whole
    }

    /// Whether a `*` reaches over colons or a variable may hold some, so that a pattern of few fields can match an ARN.
    pub(crate) fn can_span_fields(&self) -> bool {
        let spans = |piece: &Piece| matches!(piece, Piece::Many | Piece::Variable(_));
        self.within.as_ref().unwrap_or(&self.whole).pieces.iter().any(spans)
    }

    /// Whether the resource matches when every `*` reaches as far as it can.
    pub(super) fn matches_widely(&self, resource: &str, context: &Context, missing: Missing) -> Truth {
        self.whole.matches(resource, context, missing)
    }

    /// Whether the resource matches with wildcards kept in their fields.
    pub(super) fn matches_narrowly(&self, resource: &str, context: &Context) -> Truth {
        self.within.as_ref().unwrap_or(&self.whole).matches(resource, context, Missing::Unknown)
    }
}

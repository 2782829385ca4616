//! Why a resource's own policy is refused.

/// What stands in the way of a policy, or of what was made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is named as the fact and its members say what they hold")]
pub enum PolicyRefusal {
    TooLong {
        limit: usize,
    },
    Malformed {
        reason: String,
    },
    /// A statement that no resource share could say. Counted from one.
    NotShareable {
        statement: usize,
        reason: &'static str,
    },
    TooManyPrincipals {
        limit: usize,
    },
    TooManyGrants {
        limit: usize,
    },
    NothingGranted,
    NotFound {
        arn: String,
    },
    Unmatched {
        share: String,
    },
}

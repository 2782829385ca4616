//! What can go wrong in the store, and how a transaction is given up.

use rampart_core::iam::IamRefusal;
use rampart_core::{OrganizationRefusal, Refusal};

/// A failure of the store itself. The chain is logged once, at the edge.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Other writers came first, again and again; nothing was changed.
    #[error("the transaction met other writers {attempts} times and was given up")]
    Conflict {
        /// How often it was tried.
        attempts: u32,
    },
    /// More work is waiting than the store will queue; nothing was changed.
    #[error("the store's queue of {waiting} waiting writes is full")]
    Overloaded {
        /// How many wait.
        waiting: usize,
    },
    /// The store cannot be reached or cannot write. Nothing was changed, unless the reason is that a COMMIT was not answered
    /// and what became of it could not be found out.
    #[error("the store is unavailable: {reason}")]
    Unavailable {
        /// What the engine said.
        reason: String,
    },
    /// The store is there and cannot be used, until somebody changes something: it does not know the user, its
    /// certificate is not believed.
    #[error("the store cannot be used: {reason}")]
    Unusable {
        /// What the engine said.
        reason: String,
    },
    /// The tables are older than this build needs.
    #[error(
        "the store's tables are of version {found}, this rampart needs version {needed}: run rampart migrate"
    )]
    Outdated {
        /// What they are.
        found: i64,
        /// What they must be.
        needed: i64,
    },
    /// The tables are of a newer build, which needs what this one does not do.
    #[error(
        "the store's tables are of version {found}, this rampart knows version {known}: start a newer rampart"
    )]
    TooNew {
        /// What they are.
        found: i64,
        /// What this build knows.
        known: i64,
    },
    /// A row does not say what it must.
    #[error("the store holds a row that cannot be read: {what}")]
    Corrupt {
        /// Where and why.
        what: String,
    },
    /// The engine refused a statement: a bug in this crate.
    #[error("the store refused the statement {statement}: {reason}")]
    Statement {
        /// The statement's name.
        statement: &'static str,
        /// What the engine said.
        reason: String,
    },
    /// The writer's lease is another's by now; nothing was changed.
    #[error("the lease {lease:?} was taken by another node")]
    Fenced {
        /// The lease's name.
        lease: &'static str,
    },
    /// The work panicked: a bug, for this operation alone.
    #[error("the work inside the transaction panicked")]
    Panicked,
}

impl StoreError {
    /// Whether the same call may well succeed later: the store cannot be reached, or has too much to do.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Conflict { .. }
            | Self::Overloaded { .. }
            | Self::Unavailable { .. }
            | Self::Unusable { .. }
            | Self::Outdated { .. }
            | Self::TooNew { .. } => true,
            Self::Corrupt { .. } | Self::Statement { .. } | Self::Fenced { .. } | Self::Panicked => false,
        }
    }

    /// Whether it is not this call that failed, but every call that needs the store: it cannot be reached, or not used.
    pub fn is_gone(&self) -> bool {
        match self {
            Self::Unavailable { .. }
            | Self::Unusable { .. }
            | Self::Outdated { .. }
            | Self::TooNew { .. } => true,
            Self::Conflict { .. }
            | Self::Overloaded { .. }
            | Self::Corrupt { .. }
            | Self::Statement { .. }
            | Self::Fenced { .. }
            | Self::Panicked => false,
        }
    }

    pub(crate) fn unavailable(reason: impl std::fmt::Display) -> Self {
        Self::Unavailable { reason: reason.to_string() }
    }
}

/// Why a transaction wrote nothing, or is not known to have written.
#[derive(Debug, thiserror::Error)]
pub enum Abort {
    /// The rules refuse the call.
    #[error("the call was refused: {0:?}")]
    Refused(Refusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Refusal> for Abort {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<OrganizationRefusal> for Abort {
    fn from(refusal: OrganizationRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<IamRefusal> for Abort {
    fn from(refusal: IamRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

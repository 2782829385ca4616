//! The operations of Organizations.

use crate::operations::Operation;

/// The operations of Organizations that have a place here.
pub static ORGANIZATIONS: &[Operation] = &[];

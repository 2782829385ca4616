//! The operations of IAM.

use crate::operations::Operation;

/// The operations of IAM that have a place here.
pub static IAM: &[Operation] = &[];

//! Tests of the whole crate from outside. Cases are files in `tests/data`: adding a case is adding a file, or a row.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails, in its helpers too")]

mod conditions;
mod data;
mod evaluate;
mod grants;
mod json;
mod naive;
mod properties;
mod refused;
mod template;

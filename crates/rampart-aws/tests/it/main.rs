//! Tests of the whole crate from outside. Signature cases are files in `tests/data`: adding a case is adding a file.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails, in its helpers too")]

mod alterations;
mod arn;
mod case;
mod properties;
mod refusals;
mod rest_json;
mod signatures;
mod timestamp;
mod window;

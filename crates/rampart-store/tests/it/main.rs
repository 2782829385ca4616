//! The store on both engines: one conformance suite, the portable subset of its SQL, and its query plans.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what went wrong by failing")]

mod batches;
mod caller_versions;
mod conformance;
mod engines;
mod following;
mod iam;
mod leases;
mod migrating;
mod organizations;
mod outcomes;
mod plans;
mod portable;
mod rows;
mod snapshots;
mod standbys;
mod tls;
mod transfers;
mod unreachable;

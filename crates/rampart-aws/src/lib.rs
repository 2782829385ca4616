//! AWS's identifiers and wire formats: account ids, ARNs, regions, timestamps, SigV4, restJson1, awsJson1.1 and
//! awsQuery.
//!
//! Everything here is a function of its arguments: no I/O, no clock, no environment, no HTTP library. The crate
//! knows no operation; what a request means is the server's business.

pub mod account;
pub mod arn;
mod calendar;
pub mod json_rpc;
mod percent;
pub mod query;
pub mod region;
pub mod rest_json;
pub mod sigv4;
pub mod timestamp;

pub use account::AccountId;
pub use arn::{Arn, ArnError};
pub use region::{Partition, Region};
pub use timestamp::TimestampMs;

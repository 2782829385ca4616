//! The tables, one for each service.

mod iam;
mod organizations;
mod ram;
mod sts;

pub use iam::IAM;
pub use organizations::ORGANIZATIONS;
pub use ram::RAM;
pub use sts::STS;

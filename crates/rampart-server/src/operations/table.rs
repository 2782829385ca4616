//! The tables, one for each service.

mod iam;
mod organizations;
mod ram;
mod rampart;
mod sts;

pub use iam::IAM;
pub use organizations::ORGANIZATIONS;
pub use ram::RAM;
pub use rampart::RAMPART;
pub use sts::STS;

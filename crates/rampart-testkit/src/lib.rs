//! For tests and benchmarks: the real server in the own process, on either store, or in one beside it; a client that signs;
//! a load generator; a PostgreSQL cluster.
//!
//! Whatever cannot be had (PostgreSQL's programs, say) fails the test that asks for it, with the reason.

pub mod client;
pub mod dice;
pub mod load;
pub mod mirror;
pub mod node;
pub mod postgres;
pub mod server;
pub mod tls;
pub mod wire;

pub use client::{Client, Reply};
pub use server::{StoreKind, TestServer, for_each_store};

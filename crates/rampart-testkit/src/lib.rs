//! For tests: the real server in the test's own process, on either store; a client that signs; a PostgreSQL cluster.
//!
//! Whatever cannot be had (PostgreSQL's programs, say) fails the test that asks for it, with the reason.

pub mod client;
pub mod dice;
pub mod mirror;
pub mod postgres;
pub mod server;
pub mod tls;
pub mod wire;

pub use client::{Client, Reply};
pub use server::{StoreKind, TestServer, for_each_store};

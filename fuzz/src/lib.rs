//! What several fuzz targets need: requests from bytes, and a server to send them to.

pub mod message;
pub mod server;

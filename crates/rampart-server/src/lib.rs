//! rampart's server: the edge that speaks HTTP, and the operations behind it.
//!
//! A request goes one way: [`edge`] accepts, routes, and checks who is calling; an operation validates, and in one
//! transaction loads, decides (in `rampart-core`) and applies; the edge encodes. Nothing below the edge knows HTTP.

mod app;
mod authorization;
pub mod background;
mod clock;
pub mod edge;
mod entropy;
mod failure;
mod health;
mod idempotency;
mod identity;
pub mod in_process;
pub mod membership;
pub mod metrics;
pub mod operations;
pub mod organization_file;
mod own_api;
mod paging;
pub mod settings;

pub use app::App;
pub use clock::Clock;
pub use edge::Server;
pub use entropy::Entropy;
pub use metrics::Metrics;
pub use settings::{AuthMode, Settings};

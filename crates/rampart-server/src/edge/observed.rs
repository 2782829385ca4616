//! What whoever watches a server from within is told of each request.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use rampart_core::AccountId;
use uuid::Uuid;

use crate::operations::Operation;

/// A request that was answered.
pub struct Observed<'a> {
    /// Its name in the log and in the answer.
    pub request_id: Uuid,
    /// The operation, when it named one that there is.
    pub operation: Option<&'static Operation>,
    /// The caller's account, when the caller is known.
    pub account: Option<AccountId>,
    /// Its method.
    pub method: &'a Method,
    /// Its headers: the caller's own words.
    pub headers: &'a HeaderMap,
    /// The answer's status.
    pub status: StatusCode,
    /// From its head to its answer.
    pub took: Duration,
}

/// Hears of every request, on its way: it must be quick.
pub type Observer = Arc<dyn Fn(&Observed<'_>) + Send + Sync>;

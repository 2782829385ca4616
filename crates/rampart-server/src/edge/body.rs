//! Requests' bodies: read whole, within bounds of size, time and memory; or passed by when nobody wants them.

use std::time::{Duration, Instant};

use http::HeaderMap;
use http::header::EXPECT;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{timeout, timeout_at};

use crate::failure::Failure;
use crate::settings::EdgeLimits;

/// What is counted of memory.
const UNIT_BYTES: usize = 1024;
/// How much of a refused request's body is passed by, and for how long, before its connection is closed instead.
const PASSED_BY_BYTES_MAX: usize = 64 * 1024;
const PASSED_BY_MAX: Duration = Duration::from_millis(250);

/// The memory that bodies may take up together.
pub(super) struct Buffers {
    free: Semaphore,
    units: usize,
    limits: EdgeLimits,
}

/// A body, and its place in memory for as long as it is held.
pub(super) struct Buffered<'a> {
    pub(super) bytes: Bytes,
    _place: Option<SemaphorePermit<'a>>,
}

impl Buffers {
    pub(super) fn new(limits: &EdgeLimits) -> Self {
        let units = limits.buffered_bytes_max.div_ceil(UNIT_BYTES).clamp(1, Semaphore::MAX_PERMITS);
        Self { free: Semaphore::new(units), units, limits: *limits }
    }

    /// Refuses a body that is too large by what its head says.
    pub(super) fn check_length(&self, body: &Incoming) -> Result<(), Failure> {
        let bytes_max = self.limits.body_bytes_max;
        let stated = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if stated > bytes_max { Err(Failure::BodyTooLarge { bytes_max }) } else { Ok(()) }
    }

    /// Reads the whole body. Half of the time that this may take can be spent waiting for memory.
    pub(super) async fn read(&self, body: &mut Incoming) -> Result<Buffered<'_>, Failure> {
        self.check_length(body)?;
        if body.is_end_stream() {
            return Ok(Buffered { bytes: Bytes::new(), _place: None });
        }
        let bytes_max = self.limits.body_bytes_max;
        let until = Instant::now() + self.limits.body_timeout;
        let length = body.size_hint().exact().and_then(|length| usize::try_from(length).ok());
        let place = self.take_place(length.unwrap_or(bytes_max)).await?;
        match timeout_at(until.into(), Limited::new(body, bytes_max).collect()).await {
            Err(_) => Err(Failure::BodyTimeout),
            Ok(Ok(collected)) => Ok(Buffered { bytes: collected.to_bytes(), _place: Some(place) }),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Failure::BodyTooLarge { bytes_max }),
            Ok(Err(_)) => Err(Failure::BodyBroken),
        }
    }

    async fn take_place(&self, bytes: usize) -> Result<SemaphorePermit<'_>, Failure> {
        // More than there is in all would wait for ever.
        let units = bytes.div_ceil(UNIT_BYTES).min(self.units);
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        // Mostly there is room, and no timer to be set.
        if let Ok(place) = self.free.try_acquire_many(units) {
            return Ok(place);
        }
        let place = timeout(self.limits.body_timeout / 2, self.free.acquire_many(units)).await;
        Ok(place.map_err(|_| Failure::BuffersFull)?.expect("the semaphore is never closed"))
    }
}

/// Lets the rest of a body that nobody wants pass by, if it is short and soon there: a client that is still sending
/// might not read its answer. Says whether all of it has passed, so that the connection can be used again.
pub(super) async fn pass_by(body: &mut Incoming, headers: &HeaderMap) -> bool {
    if body.is_end_stream() {
        return true;
    }
    let is_long = body.size_hint().lower() > PASSED_BY_BYTES_MAX as u64;
    // Who waits to be told to go on must not be told so.
    if is_long || headers.contains_key(EXPECT) {
        return false;
    }
    let mut rest = Limited::new(body, PASSED_BY_BYTES_MAX);
    let pass = async {
        while let Some(frame) = rest.frame().await {
            if frame.is_err() {
                return false;
            }
        }
        true
    };
    timeout(PASSED_BY_MAX, pass).await.unwrap_or(false)
}

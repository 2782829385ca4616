//! A connection out of the pool, as one reader or one transaction uses it: each answer is waited for so long and no
//! longer, and a read whose connection turns out to be dead is asked again on a new one.

use std::future::Future;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool::managed::Manager;
use deadpool_postgres::{ClientWrapper, Object, Pool};
use futures_util::FutureExt;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::{describe, failure, refused_connection};
use crate::StoreError;
use crate::store::Timeouts;

/// A connection in use. It derefs to the client that speaks for it.
pub(crate) struct Link {
    /// Present until the link is dropped, but for one that never came out of the pool.
    pooled: Option<Object>,
    /// Stands in for a pooled connection that was dead.
    instead: OnceCell<ClientWrapper>,
    purpose: Purpose,
    timeouts: Timeouts,
    /// Whether the connection may not be used again: an answer is still owed on it, or its transaction is open.
    spent: AtomicBool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Each query stands alone, so one can be asked again.
    Reads,
    /// A transaction ends with its connection.
    Transaction,
}

/// Why there is no answer.
pub(crate) enum Trouble {
    /// The server said no, or the connection broke.
    Said(Error),
    /// Nothing came in time.
    Silence(Duration),
}

impl Link {
    pub(crate) fn for_reads(pooled: Object, timeouts: Timeouts) -> Self {
        Self::new(pooled, Purpose::Reads, timeouts)
    }

    pub(crate) fn for_transaction(pooled: Object, timeouts: Timeouts) -> Self {
        Self::new(pooled, Purpose::Transaction, timeouts)
    }

    /// A connection to read on that is no part of a pool.
    pub(crate) fn of_its_own(client: ClientWrapper, timeouts: Timeouts) -> Self {
        Self::beside_pool(client, Purpose::Reads, timeouts)
    }

    /// A connection for one transaction that is no part of a pool.
    pub(crate) fn of_its_own_for_transaction(client: ClientWrapper, timeouts: Timeouts) -> Self {
        Self::beside_pool(client, Purpose::Transaction, timeouts)
    }

    fn beside_pool(client: ClientWrapper, purpose: Purpose, timeouts: Timeouts) -> Self {
        let (instead, spent) = (OnceCell::new_with(Some(client)), AtomicBool::new(false));
        Self { pooled: None, instead, purpose, timeouts, spent }
    }

    fn new(pooled: Object, purpose: Purpose, timeouts: Timeouts) -> Self {
        let (instead, spent) = (OnceCell::new(), AtomicBool::new(false));
        Self { pooled: Some(pooled), instead, purpose, timeouts, spent }
    }

    /// Waits for an answer, as long as it may take. No `async fn`: that would have room for the answer twice.
    pub(crate) fn within<T>(
        &self,
        answer: impl Future<Output = Result<T, Error>>,
    ) -> impl Future<Output = Result<T, Trouble>> {
        let patience = match self.purpose {
            Purpose::Reads => self.timeouts.read,
            Purpose::Transaction => self.timeouts.write,
        };
        timeout(patience, answer).map(move |answer| {
            if let Ok(answer) = answer {
                // A server that takes no writes any more is none to keep connections to.
                if answer.as_ref().is_err_and(cannot_write) {
                    self.discard();
                }
                return answer.map_err(Trouble::Said);
            }
            self.discard();
            Err(Trouble::Silence(patience))
        })
    }

    /// Whether what was asked on the pooled connection can be asked again on a new one.
    pub(crate) fn may_ask_again(&self, trouble: &Trouble) -> bool {
        self.purpose == Purpose::Reads && matches!(trouble, Trouble::Said(error) if is_dead(error))
    }

    /// Whether a new connection stands in for the pooled one.
    pub(crate) fn is_renewed(&self) -> bool {
        self.instead.initialized()
    }

    /// A new connection, in the place of the dead one. Not out of the pool: what idles there may be as dead, and the
    /// dead one holds a place in it.
    pub(crate) async fn renew(&self) -> Result<&ClientWrapper, StoreError> {
        let pool = self.pooled.as_ref().and_then(Object::pool);
        let pool = pool.ok_or_else(|| StoreError::unavailable("it is shutting down"))?;
        self.instead.get_or_try_init(|| connect(&pool, self.timeouts)).await
    }

    /// Lets nobody have this connection after us.
    pub(crate) fn discard(&self) {
        self.spent.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.spent.load(Ordering::Relaxed)
    }
}

/// A connection beside those of the pool.
pub(super) async fn connect(pool: &Pool, timeouts: Timeouts) -> Result<ClientWrapper, StoreError> {
    let connected = timeout(timeouts.connect, pool.manager().create()).await;
    connected
        .map_err(|_| Trouble::Silence(timeouts.connect).into_error("connect"))?
        .map_err(|error| refused_connection(&error))
}

impl Deref for Link {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        let pooled = || self.pooled.as_ref().expect("a link has one or the other until it is dropped");
        self.instead.get().unwrap_or_else(|| pooled())
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(pooled) = self.pooled.take().filter(|_| self.is_spent()) {
            drop(Object::take(pooled));
        }
    }
}

impl Trouble {
    pub(crate) fn into_error(self, statement: &'static str) -> StoreError {
        match self {
            Self::Said(error) => failure(statement, &error),
            Self::Silence(waited) => {
                StoreError::unavailable(format!("it did not answer within {} s", waited.as_secs_f32()))
            }
        }
    }

    /// What came of a COMMIT that may have been done.
    pub(super) fn into_unknown_outcome(self) -> StoreError {
        let reason = match self {
            Self::Said(error) => describe(&error),
            Self::Silence(waited) => format!("nothing within {} s", waited.as_secs_f32()),
        };
        StoreError::unavailable(format!("a COMMIT that may have been done was not answered: {reason}"))
    }
}

/// Whether the connection is gone, rather than the question wrong: closed, broken, or ended by a server that stops.
fn is_dead(error: &Error) -> bool {
    let Some(state) = error.code() else { return is_broken(error) };
    state.code().starts_with("57P") || state.code().starts_with("08")
}

/// Whether the server is one that can only be read, a standby say, or became one.
pub(super) fn cannot_write(error: &Error) -> bool {
    error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION)
}

/// Whether the connection broke without a word from the server.
pub(super) fn is_broken(error: &Error) -> bool {
    error.is_closed()
        || std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}

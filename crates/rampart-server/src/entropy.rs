//! Randomness, injected: ids of a test can be foretold.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use uuid::Builder;
use uuid::Uuid;

/// A source of random bytes.
#[derive(Clone)]
pub struct Entropy(Arc<Fill>);

type Fill = dyn Fn(&mut [u8]) + Send + Sync;

impl Entropy {
    /// The system's, taken a stock at a time: every request needs a few ids, and each question is a system call.
    pub fn system() -> Self {
        thread_local! {
            static STOCK: RefCell<Stock> = const { RefCell::new(Stock { bytes: [0; STOCK_BYTES], used: STOCK_BYTES }) };
        }
        Self::from_fn(|bytes| STOCK.with_borrow_mut(|stock| stock.take(bytes)))
    }

    /// Any other.
    pub fn from_fn(fill: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Self {
        Self(Arc::new(fill))
    }

    /// Fills `bytes`.
    pub fn fill(&self, bytes: &mut [u8]) {
        (self.0)(bytes);
    }

    /// So many random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A fresh random id.
    pub fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        Builder::from_random_bytes(bytes).into_uuid()
    }
}

const STOCK_BYTES: usize = 512;

/// Random bytes of which each is given out once.
struct Stock {
    bytes: [u8; STOCK_BYTES],
    used: usize,
}

impl Stock {
    fn take(&mut self, out: &mut [u8]) {
        for part in out.chunks_mut(STOCK_BYTES) {
            if part.len() > STOCK_BYTES - self.used {
                getrandom::fill(&mut self.bytes).expect("the system has randomness");
                self.used = 0;
            }
            let taken = &mut self.bytes[self.used..][..part.len()];
            part.copy_from_slice(taken);
            // What was given out may be a secret.
            taken.fill(0);
            self.used += part.len();
        }
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nothing_is_given_out_twice() {
        let entropy = Entropy::system();
        let mut seen = HashSet::new();
        for size in [16, 40, 5, STOCK_BYTES, 3 * STOCK_BYTES + 8].into_iter().cycle().take(500) {
            let mut bytes = vec![0; size];
            entropy.fill(&mut bytes);
            for eight in bytes.chunks_exact(8) {
                assert!(seen.insert(<[u8; 8]>::try_from(eight).unwrap()), "given out before");
            }
        }
    }
}

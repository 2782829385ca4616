//! For benchmarks: accounts whose keys a strict server knows, requests signed beforehand, and a load generator.

pub mod accounts;
pub mod rows;
pub mod signed;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Not measured: connections open, caches fill.
const WARM_UP: Duration = Duration::from_millis(500);

/// When to measure.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    from: Instant,
    until: Instant,
}

impl Window {
    /// Of that length, after the warm-up.
    pub fn of(duration: Duration) -> Self {
        let from = Instant::now() + WARM_UP;
        Self { from, until: from + duration }
    }

    /// Whether no more is to be sent.
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }
}

/// What one connection, or one task, saw.
#[derive(Debug, Default)]
pub struct Seen {
    latencies_ns: Vec<u32>,
    /// All that was answered, in the window or not.
    pub answered: usize,
}

impl Seen {
    /// Notes an answer that came just now.
    pub fn note(&mut self, window: Window, sent: Instant) {
        self.answered += 1;
        let now = Instant::now();
        if sent >= window.from && now <= window.until {
            self.latencies_ns.push(u32::try_from((now - sent).as_nanos()).unwrap_or(u32::MAX));
        }
    }

    /// All that these saw.
    pub fn join(all: impl IntoIterator<Item = Self>) -> Self {
        all.into_iter().fold(Self::default(), |mut sum, seen| {
            sum.latencies_ns.extend(seen.latencies_ns);
            sum.answered += seen.answered;
            sum
        })
    }

    /// The figures of it.
    ///
    /// # Errors
    /// When nothing was answered in the window.
    pub fn sample(mut self, duration: Duration) -> anyhow::Result<Sample> {
        self.latencies_ns.sort_unstable();
        let at = |permille: usize| {
            let index = self.latencies_ns.len().saturating_sub(1) * permille / 1000;
            self.latencies_ns.get(index).map(|ns| f64::from(*ns) / 1_000.0)
        };
        let (p50_us, p99_us) = at(500).zip(at(990)).context("nothing was answered in time")?;
        let count = u32::try_from(self.latencies_ns.len())?;
        Ok(Sample { per_s: f64::from(count) / duration.as_secs_f64(), p50_us, p99_us })
    }
}

/// What one window held.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Answers a second.
    pub per_s: f64,
    /// Half of the answers came within so many microseconds.
    pub p50_us: f64,
    /// Of a hundred answers 99 did.
    pub p99_us: f64,
}

/// A connection with one request in flight: these, one after the other, and again from the first.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Of the server.
    pub address: SocketAddr,
    /// Each as it goes over the wire.
    pub requests: Vec<Vec<u8>>,
}

/// Opens the connections and sends their requests until the window closes. All in the thread that calls.
///
/// # Errors
/// When an answer is not a success, or a connection ends.
pub fn run(connections: Vec<Connection>, duration: Duration) -> anyhow::Result<Seen> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let window = Window::of(duration);
        let mut tasks = JoinSet::new();
        for connection in connections {
            tasks.spawn(connection.keep_asking(window));
        }
        Ok(Seen::join(tasks.join_all().await.into_iter().collect::<anyhow::Result<Vec<_>>>()?))
    })
}

impl Connection {
    async fn keep_asking(self, window: Window) -> anyhow::Result<Seen> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let mut buffer = Vec::with_capacity(16 * 1024);
        let mut seen = Seen::default();
        for request in self.requests.iter().cycle() {
            let sent = Instant::now();
            if window.is_over() {
                break;
            }
            stream.write_all(request).await?;
            read_answer(&mut stream, &mut buffer).await?;
            seen.note(window, sent);
        }
        Ok(seen)
    }
}

/// Reads one answer, which must be a success.
///
/// # Errors
/// When it is none, or the connection ends before it does.
pub async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<()> {
    buffer.clear();
    let mut expected = None;
    while expected.is_none_or(|bytes| buffer.len() < bytes) {
        if stream.read_buf(buffer).await? == 0 {
            bail!("the server closed the connection");
        }
        if expected.is_none() {
            expected = answer_bytes(buffer)?;
        }
    }
    if !buffer.starts_with(b"HTTP/1.1 200 ") {
        bail!("the server answered: {}", String::from_utf8_lossy(buffer));
    }
    Ok(())
}

/// How long the answer is, once its head is there.
fn answer_bytes(buffer: &[u8]) -> anyhow::Result<Option<usize>> {
    const LENGTH: &[u8] = b"content-length: ";
    let Some(head_end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = &buffer[..head_end];
    let at = head.windows(LENGTH.len()).position(|name| name == LENGTH).context("an answer has no length")?;
    let digits = head[at + LENGTH.len()..].iter().take_while(|byte| byte.is_ascii_digit());
    let length = digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'));
    Ok(Some(head_end + 4 + length))
}

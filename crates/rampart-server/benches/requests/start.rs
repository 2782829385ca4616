//! How long the release binary takes until it answers, and what it holds in memory then.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rampart_aws::sigv4::sign::Credentials;
use rampart_store::Location;
use rampart_testkit::load::{read_answer, signed};
use rampart_testkit::node::Node;
use serde::Serialize;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::options::{Options, Place};

const STARTS: usize = 7;
/// After its first answer a server is left alone this long before its memory is read.
const IDLE: Duration = Duration::from_millis(500);

/// What the start was measured at, or why it was not.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Start {
    Measured {
        /// From the spawn of the process to the first answer, on an empty store; sorted.
        first_answer_ms: Vec<f64>,
        /// The largest seen, in megabytes (10⁶ bytes).
        resident_mb: Option<f64>,
    },
    NotBuilt(PathBuf),
}

pub(crate) fn measure(options: &Options) -> anyhow::Result<Start> {
    let binary = options.binary();
    if !binary.exists() {
        return Ok(Start::NotBuilt(binary));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut first_answer_ms, mut resident_mb) = (Vec::new(), None::<f64>);
    for _ in 0..STARTS {
        let (ms, mb) = runtime.block_on(start_once(&binary))?;
        first_answer_ms.push(ms);
        resident_mb = mb.map(|mb| resident_mb.map_or(mb, |most| most.max(mb)));
    }
    first_answer_ms.sort_by(f64::total_cmp);
    Ok(Start::Measured { first_answer_ms, resident_mb })
}

async fn start_once(binary: &Path) -> anyhow::Result<(f64, Option<f64>)> {
    let place = Place::default_scratch()?;
    let Location::Sqlite(file) = &place.location else { anyhow::bail!("a scratch place is a file") };
    let mut command = Command::new(binary);
    command.args(["serve", "--listen", "127.0.0.1:0", "--store"]).arg(format!("sqlite:{}", file.display()));
    command.stderr(Stdio::null());
    let credentials =
        Credentials { access_key_id: "111111111111", secret_access_key: "x", session_token: None };
    let request = signed::request(&credentials, "/getresourceshares", r#"{"resourceOwner":"SELF"}"#);
    let started = Instant::now();
    let node = Node::start(&mut command);
    let mut stream = TcpStream::connect(node.address()).await?;
    stream.write_all(&request).await?;
    read_answer(&mut stream, &mut Vec::with_capacity(4096)).await?;
    let ms = started.elapsed().as_secs_f64() * 1_000.0;
    idle().await;
    Ok((ms, node.resident_mb()))
}

#[expect(clippy::disallowed_methods, reason = "idleness is what is waited for")]
async fn idle() {
    tokio::time::sleep(IDLE).await;
}

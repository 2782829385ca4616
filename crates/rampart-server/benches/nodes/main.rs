//! Several nodes on one PostgreSQL: `cargo xtask bench nodes`. The nodes are processes of the release binary.
//!
//! * `following`: how late a follower on one node is told what another node wrote, from the moment at which the write is
//!   acknowledged, with a follower that looks every 20 ms.
//! * `scaling`: what two nodes answer beside what one does, each given the same share of processor time and no more.
//! * `soak`: mixed load on two nodes for `--seconds`, with a line every tenth of it: calls and their outcomes, resident
//!   memory of each node, connections to the database, and how late a follower was. In the end nothing may be left to be
//!   told, and no call may have failed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark says what it found"
)]

mod cpu_share;
mod following;
mod scaling;
mod soak;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use rampart_store::{Options as StoreOptions, Store};
use rampart_testkit::node::Node;
use rampart_testkit::postgres::{PostgresCluster, TestDatabase};

/// Measures two nodes on one PostgreSQL.
#[derive(Parser)]
#[command(name = "nodes", about)]
struct Options {
    /// How long the soak lasts.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Only these parts.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Scaling: how much of a core each node is given. With more cores than nodes a whole one (1) is of use; on two cores the
    /// database and the load generator need most of both.
    #[arg(long, default_value_t = 0.15, value_parser = share_of_core)]
    share: f64,
    /// Cargo passes this to every benchmark; it says nothing here.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Following,
    Scaling,
    Soak,
}

fn share_of_core(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.05..=64.0).contains(&share) => Ok(share),
        _ => Err("from 0.05 to 64".to_owned()),
    }
}

#[tokio::main]
async fn main() {
    let options = Options::parse();
    let runs = |part| options.only.is_empty() || options.only.contains(&part);
    let cluster = PostgresCluster::shared().unwrap_or_else(|error| panic!("{error}"));
    if runs(Part::Scaling) {
        scaling::measure(&cluster.create_database().unwrap(), options.share).await;
    }
    let database = cluster.create_database().unwrap();
    let store = open(&database).await;
    let nodes = [(); 2].map(|()| Node::start(&mut serve(&database)));
    if runs(Part::Following) {
        following::measure(&nodes, store.clone()).await;
    }
    if runs(Part::Soak) {
        soak::run(&nodes, store, &database, Duration::from_secs(options.seconds)).await;
    }
}

async fn open(database: &TestDatabase) -> Store {
    Store::open(&database.url().parse().unwrap(), StoreOptions::default()).await.unwrap().0
}

/// The release binary, to serve a database on a free port.
fn serve(database: &TestDatabase) -> Command {
    let mut command = Command::new(binary());
    command.args(["serve", "--listen", "127.0.0.1:0", "--store", database.url()]);
    command
}

fn binary() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    target.join("release/rampart")
}

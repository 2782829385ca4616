//! Writes that are committed together on PostgreSQL, and each by itself: `cargo xtask bench commits [--rounds N]
//! [--seconds N] [--writes N] [--lasts-ms N] [--only PART_OF_A_NAME]`.
//!
//! The writes are what CreateResourceShare is with a client token, without HTTP and signatures: the token looked up, the
//! owner's usage loaded, the rows and the log entry, the answer remembered. As many writers, each with one write in
//! flight, write to one account or to many, from one node or two. Both ways take turns, round after round, on one server
//! that commits to the disk; the ratio of a round is between two measurements of which one follows the other. Figures of
//! one run can be compared with each other and with nothing else.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark says what it found"
)]

use std::time::{Duration, Instant};

use rampart_core::{AccountId, TimestampMs};
use rampart_server::{Clock, Entropy};
use rampart_store::{
    Abort, Location, Options, RememberedAnswer, Store, Together, TokenScope, Transaction, Work,
};
use rampart_testkit::dice::Dice;
use rampart_testkit::load::rows::Owner;
use rampart_testkit::load::{Sample, Seen, Window};
use rampart_testkit::postgres::{ClusterOptions, Fsync, PostgresCluster, TestDatabase};
use rampart_testkit::server::REGION;
use tokio::task::JoinSet;

const SEED: u64 = 14_142;

/// Who writes where.
struct Shape {
    name: &'static str,
    writers: usize,
    accounts: usize,
    nodes: usize,
}

const SHAPES: [Shape; 6] = [
    Shape { name: "1 writer, 1 account", writers: 1, accounts: 1, nodes: 1 },
    Shape { name: "2 writers, 1 account", writers: 2, accounts: 1, nodes: 1 },
    Shape { name: "8 writers, 1 account", writers: 8, accounts: 1, nodes: 1 },
    Shape { name: "64 writers, 1 account", writers: 64, accounts: 1, nodes: 1 },
    Shape { name: "64 writers, 64 accounts", writers: 64, accounts: 64, nodes: 1 },
    Shape { name: "64 writers, 1 account, 2 nodes", writers: 64, accounts: 1, nodes: 2 },
];

/// What a measurement found.
struct Measured {
    sample: Sample,
    /// Writes in a transaction.
    together: f64,
    /// What the node that did less did, of what it would have with even shares.
    even: f64,
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1));
    let number = |name: &str, default: usize| value(name).map_or(default, |text| text.parse().unwrap());
    let (rounds, default) = (number("--rounds", 5), Together::default());
    let together = Together {
        writes_max: number("--writes", default.writes_max),
        lasts_max: value("--lasts-ms")
            .map_or(default.lasts_max, |text| Duration::from_millis(text.parse().unwrap())),
        ..default
    };
    let lasts = Duration::from_secs_f64(value("--seconds").map_or(2.0, |text| text.parse().unwrap()));
    let only = value("--only").map_or("", String::as_str);
    let options = ClusterOptions { fsync: Fsync::On, ..ClusterOptions::default() };
    let cluster = PostgresCluster::start(&options).unwrap_or_else(|error| panic!("{error}"));
    let database = cluster.create_database().unwrap();
    let mut dice = Dice::seeded(SEED);
    println!(
        "{rounds} rounds, {} s each; at most {} writes in {} ms together",
        lasts.as_secs_f64(),
        together.writes_max,
        together.lasts_max.as_millis()
    );
    println!(
        "{:<32} {:<9} {:>8} {:>9} {:>9} {:>10} {:>6}  ratio by rounds",
        "", "", "per s", "p50 ms", "p99 ms", "together", "even"
    );
    for shape in SHAPES.iter().filter(|shape| shape.name.contains(only)) {
        let mut found: [Vec<Measured>; 2] = [Vec::new(), Vec::new()];
        for round in 0..rounds {
            // Who begins changes, too.
            for arm in [round % 2, 1 - round % 2] {
                let together = if arm == 0 { Together { writes_max: 1, ..together } } else { together };
                found[arm].push(measure(&database, shape, together, lasts, &mut dice).await);
            }
        }
        report(shape, &found);
    }
}

fn report(shape: &Shape, [alone, together]: &[Vec<Measured>; 2]) {
    let ratios =
        || alone.iter().zip(together).map(|(alone, together)| together.sample.per_s / alone.sample.per_s);
    let (least, most) = (ratios().fold(f64::MAX, f64::min), ratios().fold(0.0, f64::max));
    for (name, all) in [("alone", alone), ("together", together)] {
        let of = |figure: fn(&Measured) -> f64| median(all.iter().map(figure));
        print!(
            "{:<32} {name:<9} {:>8.0} {:>9.2} {:>9.2} {:>10.1} {:>6.2}",
            if name == "alone" { shape.name } else { "" },
            of(|one| one.sample.per_s),
            of(|one| one.sample.p50_us / 1_000.0),
            of(|one| one.sample.p99_us / 1_000.0),
            of(|one| one.together),
            of(|one| one.even),
        );
        if name == "alone" {
            println!();
        } else {
            println!("  {:.2} ({least:.2} to {most:.2})", median(ratios()));
        }
    }
}

/// The middle one; of an even number the upper of the two.
fn median(all: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = all.collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

async fn measure(
    database: &TestDatabase,
    shape: &Shape,
    together: Together,
    lasts: Duration,
    dice: &mut Dice,
) -> Measured {
    let location: Location = database.url().parse().unwrap();
    let mut nodes = Vec::new();
    for _ in 0..shape.nodes {
        let options = Options { together, ..Options::default() };
        nodes.push(Store::open(&location, options).await.unwrap().0);
    }
    let accounts: Vec<AccountId> = (0..shape.accounts)
        .map(|_| (100_000_000_000 + dice.roll() % 900_000_000_000).to_string().parse().unwrap())
        .collect();
    let transactions =
        || -> f64 { database.sql("SELECT sum(seq) FROM log_head").unwrap().trim().parse().unwrap() };
    let (before, window) = (transactions(), Window::of(lasts));
    let mut writers = JoinSet::new();
    for number in 0..shape.writers {
        let node = number % shape.nodes;
        let writing = write(nodes[node].clone(), accounts[number % shape.accounts], window);
        writers.spawn(async move { (node, writing.await) });
    }
    let (mut of_node, mut all) = (vec![0.0; shape.nodes], Vec::new());
    for (node, seen) in writers.join_all().await {
        of_node[node] += f64::from(u32::try_from(seen.answered).unwrap());
        all.push(seen);
    }
    let nodes_count = f64::from(u32::try_from(shape.nodes).unwrap());
    let even = of_node.iter().copied().fold(f64::MAX, f64::min) / of_node.iter().sum::<f64>() * nodes_count;
    let seen = Seen::join(all);
    let together = f64::from(u32::try_from(seen.answered).unwrap()) / (transactions() - before);
    for node in nodes {
        node.close().await;
    }
    Measured { sample: seen.sample(lasts).unwrap(), together, even }
}

async fn write(store: Store, owner: AccountId, window: Window) -> Seen {
    let (mut seen, part) = (Seen::default(), store.partition_of(owner));
    while !window.is_over() {
        let create = Create { owner, now: Clock::real(), token: Entropy::system().uuid().to_string() };
        let sent = Instant::now();
        store.write(part, create).await.unwrap();
        seen.note(window, sent);
    }
    seen
}

struct Create {
    owner: AccountId,
    now: TimestampMs,
    token: String,
}

impl Work for Create {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        let region = REGION.parse().unwrap();
        let token = self.token.clone();
        let scope = TokenScope { account: self.owner, region, operation: "CreateResourceShare", token };
        assert!(tx.remembered_answers(&scope, self.now).await?.is_empty(), "tokens are random");
        let mut owner = Owner::having(tx.owner_usage(self.owner, region).await?);
        tx.apply(&owner.create_share(self.now).unwrap(), self.now).await?;
        let answer = RememberedAnswer { request_hash: vec![7; 32], answer: "made".to_owned() };
        tx.remember_answer(&scope, &answer, self.now, self.now.saturating_add_ms(60_000)).await?;
        Ok(())
    }
}

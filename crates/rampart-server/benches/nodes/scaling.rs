//! What two nodes answer beside one, each with the same share of processor time.

use std::process::Command;
use std::time::{Duration, Instant};

use rampart_store::MasterKey;
use rampart_testkit::load::accounts::{Registered, register};
use rampart_testkit::load::{self, Connection, signed};
use rampart_testkit::node::Node;
use rampart_testkit::postgres::TestDatabase;

use crate::cpu_share::CpuShare;

const CONNECTIONS: usize = 32;
const ROUNDS: usize = 5;
const WINDOW: Duration = Duration::from_secs(4);

/// Signed reads of callers whose keys are verified, from the same connections: all to one node, or half to each of two.
pub(crate) async fn measure(database: &TestDatabase, share: f64) {
    let (store, master_key) = (crate::open(database).await, MasterKey::generate());
    let callers = register(&store, &master_key, CONNECTIONS, true).await.unwrap();
    let nodes = [(); 2].map(|()| Node::start(serve_strictly(&mut crate::serve(database), &master_key)));
    let shares: Result<Vec<_>, _> = nodes.iter().map(|node| CpuShare::limit(node.id(), share)).collect();
    let Ok(_bounded) = shares.inspect_err(|error| {
        println!("scaling is not measured: a share of processor time cannot be given here: {error}");
    }) else {
        return;
    };
    println!(
        "each node is given {share} of one of {} cores; PostgreSQL and the load generator have the rest",
        std::thread::available_parallelism().unwrap()
    );
    println!("{:>9} {:>9} {:>9} {:>16}", "", "nodes", "reads/s", "cores they used");
    let (mut ones, mut twos) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ones.push(reads_per_s(&callers, &nodes[..1]).await);
        twos.push(reads_per_s(&callers, &nodes).await);
    }
    let (one, two) = (median(&mut ones), median(&mut twos));
    println!("two nodes answer {two:.0} signed reads a second, one {one:.0}: {:.2} times as many", two / one);
}

/// In strict mode, with the key that the callers' secrets are sealed under.
fn serve_strictly<'c>(command: &'c mut Command, master_key: &MasterKey) -> &'c mut Command {
    command.args(["--auth", "strict"]).env("RAMPART_MASTER_KEY", &*master_key.to_base64())
}

async fn reads_per_s(callers: &[Registered], nodes: &[Node]) -> f64 {
    let connections = callers.iter().zip(nodes.iter().cycle()).map(|(caller, node)| {
        let body = r#"{"resourceOwner":"SELF"}"#;
        let request = signed::request(&caller.credentials(), "/getresourceshares", body);
        Connection { address: node.address(), requests: vec![request] }
    });
    let connections = connections.collect();
    let (began, used) = (Instant::now(), processor_time(nodes));
    let seen = tokio::task::spawn_blocking(move || load::run(connections, WINDOW)).await.unwrap();
    let per_s = seen.unwrap().sample(WINDOW).unwrap().per_s;
    let used = processor_time(nodes).saturating_sub(used).as_secs_f64() / began.elapsed().as_secs_f64();
    println!("{:>9} {:>9} {per_s:>9.0} {used:>16.2}", "", nodes.len());
    per_s
}

fn processor_time(nodes: &[Node]) -> Duration {
    nodes.iter().filter_map(Node::processor_time).sum()
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

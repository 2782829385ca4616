//! Killed in the middle of a stream of writes, again and again: nothing that was acknowledged is missing, nothing is
//! half done, and whoever did not hear the answer asks again and gets one effect. So it is when one of two nodes is killed,
//! when their PostgreSQL crashes, and when the disk is full.

use futures_util::future::join_all;
use rampart_testkit::dice::Dice;
use rampart_testkit::postgres::{ClusterOptions, Listen, PostgresCluster};
use tokio::sync::watch;

use crate::load::{
    Line, assert_log_tells_all, check, check_and_complete, complete, start_stubborn_writers, start_writers,
};
use crate::program::Site;

const SEED: u64 = 7_266;
const ROUNDS: usize = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_9() {
    let mut dice = Dice::from_environment(SEED);
    let site = Site::new();
    let mut lines: Vec<Line> = Vec::new();
    for round in 0..ROUNDS {
        let server = site.serve(&[]);
        check_and_complete(&server, &mut lines).await;
        let kill_after = 10 + dice.below(80);
        let (acknowledged, mut count) = watch::channel(0_usize);
        let writers = start_writers(&[&server], round, acknowledged);
        count.wait_for(|count| *count >= kill_after).await.unwrap();
        server.kill();
        for written in join_all(writers).await {
            lines.extend(written.unwrap());
        }
        eprintln!("round {round}: killed after {kill_after} answers, {} shares begun", lines.len());
    }
    let server = site.serve(&[]);
    check_and_complete(&server, &mut lines).await;
    server.kill();
    assert_log_tells_all(&site.sqlite()).await;
    assert!(!site.log().contains("panicked"), "{}", site.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_the_kill_of_one_node_of_two() {
    let mut dice = Dice::from_environment(SEED);
    let database = PostgresCluster::shared().unwrap().create_database().unwrap();
    let url = database.url();
    let site = Site::new();
    let mut lines: Vec<Line> = Vec::new();
    let mut staying = site.serve(&["--store", url]);
    for round in 0..ROUNDS {
        let doomed = site.serve(&["--store", url]);
        let (acknowledged, mut count) = watch::channel(0_usize);
        let writers = start_writers(&[&doomed, &staying], round, acknowledged);
        let kill_after = 20 + dice.below(80);
        count.wait_for(|count| *count >= kill_after).await.unwrap();
        doomed.kill();
        // Who lost its node asks the other one, beside those that never noticed.
        let mut lost = Vec::new();
        let (cut_off, going_on): (Vec<_>, Vec<_>) =
            writers.into_iter().enumerate().partition(|(at, _)| at % 2 == 0);
        for (_, writer) in cut_off {
            lost.extend(writer.await.unwrap());
        }
        complete(&staying, &mut lost).await;
        staying.kill();
        lines.extend(lost);
        for (_, writer) in going_on {
            lines.extend(writer.await.unwrap());
        }
        eprintln!("round {round}: killed after {kill_after} answers, {} shares begun", lines.len());
        staying = site.serve(&["--store", url]);
        check_and_complete(&staying, &mut lines).await;
    }
    assert_log_tells_all(url).await;
    assert!(!site.log().contains("panicked"), "{}", site.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_crash_of_postgresql() {
    let mut dice = Dice::from_environment(SEED);
    let options = ClusterOptions { listen: Listen::Loopback, ..ClusterOptions::default() };
    let mut cluster = PostgresCluster::start(&options).unwrap();
    let database = cluster.create_database().unwrap();
    let url = database.url();
    let site = Site::new();
    let nodes = [site.serve(&["--store", url]), site.serve(&["--store", url])];
    let mut lines: Vec<Line> = Vec::new();
    for round in 0..ROUNDS {
        let (acknowledged, mut count) = watch::channel(0_usize);
        let writers = start_writers(&[&nodes[0], &nodes[1]], round, acknowledged.clone());
        let stop = watch::Sender::new(false);
        let stubborn = start_stubborn_writers(&[&nodes[0], &nodes[1]], ROUNDS + round, acknowledged, &stop);
        let stop_after = 20 + dice.below(80);
        count.wait_for(|count| *count >= stop_after).await.unwrap();
        tokio::task::block_in_place(|| cluster.stop_immediately()).unwrap();
        for writer in writers {
            lines.extend(writer.await.unwrap());
        }
        let before = *count.borrow_and_update();
        tokio::task::block_in_place(|| cluster.start_again()).unwrap();
        // The nodes were never restarted, and some of their clients never gave up.
        count.wait_for(|count| *count >= before + stop_after).await.unwrap();
        stop.send_replace(true);
        for writer in stubborn {
            lines.extend(writer.await.unwrap());
        }
        eprintln!("round {round}: crashed after {stop_after} answers, {} shares begun", lines.len());
        check_and_complete(&nodes[round % 2], &mut lines).await;
    }
    assert_log_tells_all(url).await;
    assert!(!site.log().contains("panicked"), "{}", site.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_full_disk() {
    let site = Site::new();
    let mut lines: Vec<Line> = Vec::new();
    for round in 0..2 {
        let server = site.serve_with_files_of(4096 + round * 2048);
        let (acknowledged, _count) = watch::channel(0_usize);
        for writer in start_writers(&[&server], usize::try_from(round).unwrap(), acknowledged) {
            let written = writer.await.unwrap();
            assert!(written.last().unwrap().was_refused(), "{}", site.log());
            lines.extend(written);
        }
        eprintln!("round {round}: full after {} shares", lines.len());
        // What is there can be read, and is whole.
        check(&server, &lines).await;
        server.kill();
    }
    let server = site.serve(&[]);
    check_and_complete(&server, &mut lines).await;
    server.kill();
    assert_log_tells_all(&site.sqlite()).await;
    assert!(!site.log().contains("panicked"), "{}", site.log());
}

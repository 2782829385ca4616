//! The PostgreSQL clusters: usable, separate, crashable, and gone when their process is gone.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rampart_testkit::postgres::{ClusterOptions, Fsync, Listen, PostgresCluster};

/// Set in the process that `a_killed_process_leaves_nothing_behind` starts and kills.
const VICTIM: &str = "RAMPART_TESTKIT_VICTIM";

#[test]
fn the_shared_cluster_is_one() {
    let first = PostgresCluster::shared().unwrap();
    let second = PostgresCluster::shared().unwrap();
    assert_eq!(first.directory(), second.directory());
}

#[test]
fn databases_are_separate_and_dropped() {
    let cluster = PostgresCluster::shared().unwrap();
    let (one, other) = (cluster.create_database().unwrap(), cluster.create_database().unwrap());
    one.sql("CREATE TABLE t (n bigint); INSERT INTO t VALUES (42)").unwrap();
    assert_eq!(one.sql("SELECT n, 'x' FROM t").unwrap(), "42|x\n");
    let error = other.sql("SELECT n FROM t").unwrap_err();
    assert!(error.to_string().contains("relation \"t\" does not exist"), "{error}");

    let count = format!("SELECT count(*) FROM pg_database WHERE datname = '{}'", one.name());
    assert_eq!(other.sql(&count).unwrap(), "1\n");
    drop(one);
    assert_eq!(other.sql(&count).unwrap(), "0\n");
}

#[tokio::test]
async fn the_url_works_with_the_driver() {
    let database = PostgresCluster::shared().unwrap().create_database().unwrap();
    assert_eq!(name_through_driver(database.url()).await.unwrap(), database.name());
}

#[tokio::test]
async fn a_loopback_cluster_has_a_port() {
    let options = ClusterOptions { listen: Listen::Loopback, fsync: Fsync::On, ..ClusterOptions::default() };
    let cluster = PostgresCluster::start(&options).unwrap();
    let database = cluster.create_database().unwrap();
    assert!(database.url().starts_with("postgres://postgres@127.0.0.1:"), "{}", database.url());
    assert_eq!(name_through_driver(database.url()).await.unwrap(), database.name());
    assert_eq!(database.sql("SHOW fsync").unwrap(), "on\n");
}

#[test]
fn settings_are_in_force() {
    let settings = vec![("application_name".to_owned(), "it's rampart".to_owned())];
    let cluster = PostgresCluster::start(&ClusterOptions { settings, ..ClusterOptions::default() }).unwrap();
    let sql = "SELECT setting FROM pg_file_settings WHERE name = 'application_name'";
    assert_eq!(cluster.create_database().unwrap().sql(sql).unwrap(), "it's rampart\n");
}

#[test]
fn commits_survive_an_immediate_stop() {
    let mut cluster = PostgresCluster::start(&ClusterOptions::default()).unwrap();
    let database = cluster.create_database().unwrap();
    database.sql("CREATE TABLE t (n bigint); INSERT INTO t VALUES (1)").unwrap();
    cluster.stop_immediately().unwrap();
    assert!(database.sql("SELECT 1").is_err());
    cluster.start_again().unwrap();
    assert_eq!(database.sql("SELECT n FROM t").unwrap(), "1\n");
}

#[test]
fn a_dropped_cluster_leaves_nothing_behind() {
    let cluster = PostgresCluster::start(&ClusterOptions::default()).unwrap();
    let directory = cluster.directory().to_owned();
    assert!(directory.join("data/PG_VERSION").is_file());
    drop(cluster);
    assert!(!directory.exists(), "{} is still there", directory.display());
}

#[test]
fn a_killed_process_leaves_nothing_behind() {
    if std::env::var_os(VICTIM).is_some() {
        let cluster = PostgresCluster::shared().unwrap();
        println!("cluster in {}", cluster.directory().display());
        // Blocks until killed: the parent holds the other end.
        std::io::stdin().lines().for_each(drop);
        return;
    }
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "postgres::a_killed_process_leaves_nothing_behind", "--nocapture"])
        .env(VICTIM, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let announced = lines
        .map_while(Result::ok)
        .find_map(|line| line.split_once("cluster in ").map(|(_, at)| at.to_owned()));
    let directory = announced.expect("the victim starts a cluster");
    assert!(Path::new(&directory).join("data/postmaster.pid").is_file());

    victim.kill().unwrap();
    victim.wait().unwrap();
    wait_until_gone(Path::new(&directory));
}

async fn name_through_driver(url: &str) -> Result<String, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    let talk = tokio::spawn(connection);
    let row = client.query_one("SELECT current_database()::text", &[]).await?;
    drop(client);
    talk.await.expect("the connection's task does not panic")?;
    row.try_get(0)
}

#[expect(clippy::disallowed_methods, reason = "nothing tells when another process has removed a directory")]
fn wait_until_gone(directory: &Path) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while directory.exists() {
        assert!(Instant::now() < deadline, "{} is still there", directory.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}

//! Every query and every write finds its rows by an index, on both engines.

use rampart_store::{Location, STATEMENTS, Statement};

use crate::engines;

fn all() -> impl Iterator<Item = &'static Statement> {
    STATEMENTS.iter().copied().flatten().copied()
}

/// A partition is emptied whole: by its key on tables that begin with it, and in open mode alone.
fn reads_whole_partition(statement: &Statement) -> bool {
    statement.sql.starts_with("DELETE") && statement.sql.ends_with("WHERE part = $1")
}

#[tokio::test]
async fn sqlite_scans_no_table_and_sorts_nothing() {
    let test = engines::sqlite().await;
    let Location::Sqlite(path) = &test.location else { panic!("an SQLite store") };
    let connection = rusqlite::Connection::open(path).unwrap();
    // As the store's connections are.
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).unwrap();
    for statement in all() {
        let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.sql)).unwrap();
        let parameters = explain.parameter_count();
        let rows = explain
            .query_map(rusqlite::params_from_iter((0..parameters).map(|_| 1_i64)), |row| {
                row.get::<_, String>(3)
            })
            .unwrap();
        let steps: Vec<String> = rows.map(Result::unwrap).collect();
        assert!(finds_by_its_index(statement, 0, &steps), "{}: {steps:?}", statement.name);
        for step in steps {
            assert!(!step.starts_with("SCAN"), "{}: {step}", statement.name);
            assert!(!step.contains("TEMP B-TREE"), "{}: {step}", statement.name);
        }
    }
}

/// Rows of one owner with much and of many with little, in one partition, as PostgreSQL's statistics find it hard.
const FILL: &[&str] = &[
    "INSERT INTO resource_share SELECT 0, CASE WHEN n <= 2000 THEN '111111111111' ELSE lpad(n::text, 12, '0') END,
        'eu-west-1', decode(md5(n::text), 'hex'), 'share', 1, 0, '{}', n, n, NULL, '{}', 0
     FROM generate_series(1, 4000) n",
    "INSERT INTO association SELECT s.part, s.owner, s.region, s.share_id, m % 2, m::text,
        decode(md5(s.created_ms::text || '.' || m::text), 'hex'), s.created_ms, s.created_ms, 1, s.created_ms, NULL, NULL,
        CASE WHEN m % 2 = 0 THEN m::text END, CASE WHEN m % 2 = 1 THEN 'ec2:Subnet' END, '{}'
     FROM resource_share s, generate_series(1, 20) m WHERE s.owner = '111111111111' OR m < 3",
    "INSERT INTO share_permission SELECT part, owner, region, share_id, 'ec2:Subnet', 'p', 1, created_ms, share_id
     FROM resource_share",
    "INSERT INTO resource_share_tag SELECT part, owner, region, share_id, 'k', 'v', created_ms FROM resource_share",
    "INSERT INTO invitation SELECT part, owner, region, association_id, share_id, receiver, NULL, created_ms, 9, NULL, NULL
     FROM association WHERE receiver IS NOT NULL",
    "INSERT INTO organization SELECT 0, lpad(n::text, 12, '0'), '{}' FROM generate_series(1, 200) n",
    "INSERT INTO organization_member SELECT 0, management, lpad((management::bigint * 100 + m)::text, 12, '0'), 'r-abcd',
        m::text, '{}' FROM organization, generate_series(1, 50) m",
    "INSERT INTO organization_policy SELECT 0, management, 'p-' || m, 'n' || m, '{}'
     FROM organization, generate_series(1, 10) m",
    "INSERT INTO organization_attachment SELECT 0, management, 1, account, 'p-' || email, 1 FROM organization_member",
    "ANALYZE",
];

/// Statements that several indexes would serve, of which one reads hardly more than what is answered.
const INDEXES: &[(&str, [&str; 2])] = &[
    ("association.load", ["sqlite_autoindex_association_1", "association_pkey"]),
    ("association.of_entity_in_share", ["sqlite_autoindex_association_1", "association_pkey"]),
    ("association.shares_of_entity", ["association_by_entity"; 2]),
    ("association.holds_type", ["association_by_share_type"; 2]),
    ("association.invited_of_owner", ["association_invited_by_owner"; 2]),
    ("association.invited_of_share", ["association_invited_by_share"; 2]),
    ("association.ended_of_owner", ["association_ended_by_owner"; 2]),
    ("association.ended_of_share", ["association_ended_by_share"; 2]),
];

/// Whether the steps of a plan find associations by the index that is meant for it.
fn finds_by_its_index(statement: &Statement, engine: usize, steps: &[String]) -> bool {
    let index = INDEXES.iter().find(|(name, _)| *name == statement.name).map(|(_, indexes)| indexes[engine]);
    index.is_none_or(|index| steps.iter().any(|step| step.contains(index)))
}

/// Plans every statement with the settings of the store's sessions, parameters staying parameters.
async fn postgres_plans_well(url: &str, filled: bool) {
    let mut config: tokio_postgres::Config = url.parse().unwrap();
    let (client, connection) =
        config.options(rampart_store::POSTGRES_SESSION).connect(tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    for step in FILL.iter().filter(|_| filled) {
        client.batch_execute(step).await.unwrap();
    }
    for (number, statement) in all().enumerate().filter(|(_, statement)| !reads_whole_partition(statement)) {
        let types = client.prepare(statement.sql).await.unwrap();
        let nulls = vec!["NULL"; types.params().len()].join(", ");
        let arguments = if nulls.is_empty() { String::new() } else { format!("({nulls})") };
        client.batch_execute(&format!("PREPARE plan_{number} AS {}", statement.sql)).await.unwrap();
        let plan = client.simple_query(&format!("EXPLAIN EXECUTE plan_{number}{arguments}")).await.unwrap();
        let mut steps = Vec::new();
        for message in plan {
            let tokio_postgres::SimpleQueryMessage::Row(row) = message else { continue };
            let step = row.get(0).unwrap();
            for bad in ["Seq Scan", "Sort", "Hash"] {
                assert!(!step.contains(bad), "{} (filled: {filled}): {step}", statement.name);
            }
            // A filter on a join is a search through one of its sides; between empty tables it is as good as any.
            assert!(!filled || !step.contains("Join Filter"), "{}: {step}", statement.name);
            steps.push(step.to_owned());
        }
        assert!(!filled || finds_by_its_index(statement, 1, &steps), "{}: {steps:?}", statement.name);
    }
    drop(client);
    connection.await.unwrap().unwrap();
}

#[tokio::test]
async fn postgres_finds_rows_by_index_and_sorts_nothing() {
    let test = engines::postgres().await;
    let Location::Postgres(url) = &test.location else { panic!("a PostgreSQL store") };
    postgres_plans_well(url, false).await;
    postgres_plans_well(url, true).await;
}

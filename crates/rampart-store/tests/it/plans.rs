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
        for step in rows.map(Result::unwrap) {
            assert!(!step.starts_with("SCAN"), "{}: {step}", statement.name);
            assert!(!step.contains("TEMP B-TREE"), "{}: {step}", statement.name);
        }
    }
}

#[tokio::test]
async fn postgres_finds_rows_by_index_and_sorts_nothing() {
    let test = engines::postgres().await;
    let Location::Postgres(url) = &test.location else { panic!("a PostgreSQL store") };
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    // What matters is whether an index fits, not what an empty table costs; and parameters stay parameters.
    client
        .batch_execute("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off")
        .await
        .unwrap();
    client.batch_execute("SET plan_cache_mode = force_generic_plan").await.unwrap();
    for (number, statement) in all().enumerate().filter(|(_, statement)| !reads_whole_partition(statement)) {
        let types = client.prepare(statement.sql).await.unwrap();
        let nulls = vec!["NULL"; types.params().len()].join(", ");
        let arguments = if nulls.is_empty() { String::new() } else { format!("({nulls})") };
        client.batch_execute(&format!("PREPARE plan_{number} AS {}", statement.sql)).await.unwrap();
        let plan = client.simple_query(&format!("EXPLAIN EXECUTE plan_{number}{arguments}")).await.unwrap();
        for message in plan {
            let tokio_postgres::SimpleQueryMessage::Row(row) = message else { continue };
            let step = row.get(0).unwrap();
            assert!(!step.contains("Seq Scan"), "{}: {step}", statement.name);
            assert!(!step.contains("Sort"), "{}: {step}", statement.name);
        }
    }
    drop(client);
    connection.await.unwrap().unwrap();
}

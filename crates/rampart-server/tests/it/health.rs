//! What orchestrators and Prometheus ask for, unsigned: whether the server is alive, whether it can serve, and what it
//! counts.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use rampart_server::{AuthMode, Settings};
use rampart_testkit::server::settings;
use rampart_testkit::wire::PATIENCE;
use rampart_testkit::{Reply, StoreKind, TestServer, for_each_store};
use serde_json::{Value, json};

use crate::sharing::OWNER;

async fn ask(server: &TestServer, method: &str, path: &str) -> Reply {
    let request = Request::builder().method(method).uri(path).body(Bytes::new()).unwrap();
    server.account(OWNER).send(request).await
}

pub(crate) async fn metrics(server: &TestServer) -> String {
    let reply = ask(server, "GET", "/metrics").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    reply.text
}

/// The value of the one series that begins with this.
#[track_caller]
pub(crate) fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in {text}")).parse().unwrap()
}

/// What is said once the server knows that it is not ready: an answer holds for half a second.
async fn not_ready(server: &TestServer) -> (u16, Value) {
    let began = Instant::now();
    loop {
        let reply = ask(server, "GET", "/readyz").await;
        if reply.status != 200 {
            return (reply.status, reply.json);
        }
        assert!(began.elapsed() < PATIENCE, "{}", reply.text);
        tokio::time::timeout(Duration::from_millis(20), std::future::pending::<()>()).await.unwrap_err();
    }
}

#[tokio::test]
async fn a_server_with_its_store_is_alive_and_ready() {
    for_each_store(async |server| {
        for path in ["/healthz", "/readyz"] {
            let reply = ask(&server, "GET", path).await;
            assert_eq!((reply.status, reply.json), (200, json!({"status": "ok"})), "{path}");
            assert_eq!(reply.headers["cache-control"], "no-store");
            let reply = ask(&server, "HEAD", path).await;
            assert_eq!((reply.status, reply.text.as_str()), (200, ""), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_whose_tables_are_too_old_is_alive_and_not_ready() {
    for_each_store(async |server| {
        assert_eq!(ask(&server, "GET", "/readyz").await.status, 200);
        // As after the database was replaced by a new one.
        server.sql("DELETE FROM store_meta WHERE name = 'schema_version'");
        let reason = json!({"status": "unavailable", "reason": "migrations-pending"});
        assert_eq!(not_ready(&server).await, (503, reason));
        assert_eq!(ask(&server, "GET", "/healthz").await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_may_serve_no_longer_is_not_ready() {
    for_each_store(async |server| {
        assert_eq!(ask(&server, "GET", "/readyz").await.status, 200);
        // As after a newer build brought the tables further: eight bytes, a number that no build has reached.
        let number = if server.postgres_url().is_some() {
            "decode('0000000000ffffff', 'hex')"
        } else {
            "x'0000000000ffffff'"
        };
        let write =
            |name| server.sql(&format!("UPDATE store_meta SET value = {number} WHERE name = '{name}'"));
        write("schema_version");
        // It may, for all that is said.
        tokio::time::timeout(Duration::from_millis(600), std::future::pending::<()>()).await.unwrap_err();
        assert_eq!(ask(&server, "GET", "/readyz").await.status, 200);
        write("serves_from");
        let reason = json!({"status": "unavailable", "reason": "newer-rampart-needed"});
        assert_eq!(not_ready(&server).await, (503, reason));
        assert_eq!(ask(&server, "GET", "/healthz").await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn only_these_paths_and_methods_need_no_signature() {
    let server = TestServer::sqlite().await;
    for (method, path) in [
        ("POST", "/healthz"),
        ("DELETE", "/readyz"),
        ("PUT", "/metrics"),
        ("GET", "/healthz/"),
        ("GET", "/Healthz"),
        ("GET", "/healthz/../readyz"),
        ("GET", "//readyz"),
        ("GET", "/metrics2"),
    ] {
        assert_eq!(ask(&server, method, path).await.status, 403, "{method} {path}");
    }
    let page = Request::get("/metrics").header("origin", "https://page.example").body(Bytes::new()).unwrap();
    assert_eq!(server.account(OWNER).send(page).await.status, 403);
}

#[tokio::test]
async fn strangers_do_not_read_the_metrics_of_strict_mode() {
    let strict = Settings { auth: AuthMode::Strict, ..settings() };
    let server = TestServer::start(StoreKind::Sqlite, strict).await;
    let reply = ask(&server, "GET", "/metrics").await;
    assert_eq!((reply.status, reply.error_code.as_str()), (403, "MissingAuthenticationTokenException"));
    assert_eq!(ask(&server, "GET", "/readyz").await.status, 200);
}

#[tokio::test]
async fn requests_are_counted_by_operation_and_outcome() {
    for_each_store(async |server| {
        let client = server.account(OWNER);
        for _ in 0..3 {
            client.ok("GetResourceShares", &json!({"resourceOwner": "SELF"})).await;
        }
        client.refused("GetResourceShares", &json!({})).await;
        client.ok("CreateResourceShare", &json!({"name": "n"})).await;
        client.sts("GetCallerIdentity").await;
        // What names no operation makes no series of its own.
        for path in ["/one", "/two", "/three\u{7f}"] {
            ask(&server, "GET", &path.replace('\u{7f}', "%7f")).await;
        }
        let text = metrics(&server).await;
        let requests = |service, operation, outcome| {
            let labels = format!("service=\"{service}\",operation=\"{operation}\",outcome=\"{outcome}\"");
            value(&text, &format!("rampart_requests_total{{{labels}}}"))
        };
        let exactly =
            |count: f64, expected: i32| assert!((count - f64::from(expected)).abs() < 0.1, "{text}");
        exactly(requests("ram", "GetResourceShares", "ok"), 3);
        exactly(requests("ram", "GetResourceShares", "client-error"), 1);
        exactly(requests("ram", "GetResourceShares", "server-error"), 0);
        exactly(requests("ram", "CreateResourceShare", "ok"), 1);
        exactly(requests("sts", "GetCallerIdentity", "ok"), 1);
        exactly(requests("unknown", "unknown", "client-error"), 3);
        let durations = "rampart_request_duration_seconds_count";
        exactly(value(&text, &format!("{durations}{{service=\"ram\",operation=\"GetResourceShares\"}}")), 4);
        exactly(value(&text, "rampart_store_transactions_total{outcome=\"answered\"}"), 1);
        assert!(value(&text, "rampart_connections") >= 1.0);
        // Probes are no requests.
        let again = metrics(&server).await;
        assert_eq!(
            text.matches("rampart_requests_total{").count(),
            again.matches("rampart_requests_total{").count()
        );
    })
    .await;
}

#[tokio::test]
async fn requests_of_unknown_callers_are_counted_by_operation_too() {
    let strict = Settings { auth: AuthMode::Strict, ..settings() };
    let server = TestServer::start(StoreKind::Sqlite, strict).await;
    // The store is asked for the caller: what fails there fails as this does.
    let stranger = server.account(OWNER);
    let input = json!({"resourceOwner": "SELF"});
    assert_eq!(stranger.call("GetResourceShares", &input).await.status, 403);
    assert_eq!(stranger.organizations("DescribeOrganization", &json!({})).await.status, 400);
    assert_eq!(stranger.sts("GetCallerIdentity").await.status, 403);
    assert_eq!(stranger.iam("ListUsers", &[]).await.status, 403);
    assert_eq!(stranger.iam("ListNothing", &[]).await.status, 403);
    let unsigned = Request::post("/listresources").body(Bytes::new()).unwrap();
    assert_eq!(stranger.send(unsigned).await.status, 403);
    let text = server.app().metrics().render().unwrap();
    for (service, operation) in [
        ("ram", "GetResourceShares"),
        ("organizations", "DescribeOrganization"),
        ("sts", "GetCallerIdentity"),
        ("iam", "ListUsers"),
        ("ram", "ListResources"),
        ("unknown", "unknown"),
    ] {
        let labels = format!("service=\"{service}\",operation=\"{operation}\",outcome=\"client-error\"");
        let count = value(&text, &format!("rampart_requests_total{{{labels}}}"));
        assert!((count - 1.0).abs() < 0.1, "{labels}: {text}");
    }
}

#[tokio::test]
async fn the_store_and_background_work_are_measured() {
    for_each_store(async |server| {
        server.sweep().await;
        let text = metrics(&server).await;
        assert!(value(&text, "rampart_background_runs_total{job=\"purge\"}") >= 1.0);
        assert!(value(&text, "rampart_background_failures_total{job=\"purge\"}") < 0.5);
        assert!(value(&text, "rampart_change_log_lag_seconds") < 0.5);
        assert!(value(&text, "rampart_store_retries_total") < 0.5);
        assert!(value(&text, "rampart_store_writer_queue") < 0.5);
        if text.contains("rampart_store_connections") {
            assert!(value(&text, "rampart_store_connections_max") > 7.0);
            assert!(value(&text, "rampart_store_connections_idle") >= 1.0);
        }
        let helps: Vec<_> = text.lines().filter(|line| line.starts_with("# HELP ")).collect();
        assert!(helps.len() > 10, "{text}");
        for help in helps {
            assert!(help.ends_with('.') && !help.ends_with(".."), "{help}");
        }
        assert!(text.ends_with("# EOF\n"));
    })
    .await;
}

//! Background work beside what fails: it goes on with the rest, tries again soon, and says how far behind it is.

use std::sync::Arc;
use std::time::Duration;

use rampart_server::background;
use rampart_testkit::server::{StoreKind, settings};
use rampart_testkit::{TestServer, for_each_store};
use serde_json::json;
use tokio::sync::oneshot;
use tokio::time::{interval, timeout};

use crate::customer_permissions::create_permission;
use crate::health::{metrics, value};
use crate::sharing::{CONSUMER, OWNER, STRANGER, create};

const DAY: Duration = Duration::from_hours(24);
const AWS: &str = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionCodeBuildProject";
/// Less than the pause between two sweeps when nothing fails.
const PATIENCE: Duration = Duration::from_secs(20);

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let asked = timeout(PATIENCE, async {
        let mut ticks = interval(Duration::from_millis(50));
        while !is_so().await {
            ticks.tick().await;
        }
    });
    assert!(asked.await.is_ok(), "{what}: not within {PATIENCE:?}");
}

/// Has the server do its background work while `test` runs.
async fn with_background(server: &TestServer, test: impl AsyncFnOnce()) {
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(background::run(Arc::clone(server.app()), async {
        let _ = stopped.await;
    }));
    test().await;
    stop.send(()).unwrap();
    running.await.unwrap();
}

#[tokio::test]
async fn a_row_that_cannot_be_read_holds_up_no_other_work() {
    for_each_store(async |server| {
        let (owner, other) = (server.account(OWNER), server.account(STRANGER));
        create(&owner, &json!({"name": "unreadable", "principals": [CONSUMER], "clientToken": "t"})).await;
        server.advance(Duration::from_secs(1));
        create(&owner, &json!({"name": "of-the-same", "principals": [CONSUMER]})).await;
        create(&other, &json!({"name": "of-another", "principals": [CONSUMER]})).await;
        server.advance(15 * DAY);
        let contents = server.sql("SELECT contents FROM resource_share WHERE name = 'unreadable'");
        let set =
            |text: &str| format!("UPDATE resource_share SET contents = '{text}' WHERE name = 'unreadable'");
        server.sql(&set("?"));
        background::sweep(server.app()).await.expect_err("it says so");
        assert_eq!(server.sql("SELECT count(*) FROM association WHERE standing = 0"), ["1"]);
        assert_eq!(server.count("client_token"), 0, "the other jobs were done");
        let text = metrics(&server).await;
        for (name, least) in [("items", 2.0), ("failures", 1.0)] {
            let series = format!("rampart_background_{name}_total{{job=\"expire-invitations\"}}");
            assert!(value(&text, &series) >= least, "{text}");
        }
        server.sql(&set(&contents[0]));
        server.sweep().await;
        assert_eq!(server.sql("SELECT count(*) FROM association WHERE standing = 0"), ["0"]);
    })
    .await;
}

#[tokio::test]
async fn what_failed_is_tried_again_soon() {
    for_each_store(async |server| {
        let owner = server.account(OWNER);
        let own = create_permission(&owner, "Own").await;
        create(&owner, &json!({"name": "n", "permissionArns": [AWS]})).await;
        let order = json!({"fromPermissionArn": AWS, "toPermissionArn": own});
        owner.ok("ReplacePermissionAssociations", &order).await;
        let state = server.sql("SELECT state FROM replace_work");
        server.sql("UPDATE replace_work SET state = '?'");
        with_background(&server, async || {
            let failures = "rampart_background_failures_total{job=\"replace-permissions\"}";
            until("it fails", async || value(&metrics(&server).await, failures) >= 1.0).await;
            server.sql(&format!("UPDATE replace_work SET state = '{}'", state[0]));
            until("it is done", async || {
                let works = owner.ok("ListReplacePermissionAssociationsWork", &json!({})).await;
                works["replacePermissionAssociationsWorks"][0]["status"] == "COMPLETED"
            })
            .await;
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn the_lag_grows_while_the_change_log_cannot_be_followed() {
    let server = TestServer::start(StoreKind::Postgres, settings()).await;
    let lag = async || value(&metrics(&server).await, "rampart_change_log_lag_seconds");
    assert!(lag().await < 0.001, "it does not follow the log");
    with_background(&server, async || {
        let leads = async || value(&metrics(&server).await, "rampart_background_leader") > 0.5;
        until("it leads", leads).await;
        // As a newer build would write it.
        server.sql(
            "BEGIN; UPDATE log_head SET seq = seq + 1 WHERE part = 9;
             INSERT INTO change_log (part, seq, idx, at_ms, payload)
             SELECT 9, seq, 0, 4102444800000, '{\"v\":1000000,\"changes\":[]}' FROM log_head WHERE part = 9; COMMIT",
        );
        until("it is behind", async || lag().await > 2.0).await;
        server.sql("DELETE FROM change_log WHERE part = 9");
        until("it is not behind", async || lag().await < 1.0).await;
    })
    .await;
    assert!(lag().await < 0.001);
}

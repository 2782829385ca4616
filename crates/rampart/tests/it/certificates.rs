//! `rampart serve` over TLS, while its certificate is replaced.

use std::time::{Duration, Instant};

use rampart_testkit::node::Node;
use rampart_testkit::tls;
use rampart_testkit::wire::{Wire, bytes_of};
use serde_json::json;

use crate::program::Site;

const OWNER: &str = "111111111111";
/// The files are looked at every second.
const TAKEN_WITHIN: Duration = Duration::from_secs(20);

fn install(site: &Site, certificate: &str, key: &str) {
    // As orchestrators do it: a new file in the place of the old one.
    for (from, to) in [(certificate, "cert.pem"), (key, "key.pem")] {
        let new = site.path().join("new");
        std::fs::copy(tls::file(from), &new).unwrap();
        std::fs::rename(new, site.path().join(to)).unwrap();
    }
}

fn serve(site: &Site) -> Node {
    site.serve(&["--tls-cert", "cert.pem", "--tls-key", "key.pem"])
}

async fn call(wire: &mut Wire, server: &Node) -> u16 {
    let request = server.client(OWNER, "x").request("GetResourceShares", &json!({"resourceOwner": "SELF"}));
    wire.send(&bytes_of(&request)).await;
    wire.answer().await.status
}

#[tokio::test]
async fn a_certificate_that_changes_is_taken_and_connections_stay() {
    let site = Site::new();
    install(&site, "first.pem", "first.key");
    let server = serve(&site);
    assert!(server.greeting().contains(&format!("AWS_ENDPOINT_URL=https://{}", server.address())));
    let (mut before, shown) = Wire::connect_tls(server.address()).await;
    assert_eq!((shown, call(&mut before, &server).await), ("first", 200));

    install(&site, "second.pem", "second.key");
    let began = Instant::now();
    let (mut after, mut shown) = Wire::connect_tls(server.address()).await;
    while shown == "first" {
        assert!(began.elapsed() < TAKEN_WITHIN, "{}", site.log());
        (after, shown) = Wire::connect_tls(server.address()).await;
    }
    assert_eq!(call(&mut after, &server).await, 200);
    assert_eq!(call(&mut before, &server).await, 200);
}

#[tokio::test]
async fn a_broken_certificate_is_said_and_the_old_one_stays() {
    let site = Site::new();
    install(&site, "first.pem", "first.key");
    let server = serve(&site);
    // It does not belong to the key.
    install(&site, "second.pem", "first.key");
    let began = Instant::now();
    while !site.log().contains("the old certificate stays") {
        assert!(began.elapsed() < TAKEN_WITHIN, "{}", site.log());
        tokio::task::yield_now().await;
    }
    let (mut wire, shown) = Wire::connect_tls(server.address()).await;
    assert_eq!((shown, call(&mut wire, &server).await), ("first", 200));
    // Once it does, all is well.
    install(&site, "second.pem", "second.key");
    while Wire::connect_tls(server.address()).await.1 == "first" {
        assert!(began.elapsed() < 2 * TAKEN_WITHIN, "{}", site.log());
    }
    assert_eq!(site.log().matches("the old certificate stays").count(), 1);
}

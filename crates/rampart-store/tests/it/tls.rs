//! TLS to PostgreSQL, as its URL and the settings ask for it.

use rampart_store::{Location, Options, Store, StoreError};
use rampart_testkit::postgres::{ClusterOptions, Listen, PostgresCluster};
use rampart_testkit::tls;

fn start(certificate: Option<&'static str>) -> PostgresCluster {
    let options = ClusterOptions { listen: Listen::Loopback, certificate, ..ClusterOptions::default() };
    PostgresCluster::start(&options).unwrap()
}

async fn open(url: &str, authorities: Option<&str>) -> Result<Store, StoreError> {
    let authorities = authorities.map(tls::file);
    let location: Location = url.parse().unwrap();
    Ok(Store::open(&location, Options { authorities, ..Options::default() }).await?.0)
}

/// Whether the store's connections are encrypted, as the server sees it.
async fn is_encrypted(url: &str, _store: &Store) -> bool {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let ask =
        "SELECT count(*), count(*) FILTER (WHERE ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
               WHERE application_name = 'rampart' AND datname = current_database()";
    let row = client.query_one(ask, &[]).await.unwrap();
    let (all, encrypted): (i64, i64) = (row.get(0), row.get(1));
    assert!(all > 0 && (encrypted == 0 || encrypted == all), "{encrypted} of {all}");
    encrypted > 0
}

#[tokio::test]
async fn connections_are_encrypted_as_the_url_says() {
    let cluster = start(Some("first"));
    let ca = tls::file("ca.pem");
    let ca = ca.display();
    for (parameters, authorities, encrypted) in [
        ("sslmode=disable".to_owned(), None, false),
        (String::new(), None, true),
        ("sslmode=prefer".to_owned(), None, true),
        ("sslmode=require".to_owned(), None, true),
        (String::new(), Some("ca.pem"), true),
        ("sslmode=require".to_owned(), Some("ca.pem"), true),
        ("sslmode=verify-full".to_owned(), Some("ca.pem"), true),
        (format!("sslmode=verify-full&sslrootcert={ca}"), None, true),
        // The URL's own goes before that of the settings.
        (format!("sslrootcert={ca}"), Some("first.key"), true),
    ] {
        let database = cluster.create_database().unwrap();
        let url = format!("{}?{parameters}", database.url());
        let store = open(&url, authorities).await.unwrap_or_else(|error| panic!("{parameters}: {error}"));
        assert_eq!(is_encrypted(database.url(), &store).await, encrypted, "{parameters}");
        store.close().await;
    }
}

#[tokio::test]
async fn a_server_that_is_not_the_right_one_is_refused() {
    let cluster = start(Some("first"));
    let database = cluster.create_database().unwrap();
    let elsewhere = database.url().replace("127.0.0.1", "db.example") + "?hostaddr=127.0.0.1&";
    let here = format!("{}?", database.url());
    let ca = tls::file("ca.pem");
    let not_ca = tls::file("first.key");
    for (url, said) in [
        // Nobody on this machine knows the tests' authority.
        (format!("{here}sslmode=verify-full"), ""),
        (format!("{elsewhere}sslmode=verify-full&sslrootcert={}", ca.display()), "not valid for name"),
        (format!("{elsewhere}sslmode=require&sslrootcert={}", ca.display()), "not valid for name"),
        (format!("{here}sslmode=verify-full&sslrootcert={}", not_ca.display()), "holds no certificate"),
        (format!("{here}sslmode=verify-full&sslrootcert=/nowhere/ca.pem"), "/nowhere/ca.pem"),
        (format!("{here}sslmode=prefer&sslrootcert={}", ca.display()), "sslmode=verify-full"),
    ] {
        match open(&url, None).await.map(drop) {
            Err(StoreError::Unusable { reason }) => assert!(reason.contains(said), "{url}: {reason}"),
            other => panic!("{url}: {other:?}"),
        }
    }
    // Without a name to be verified nothing of that matters.
    open(&format!("{elsewhere}sslmode=require"), None).await.unwrap();
}

#[tokio::test]
async fn a_server_without_tls_is_refused_when_tls_must_be() {
    let cluster = start(None);
    let database = cluster.create_database().unwrap();
    for mode in ["require", "verify-full"] {
        let refused = open(&format!("{}?sslmode={mode}", database.url()), Some("ca.pem")).await.map(drop);
        let Err(StoreError::Unusable { reason }) = refused else { panic!("{mode}: {refused:?}") };
        assert!(reason.contains("server does not support TLS"), "{reason}");
    }
    let store = open(database.url(), None).await.unwrap();
    assert!(!is_encrypted(database.url(), &store).await);
}

//! TLS to PostgreSQL, as its URL and the settings ask for it.

use rampart_store::{Location, Options, Store, StoreError};
use rampart_testkit::postgres::{ClusterOptions, Listen, PostgresCluster, TestDatabase};
use rampart_testkit::tls::{self, PostgresDoor};

fn start() -> PostgresCluster {
    let options = ClusterOptions { listen: Listen::Loopback, ..ClusterOptions::default() };
    PostgresCluster::start(&options).unwrap()
}

/// The URL of a database behind a door that speaks TLS.
async fn behind_door(database: &TestDatabase) -> (String, PostgresDoor) {
    let config: tokio_postgres::Config = database.url().parse().unwrap();
    let port = config.get_ports()[0];
    let door = PostgresDoor::before(port, "first").await;
    (database.url().replace(&format!(":{port}/"), &format!(":{}/", door.port())), door)
}

async fn open(url: &str, authorities: Option<&str>) -> Result<Store, StoreError> {
    let authorities = authorities.map(tls::file);
    let location: Location = url.parse().unwrap();
    Ok(Store::open(&location, Options { authorities, ..Options::default() }).await?.0)
}

#[tokio::test]
async fn connections_are_encrypted_as_the_url_says() {
    let cluster = start();
    let ca = tls::file("ca.pem");
    let ca = ca.display();
    let database = cluster.create_database().unwrap();
    let (there, door) = behind_door(&database).await;
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
        let url = format!("{there}?{parameters}");
        let store = open(&url, authorities).await.unwrap_or_else(|error| panic!("{parameters}: {error}"));
        store.close().await;
        let (in_clear, in_cipher) = door.connections();
        assert_eq!((in_clear > 0, in_cipher > 0), (!encrypted, encrypted), "{parameters}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_the_right_one_is_refused() {
    let cluster = start();
    let database = cluster.create_database().unwrap();
    let (there, _door) = behind_door(&database).await;
    let elsewhere = there.replace("127.0.0.1", "db.example") + "?hostaddr=127.0.0.1&";
    let here = format!("{there}?");
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
    let cluster = start();
    let database = cluster.create_database().unwrap();
    for mode in ["require", "verify-full"] {
        let refused = open(&format!("{}?sslmode={mode}", database.url()), Some("ca.pem")).await.map(drop);
        let Err(StoreError::Unusable { reason }) = refused else { panic!("{mode}: {refused:?}") };
        assert!(reason.contains("server does not support TLS"), "{reason}");
    }
    // What does not insist goes on in clear text.
    open(database.url(), None).await.unwrap();
}

//! Certificates for tests, and a client's side of TLS.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// The two certificates that there are, for `localhost` and `127.0.0.1`; one authority signed both.
pub const NAMES: [&str; 2] = ["first", "second"];

/// A file of `tests/data/tls`.
pub fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/tls").join(name)
}

/// Which of [`NAMES`] a server showed.
pub fn name_of(certificate: &CertificateDer<'_>) -> &'static str {
    let is_of = |name: &&&str| read(&file(&format!("{name}.pem"))).first() == Some(certificate);
    NAMES.iter().find(is_of).expect("a server shows a certificate of the tests")
}

/// Shakes hands as a client that trusts the tests' authority, offering these protocols.
pub async fn connect<S>(stream: S, protocols: &[&str]) -> std::io::Result<TlsStream<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(read(&file("ca.pem")));
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider speaks them")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let name = ServerName::try_from("127.0.0.1").expect("an address is a name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// A server's side, with a certificate of [`NAMES`].
pub fn server_config(name: &str) -> Arc<ServerConfig> {
    let certificates = read(&file(&format!("{name}.pem")));
    let key = PrivateKeyDer::from_pem_file(file(&format!("{name}.key"))).expect("the tests have a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider speaks them")
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .expect("the tests' key is of their certificate");
    Arc::new(config)
}

/// Speaks TLS in the stead of a PostgreSQL, as a proxy in front of one does: not every build of it speaks TLS itself.
pub struct PostgresDoor {
    port: u16,
    plain: Arc<AtomicUsize>,
    encrypted: Arc<AtomicUsize>,
}

/// How a client asks a PostgreSQL for TLS: a message of eight bytes with this number in it.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

impl PostgresDoor {
    /// Opens one with a certificate of [`NAMES`], on a port of its own, before the PostgreSQL on `port`.
    pub async fn before(port: u16, name: &str) -> Self {
        let acceptor = TlsAcceptor::from(server_config(name));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("the loopback address has a free port");
        let door = Self {
            port: listener.local_addr().expect("a bound socket has an address").port(),
            plain: Arc::default(),
            encrypted: Arc::default(),
        };
        let (plain, encrypted) = (Arc::clone(&door.plain), Arc::clone(&door.encrypted));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, plain, encrypted) =
                    (acceptor.clone(), Arc::clone(&plain), Arc::clone(&encrypted));
                // What goes wrong with a connection its client sees.
                tokio::spawn(async move { pass(client, port, &acceptor, &plain, &encrypted).await.ok() });
            }
        });
        door
    }

    /// Where it listens on the loopback address.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many connections came in clear text and how many encrypted, since this was asked for the last time.
    pub fn connections(&self) -> (usize, usize) {
        (self.plain.swap(0, Ordering::Relaxed), self.encrypted.swap(0, Ordering::Relaxed))
    }
}

async fn pass(
    mut client: TcpStream,
    port: u16,
    acceptor: &TlsAcceptor,
    plain: &AtomicUsize,
    encrypted: &AtomicUsize,
) -> std::io::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
    let mut first = [0; 8];
    client.read_exact(&mut first).await?;
    if first == SSL_REQUEST {
        client.write_all(b"S").await?;
        let mut client = acceptor.accept(client).await?;
        encrypted.fetch_add(1, Ordering::Relaxed);
        copy_bidirectional(&mut client, &mut server).await.map(drop)
    } else {
        plain.fetch_add(1, Ordering::Relaxed);
        server.write_all(&first).await?;
        copy_bidirectional(&mut client, &mut server).await.map(drop)
    }
}

fn read(file: &Path) -> Vec<CertificateDer<'static>> {
    let certificates = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    certificates.unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

//! Certificates for tests, and a client's side of TLS.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

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

fn read(file: &Path) -> Vec<CertificateDer<'static>> {
    let certificates = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    certificates.unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

//! TLS to others: whom the program believes as a client.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, ensure};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// The authorities that this machine trusts.
pub(crate) fn system_authorities() -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    // Some of a machine's may be broken; one of the others may do.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    ensure!(!roots.is_empty(), "the system trusts no certificates: name a file of them in SSL_CERT_FILE");
    Ok(roots)
}

/// The authorities in a PEM file.
pub(crate) fn authorities_of(file: &Path) -> anyhow::Result<RootCertStore> {
    let certificates = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = certificates.with_context(|| format!("cannot read {} as PEM", file.display()))?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate).with_context(|| format!("{} holds no authority", file.display()))?;
    }
    ensure!(!roots.is_empty(), "{} holds no certificate", file.display());
    Ok(roots)
}

/// A client that believes whom these authorities certified.
pub(crate) fn client(authorities: RootCertStore) -> anyhow::Result<ClientConfig> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(authorities).with_no_client_auth())
}

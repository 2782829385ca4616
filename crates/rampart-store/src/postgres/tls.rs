//! TLS to PostgreSQL: which servers are believed.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::{Address, TlsMode};
use crate::StoreError;

/// The authorities of this machine, instead of a file's; libpq's word.
const SYSTEM: &str = "system";

/// The mode in force, and what connects in it. `authorities` are those of the settings; the URL's go before.
pub(super) fn connector(
    address: &Address,
    authorities: Option<&Path>,
) -> Result<(TlsMode, MakeRustlsConnect), StoreError> {
    let authorities = address.authorities.as_deref().or(authorities);
    let mode = match (address.tls, authorities) {
        (Some(TlsMode::Disable | TlsMode::Prefer), Some(_)) => {
            let reason = "authorities are named, and sslmode lets connections be in clear text: write \
                          sslmode=verify-full";
            return Err(StoreError::Unusable { reason: reason.to_owned() });
        }
        // Who names an authority wants it asked.
        (Some(TlsMode::Require) | None, Some(_)) => TlsMode::VerifyFull,
        (Some(mode), _) => mode,
        // A socket of this machine needs none, and an address alone bears no name.
        (None, None) if !address.names_a_host() => TlsMode::Disable,
        (None, None) => TlsMode::Prefer,
    };
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Unusable { reason: format!("TLS cannot be set up: {error}") })?;
    let config = if mode == TlsMode::VerifyFull {
        builder.with_root_certificates(roots(authorities)?).with_no_client_auth()
    } else {
        let anybody = Arc::new(Anybody(provider));
        builder.dangerous().with_custom_certificate_verifier(anybody).with_no_client_auth()
    };
    Ok((mode, MakeRustlsConnect::new(config)))
}

fn roots(authorities: Option<&Path>) -> Result<RootCertStore, StoreError> {
    let mut roots = RootCertStore::empty();
    let unusable = |reason: String| StoreError::Unusable { reason };
    let Some(file) = authorities.filter(|file| *file != Path::new(SYSTEM)) else {
        // Some of a machine's may be broken; one of the others may do.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            let reason =
                "this machine has no authorities to verify its certificate by: name some with --store-ca";
            return Err(unusable(reason.to_owned()));
        }
        return Ok(roots);
    };
    let certificates = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = certificates
        .map_err(|error| unusable(format!("{} cannot be read as PEM: {error}", file.display())))?;
    for certificate in certificates {
        let added = roots.add(certificate);
        added.map_err(|error| unusable(format!("{} holds no authority: {error}", file.display())))?;
    }
    if roots.is_empty() {
        return Err(unusable(format!("{} holds no certificate", file.display())));
    }
    Ok(roots)
}

/// Whether a server was not believed, or speaks no TLS: then it will not be the next time.
pub(super) fn is_distrusted(error: &tokio_postgres::Error) -> bool {
    let Some(cause) = std::error::Error::source(error) else { return false };
    let refusal = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    let refusal = refusal.and_then(|refusal| refusal.downcast_ref::<Error>());
    matches!(refusal, Some(Error::InvalidCertificate(_)))
        || cause.to_string() == "server does not support TLS"
}

/// Believes every server, as libpq does when it is told to encrypt and not whom to believe. That the server has the key
/// of the certificate it shows is checked all the same.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

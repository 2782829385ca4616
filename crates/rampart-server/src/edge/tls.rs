//! TLS for those who connect: a certificate and its key from PEM files, taken anew when these change.

use std::convert::Infallible;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Where a certificate and its key are, both as PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The server's certificate, followed by those between it and its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Why files cannot be served with.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is missing, or is no PEM of what it should hold.
    #[error("cannot read {} for TLS: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// There is no certificate in the certificate's file.
    #[error("{} holds no certificate", .0.display())]
    NoCertificate(PathBuf),
    /// They do not belong together, or are of a kind that is not spoken.
    #[error("the certificate and the key cannot be used for TLS: {0}")]
    Unusable(#[from] rustls::Error),
}

/// What is served with now.
pub(super) struct Tls {
    files: TlsFiles,
    /// The files as they were when they were first taken.
    first: Stamps,
    config: RwLock<Arc<ServerConfig>>,
}

type Stamps = [Option<Stamp>; 2];

/// By what a changed file is told: written anew, or another one in its place.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

impl Tls {
    pub(super) fn load(files: TlsFiles) -> Result<Self, TlsError> {
        // Before they are read: what changes meanwhile has changed.
        let first = stamps(&files);
        Ok(Self { first, config: RwLock::new(load(&files)?), files })
    }

    /// For one connection. Those that are open keep what they began with.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Takes the files anew whenever they change; what cannot be used is logged, and the old ones stay.
    pub(super) async fn watch(&self) -> Infallible {
        let (mut taken, mut seen) = (self.first, self.first);
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let files = self.files.clone();
            let Ok(found) = tokio::task::spawn_blocking(move || stamps(&files)).await else { continue };
            // Somebody may be writing: the files are taken once they have kept still.
            let is_still = found == seen;
            seen = found;
            if is_still && found != taken {
                taken = found;
                self.take().await;
            }
        }
    }

    async fn take(&self) {
        let files = self.files.clone();
        let loaded = tokio::task::spawn_blocking(move || load(&files)).await;
        match loaded {
            Ok(Ok(config)) => {
                *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
                tracing::info!("the certificate was taken anew");
            }
            Ok(Err(error)) => tracing::error!(%error, "the old certificate stays"),
            Err(error) => tracing::error!(%error, "the old certificate stays"),
        }
    }
}

fn stamps(files: &TlsFiles) -> Stamps {
    [&files.certificate, &files.key].map(|path| std::fs::metadata(path).ok().as_ref().map(stamp))
}

fn stamp(file: &Metadata) -> Stamp {
    Stamp { inode: file.ino(), length: file.len(), modified: (file.mtime(), file.mtime_nsec()) }
}

fn load(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let TlsFiles { certificate, key } = files;
    let unreadable = |path: &PathBuf, source| TlsError::File { path: path.clone(), source };
    let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|source| unreadable(certificate, source))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate(certificate.clone()));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(|source| unreadable(key, source))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

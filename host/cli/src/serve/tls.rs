//! The server's certificate, which can be replaced while it serves.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use crate::codes;
use crate::failure::Failure;

/// The certificate that is shown to whoever connects next.
#[derive(Clone)]
pub(super) struct Tls(Arc<Current>);

struct Current(ArcSwap<CertifiedKey>);

impl Tls {
    /// Reads both files. On `Ok` the key is that of the certificate.
    pub(super) fn load(certificate: &Path, key: &Path) -> Result<Self, Failure> {
        let pair = read(certificate, key)?;
        Ok(Self(Arc::new(Current(ArcSwap::from_pointee(pair)))))
    }

    /// From now on what these files hold is shown; on `Err` what was shown before.
    pub(super) fn replace(&self, certificate: &Path, key: &Path) -> Result<(), Failure> {
        self.0.0.store(Arc::new(read(certificate, key)?));
        Ok(())
    }

    /// For a server that shows it.
    pub(super) fn config(&self) -> Result<ServerConfig, Failure> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| Failure::new(codes::TLS_UNUSABLE, error.to_string()))?;
        let resolver = Arc::clone(&self.0) as Arc<dyn ResolvesServerCert>;
        Ok(builder.with_no_client_auth().with_cert_resolver(resolver))
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// The parser's own errors show what it has read.
fn read(certificate: &Path, key: &Path) -> Result<CertifiedKey, Failure> {
    let refused = |at: &str, path: &Path, what: &str| {
        Failure::new(codes::TLS_UNUSABLE, format!("{}: {what}", path.display())).at(at)
    };
    let bytes = |at: &str, path: &Path| {
        let read = std::fs::read(path).map(Zeroizing::new);
        read.map_err(|error| refused(at, path, &error.to_string()))
    };
    let text = bytes("tls.certificate", certificate)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or_else(|| {
        refused("tls.certificate", certificate, "holds no certificate that can be read as PEM")
    })?;
    let parsed = PrivateKeyDer::from_pem_slice(&bytes("tls.key", key)?)
        .map_err(|_| refused("tls.key", key, "holds no private key that can be read as PEM"))?;
    CertifiedKey::from_der(chain, parsed, &provider())
        .map_err(|error| refused("tls.key", key, &format!("does not fit the certificate: {error}")))
}

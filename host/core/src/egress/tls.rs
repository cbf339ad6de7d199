//! Whom an upstream's certificate has to come from.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls_platform_verifier::Verifier;

use super::config::EgressConfigError;

pub(super) type Certificate = CertificateDer<'static>;

/// All certificates of these PEM bundles.
pub(super) fn certificates(bundles: &[Vec<u8>]) -> Result<Vec<Certificate>, EgressConfigError> {
    let mut certificates = Vec::new();
    for (index, bundle) in bundles.iter().enumerate() {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bundle).collect();
        match found {
            Ok(found) if !found.is_empty() => certificates.extend(found),
            _ => return Err(EgressConfigError::UpstreamCa { index }),
        }
    }
    Ok(certificates)
}

/// TLS that trusts the system's authorities, and these; without a word on protocols.
pub(super) fn config(authorities: Vec<Certificate>) -> Result<ClientConfig, EgressConfigError> {
    let failed = |error: rustls::Error| EgressConfigError::Tls(error.into());
    // An embedder may have chosen one for the whole process.
    let provider = CryptoProvider::get_default()
        .map_or_else(|| Arc::new(aws_lc_rs::default_provider()), Arc::clone);
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(failed)?;
    let verifier = Verifier::new_with_extra_roots(authorities, provider).map_err(failed)?;
    Ok(builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

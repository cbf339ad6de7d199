//! A client certificate: a chain and its key, out of PEM.
//!
//! On `Ok` the key is that of the chain's first certificate, so that no handshake can fail over that
//! later. The text is overwritten in memory with the last copy, and is in no message.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroize as _;

use crate::secret::Secret;

/// A certificate that a request or a fetch is sent with. Clones share it.
#[derive(Clone)]
pub struct ClientCertificate(Arc<Inner>);

struct Inner {
    names: [String; 2],
    chain: Secret,
    key: Secret,
    identity: Identity,
    certified: Arc<CertifiedKey>,
}

/// What decides who may share a connection: the chain, the key, and whose they are.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Identity([u8; 32]);

/// A value that makes no client certificate. Whoever gave it acts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` {flaw}")]
pub struct CertificateError {
    /// The value's name: `account/certificate`.
    pub name: String,
    /// What is wrong with it.
    pub flaw: CertificateFlaw,
}

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateFlaw {
    /// There is none.
    #[error("is needed for a client certificate, and is not there")]
    Missing,
    /// Not PEM, or PEM of something else; or a certificate that cannot be read.
    #[error("is not a certificate in PEM, nor a chain of them")]
    Chain,
    /// Not PEM, or PEM of something else; encrypted; or of a kind that is not known.
    #[error("is not an unencrypted private key in PEM, of RSA, ECDSA or Ed25519")]
    Key,
    /// Each is good, and they do not belong together.
    #[error("is not the private key of the certificate")]
    Mismatch,
}

/// Whether a text holds a chain, or a key: one half of a client certificate.
pub(crate) fn is_presentable(text: &str) -> bool {
    let pem = text.as_bytes();
    let chain = || CertificateDer::from_pem_slice(pem).is_ok();
    let key = || PrivateKeyDer::from_pem_slice(pem).map(|mut read| read.zeroize()).is_ok();
    key() || chain()
}

impl ClientCertificate {
    /// Reads a chain, its own certificate first, and its key. `names` are those of the values, for
    /// messages. `holder` is whose they are: others do not share a connection, though they give the
    /// same.
    pub fn parse(
        [chain_name, key_name]: [&str; 2],
        chain: &Secret,
        key: &Secret,
        holder: &[&str],
    ) -> Result<Self, CertificateError> {
        let failed = |name: &str, flaw| CertificateError { name: name.to_owned(), flaw };
        let no_chain = || failed(chain_name, CertificateFlaw::Chain);
        let certificates: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(chain.expose().as_bytes())
                .collect::<Result<_, _>>()
                .map_err(|_| no_chain())?;
        if certificates.is_empty() {
            return Err(no_chain());
        }
        let no_key = || failed(key_name, CertificateFlaw::Key);
        let mut read =
            PrivateKeyDer::from_pem_slice(key.expose().as_bytes()).map_err(|_| no_key())?;
        let signing = any_supported_type(&read);
        read.zeroize();
        let certified = CertifiedKey::new(certificates, signing.map_err(|_| no_key())?);
        match certified.keys_match() {
            Ok(()) => {}
            Err(rustls::Error::InconsistentKeys(_)) => {
                return Err(failed(key_name, CertificateFlaw::Mismatch));
            }
            Err(_) => return Err(no_chain()),
        }
        Ok(Self(Arc::new(Inner {
            names: [chain_name.to_owned(), key_name.to_owned()],
            identity: Identity::of(chain, key, holder),
            chain: chain.clone(),
            key: key.clone(),
            certified: Arc::new(certified),
        })))
    }

    /// The names of the values that it was made of: the chain's, and the key's.
    pub fn names(&self) -> [&str; 2] {
        self.0.names.each_ref().map(String::as_str)
    }

    /// The chain in PEM, its own certificate first.
    pub fn chain(&self) -> &Secret {
        &self.0.chain
    }

    /// The key in PEM.
    pub fn key(&self) -> &Secret {
        &self.0.key
    }

    pub(crate) fn identity(&self) -> Identity {
        self.0.identity
    }

    pub(super) fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.certified)
    }
}

impl Identity {
    fn of(chain: &Secret, key: &Secret, holder: &[&str]) -> Self {
        let mut hash = Sha256::new();
        // With their lengths, so that no two of them can be divided otherwise.
        for part in [chain.expose(), key.expose()].iter().chain(holder) {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Self(hash.finalize().into())
    }
}

#[cfg(test)]
mod tests;

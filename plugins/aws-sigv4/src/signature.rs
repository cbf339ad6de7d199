//! From a canonical request to its signature.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::{settings::Settings, stamp::Stamp};

pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The SHA-256 of no bytes at all.
pub(crate) const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Who signs, and when.
pub(crate) struct Signing<'a> {
    settings: &'a Settings<'a>,
    stamp: &'a Stamp,
}

impl<'a> Signing<'a> {
    pub(crate) fn new(settings: &'a Settings<'a>, stamp: &'a Stamp) -> Self {
        Self { settings, stamp }
    }

    /// `20150830/us-east-1/service/aws4_request`
    fn scope(&self) -> String {
        let Settings { region, service, .. } = self.settings;
        format!("{}/{region}/{service}/aws4_request", self.stamp.day())
    }

    /// Whose key it is, and what it is for.
    pub(crate) fn credential(&self) -> String {
        format!("{}/{}", self.settings.access_key_id, self.scope())
    }

    pub(crate) fn string_to_sign(&self, canonical: &[u8]) -> String {
        let digest = hex(&Sha256::digest(canonical));
        format!("{ALGORITHM}\n{}\n{}\n{digest}", self.stamp.time(), self.scope())
    }

    /// In hexadecimal.
    pub(crate) fn sign(&self, canonical: &[u8]) -> String {
        let Settings { region, service, secret_access_key, .. } = self.settings;
        let mut key = ["AWS4", secret_access_key].concat().into_bytes();
        for part in [self.stamp.day(), region, service, "aws4_request"] {
            key = mac(&key, part);
        }
        hex(&mac(&key, &self.string_to_sign(canonical)))
    }

    /// What goes into the header `Authorization`.
    pub(crate) fn authorization(&self, names: &str, signature: &str) -> String {
        let credential = self.credential();
        format!("{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}")
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // A key of any length will do (RFC 2104, section 2).
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// In lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

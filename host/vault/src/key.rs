//! The master key: what opens everything else, and is never in the database.
//!
//! A master key is 32 random bytes, written as 43 characters of base64url (RFC 4648, section 5). It
//! comes from a file that its owner alone can read, from an environment variable, or from a command
//! that prints it. It is known by its id, sixteen hexadecimal digits that tell nothing of the key:
//! the vault keeps that id beside what the key has sealed, so that a wrong key can be told from a
//! damaged database.

mod source;

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign::random::Random;
use zeroize::Zeroizing;

pub use source::{KeyError, KeySource};

/// Bytes of a key: AES-256.
pub(crate) const KEY_BYTES: usize = 32;

/// Characters of a key as text.
const TEXT: usize = 43;

/// A key that seals data keys. No `Debug`; overwritten when dropped.
pub struct MasterKey {
    bytes: Zeroizing<[u8; KEY_BYTES]>,
    id: MasterKeyId,
}

/// What a master key is known by; tells nothing of the key.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKeyId(String);

impl MasterKey {
    /// A new one.
    pub fn generate(random: &dyn Random) -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        random.fill(&mut bytes[..]).map_err(|_| KeyError::NoRandomness)?;
        Ok(Self::of(bytes))
    }

    /// Reads 43 characters of base64url; blanks around them are left out.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.len() != TEXT {
            return Err(KeyError::Malformed);
        }
        let decoded = URL_SAFE_NO_PAD.decode(text).map(Zeroizing::new);
        let decoded = decoded.map_err(|_| KeyError::Malformed)?;
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        if decoded.len() != KEY_BYTES {
            return Err(KeyError::Malformed);
        }
        bytes.copy_from_slice(&decoded);
        Ok(Self::of(bytes))
    }

    /// As [`MasterKey::parse`] reads it. Whoever calls this writes the key down.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(&self.bytes[..]))
    }

    /// What it is known by.
    pub fn id(&self) -> &MasterKeyId {
        &self.id
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.bytes
    }

    fn of(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        const LABEL: &[u8] = b"countersign master key id\0";
        let labelled = Zeroizing::new([LABEL, &bytes[..]].concat());
        let hash = digest(&SHA256, &labelled);
        let id = hash.as_ref().iter().take(8).fold(0_u64, |id, byte| id << 8 | u64::from(*byte));
        Self { bytes, id: MasterKeyId(format!("{id:016x}")) }
    }
}

impl MasterKeyId {
    /// As the vault has kept it.
    pub(crate) fn of(text: String) -> Self {
        Self(text)
    }

    /// Sixteen hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;

//! Clients, their roles, and the hashes of their secrets.

use std::collections::BTreeSet;
use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};

/// What a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Send requests through the proxy.
    Proxy,
    /// Read and change providers, connections and accounts; never see a secret.
    Manage,
    /// Read secrets.
    Reveal,
}

/// Whoever may call. Its secret is known by its hash alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// `skc_` and digits, or what the operator chose for the first one.
    pub id: String,
    /// For people.
    pub name: String,
    /// What it may do.
    pub roles: BTreeSet<Role>,
    /// Names of the connections that it is limited to.
    pub connections: Option<Vec<String>>,
    /// Identifiers of the accounts that it is limited to.
    pub identifiers: Option<Vec<String>>,
    /// When it was made.
    pub created_at: u64,
    /// When it was last changed.
    pub updated_at: u64,
    /// When it was revoked.
    pub revoked_at: Option<u64>,
}

/// A client to be made.
#[derive(Clone, Debug)]
pub struct NewClient {
    /// Its id, where the operator chose one.
    pub id: Option<String>,
    /// For people.
    pub name: String,
    /// Of its secret.
    pub secret_hash: Hash,
    /// What it may do.
    pub roles: BTreeSet<Role>,
    /// See [`Client::connections`].
    pub connections: Option<Vec<String>>,
    /// See [`Client::identifiers`].
    pub identifiers: Option<Vec<String>>,
}

/// The SHA-256 of a secret that is random enough (32 bytes) not to be guessed from it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// Of a client's secret or a token.
    pub fn of(secret: &str) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, secret.as_bytes()).as_ref());
        Self(hash)
    }

    /// Whether they are equal, in a time that tells nothing.
    pub fn matches(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }

    /// Reads what [`Hash::text`] gives.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut hash = [0; 32];
        let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
        if digits.len() != 2 * hash.len() {
            return None;
        }
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = u8::try_from(pair[0] << 4 | pair[1]).ok()?;
        }
        Some(Self(hash))
    }

    /// Hexadecimal.
    pub(crate) fn text(&self) -> String {
        self.0.iter().fold(String::new(), |mut text, byte| {
            text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or_default());
            text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or_default());
            text
        })
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash")
    }
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Proxy, Self::Manage, Self::Reveal];

    /// As documents write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Manage => "manage",
            Self::Reveal => "reveal",
        }
    }

    /// Reads it back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

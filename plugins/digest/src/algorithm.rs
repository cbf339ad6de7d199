//! The digests of RFC 7616, section 3.3, and what each asks to see of a body.

use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};

/// A hash, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hash {
    Md5,
    Sha256,
    Sha512_256,
}

/// What a challenge calls an algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Algorithm {
    pub(crate) hash: Hash,
    /// Whether the key is made once a session: `-sess`.
    pub(crate) session: bool,
}

const NAMES: [(&str, Hash); 3] =
    [("MD5", Hash::Md5), ("SHA-256", Hash::Sha256), ("SHA-512-256", Hash::Sha512_256)];

impl Algorithm {
    /// What stands for a challenge that names none.
    pub(crate) const UNNAMED: Self = Self { hash: Hash::Md5, session: false };

    /// In whatever case; `None` where it is none of these.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let plain = name.len().checked_sub("-sess".len()).filter(|&at| name.is_char_boundary(at));
        let (name, session) = match plain.map(|at| name.split_at(at)) {
            Some((plain, end)) if end.eq_ignore_ascii_case("-sess") => (plain, true),
            _ => (name, false),
        };
        let hash = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?.1;
        Some(Self { hash, session })
    }

    /// As the registry writes it.
    pub(crate) fn name(self) -> String {
        let name = NAMES.iter().find(|(_, hash)| *hash == self.hash).map_or("", |(name, _)| name);
        [name, if self.session { "-sess" } else { "" }].concat()
    }
}

impl Hash {
    /// H of the RFC: the parts with a colon between any two, in lower-case hexadecimal.
    pub(crate) fn of(self, parts: &[&[u8]]) -> String {
        let whole = parts.join(&b':');
        match self {
            Self::Md5 => hex(&Md5::digest(&whole)),
            Self::Sha256 => hex(&Sha256::digest(&whole)),
            Self::Sha512_256 => hex(&Sha512_256::digest(&whole)),
        }
    }

    /// The part of a request that shows the body as this hash needs it. The host has no SHA-512/256.
    pub(crate) fn wish(self) -> &'static str {
        match self {
            Self::Md5 => "body/md5",
            Self::Sha256 => "body/sha-256",
            Self::Sha512_256 => "body/bytes",
        }
    }

    /// Bytes of a digest, which tell the two apart that the host can show.
    pub(crate) fn length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha256 | Self::Sha512_256 => 32,
        }
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

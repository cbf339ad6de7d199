//! Which limits a guest runs under: those of all plugins, or those of guests that carry an
//! interpreter.
//!
//! An interpreter begins with more memory and more core instances than a whole plugin in Rust has,
//! and takes longer to say the same. Its limits are no default, because every plugin would have
//! them: an operator says which guests have them, by name or by digest. A guest cannot ask for them.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use super::{Digest, Limits};

/// One of the two sets of limits that a sandbox has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// That of every guest of which nothing else is said.
    Plain,
    /// That of guests which carry an interpreter.
    Interpreted,
}

/// A guest that carries an interpreter, as an operator names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// By the stem of its file, or its bundled name: whatever that file comes to hold.
    Name(String),
    /// By its bytes.
    Digest(Digest),
}

impl Chosen {
    /// Whether it is this one.
    pub fn is(&self, name: &str, digest: Digest) -> bool {
        match self {
            Self::Name(chosen) => chosen == name,
            Self::Digest(chosen) => *chosen == digest,
        }
    }
}

impl FromStr for Chosen {
    type Err = Infallible;

    /// What reads as a digest is one; anything else is a name.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Digest))
    }
}

impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Digest(digest) => write!(f, "sha256:{digest}"),
        }
    }
}

/// What a sandbox has for guests that carry an interpreter.
pub(super) struct Interpreted {
    pub(super) limits: Limits,
    pub(super) chosen: Vec<Chosen>,
}

impl Default for Interpreted {
    fn default() -> Self {
        Self { limits: Limits::interpreted(), chosen: Vec::new() }
    }
}

impl Interpreted {
    pub(super) fn profile(&self, name: &str, digest: Digest) -> Profile {
        if self.chosen.iter().any(|chosen| chosen.is(name, digest)) {
            Profile::Interpreted
        } else {
            Profile::Plain
        }
    }
}

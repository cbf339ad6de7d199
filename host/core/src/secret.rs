//! A value that must not be seen.
//!
//! [`Secret`] has no `Debug`, no `Display` and no `Serialize`, so that it cannot reach a log, an
//! error or a report by accident; the one way to its text is [`Secret::expose`], which is easy to
//! search for. Its memory is overwritten when it is dropped. [`Masker`] is the second line: it
//! finds the secrets that it knows in text that came from elsewhere (a plugin's message, an
//! upstream's error) in the encodings that are common on the wire.

mod masker;

pub use masker::{MASK, Masker};

use serde::{Deserialize, Deserializer};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Text that is overwritten in memory when dropped and that no format macro accepts.
///
/// ```compile_fail
/// println!("{:?}", countersign::secret::Secret::new("hunter2".to_owned()));
/// ```
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret(String);

impl Secret {
    /// Takes the text over; the caller keeps no copy.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself. Every caller is a place where a secret leaves its shelter.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

//! A plugin's "no", made fit to be passed on.
//!
//! What a guest says is untrusted: it may hold control characters, a secret, or a novel. Out of
//! here comes one masked line of at most 200 characters, for operators; callers are shown the
//! reason, and the field where there is one.

use std::fmt;
use std::time::Duration;

use crate::code::Code;
use crate::contract::types;
use crate::secret::Masker;

/// Longest text of a guest that is passed on, in characters (the contract's own number).
const LONGEST: usize = 200;

/// Bytes of a guest's text that are looked at: masking costs time on the host's own threads.
const MOST_READ: usize = 16 << 10;

/// Who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Whoever configures: a value is missing or malformed.
    InvalidConfig,
    /// The user: the credential is revoked or expired for good.
    Reauthorize,
    /// The provider: it says no to this account.
    Denied,
    /// Nobody: ask again later.
    Unavailable,
    /// The caller: this request cannot be authorized.
    InvalidRequest,
}

impl Reason {
    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        self.kind().as_str()
    }

    /// The code, with who must act and how.
    pub fn kind(self) -> Code {
        match self {
            Self::InvalidConfig => Code::INVALID_CONFIG,
            Self::Reauthorize => Code::REAUTHORIZE,
            Self::Denied => Code::DENIED,
            Self::Unavailable => Code::UNAVAILABLE,
            Self::InvalidRequest => Code::INVALID_REQUEST,
        }
    }
}

/// A plugin's refusal: the request was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// Who has to act.
    pub reason: Reason,
    /// The name of the value at fault, for example `account/username`.
    pub field: Option<String>,
    /// For operators: one line, masked.
    pub message: String,
    /// When to ask again.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    pub(crate) fn from_guest(raw: types::Refusal, masker: &Masker) -> Self {
        let reason = match raw.reason {
            types::Reason::InvalidConfig => Reason::InvalidConfig,
            types::Reason::Reauthorize => Reason::Reauthorize,
            types::Reason::Denied => Reason::Denied,
            types::Reason::Unavailable => Reason::Unavailable,
            types::Reason::InvalidRequest => Reason::InvalidRequest,
        };
        Self {
            reason,
            field: raw.field.filter(|name| is_name(name) && !masker.finds(name)),
            message: for_operators(&raw.message, masker),
            retry_after: raw.retry_after.map(|seconds| Duration::from_secs(seconds.into())),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        match &self.field {
            Some(field) if !self.message.contains(field.as_str()) => write!(f, " ({field})"),
            _ => Ok(()),
        }
    }
}

/// One masked line out of whatever a guest wrote.
pub(crate) fn for_operators(text: &str, masker: &Masker) -> String {
    let (masked, cut) = match text.char_indices().map(|(at, _)| at).find(|at| *at >= MOST_READ) {
        // Masked before it is cut for show, or the part of a secret at that cut would stay.
        None => (masker.mask(text), 0),
        // A novel: the part of a secret at this cut goes with the end.
        Some(end) => (masker.mask(&text[..end]), masker.longest()),
    };
    let masked = masked.get(..masked.floor_char_boundary(masked.len().saturating_sub(cut)));
    let masked = masked.unwrap_or_default();
    let line = masked.split(char::is_control).filter(|part| !part.is_empty());
    let line: String = line.collect::<Vec<_>>().join(" ");
    line.chars().take(LONGEST).collect()
}

/// A value's name, as the contract spells them.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= LONGEST
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-./*".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn a_novel_shows_no_part_of_a_secret_where_it_is_cut() {
        // Long enough that few masks stand before the cut, and the cut falls within one.
        let secret = format!("canary-{}", "0123456789abcdef".repeat(100));
        let masker = Masker::new([&Secret::from(secret.as_str())]);
        let shown = for_operators(&secret.repeat(20), &masker);
        assert!(!shown.contains("canary") && !shown.contains("0123456789"), "{shown}");
    }

    #[test]
    fn a_message_is_one_masked_line_of_at_most_200_characters() {
        let masker = Masker::new([&Secret::from("hunter2-hunter2")]);
        assert_eq!(for_operators("a\r\nb: hunter2-hunter2", &masker), "a b: [masked]");
        // The cut for show falls within the secret, and the mask is there first.
        let text = format!("{}hunter2-hunter2", "x".repeat(190));
        let shown = for_operators(&text, &masker);
        assert_eq!(shown, format!("{}[masked]", "x".repeat(190)));
        assert_eq!(for_operators(&"é".repeat(300), &masker).chars().count(), 200);
    }
}

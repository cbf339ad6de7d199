//! What a plugin asks leave for: a verb and an object, in words that an operator can read.
//!
//! [`Needs::parse`] takes the entries of a plugin's descriptor, or of an operator's policy, which
//! uses the same words. On `Ok`, every verb and every object is one that this host knows; what it
//! does not know, or what would grant everything, is refused and never ignored.
//!
//! | verb | objects |
//! | --- | --- |
//! | `read` | values: `provider/` `pattern/` `connection/` `shared/` `account/` `state/` `grant/`; of the request: `header/` `query/` `cookie/` `path` `origin` `body`; of a reply: `reply/body` `reply/header/` |
//! | `write` | `header/` `query/` `cookie/` `path` `origin` `body` `state/` `shared/` `client-certificate` `client-certificate/` `own-connection` |
//! | `fetch`, `visit` | a value that holds the URL: `provider/` `pattern/` `connection/` `shared/` `state/` |
//! | `send` | `bare` |
//!
//! What may be presented as a client certificate is named by `client-certificate/account/key`, and is not
//! shown; `client-certificate` alone lets the plugin choose among what it may read.
//!
//! `read X` grants X and all below `X/`; the other verbs grant exactly what they name. A `*` stands
//! for any text within one segment, at most once in it. `{name}` is a whole segment and stands for
//! each value of that name, which must be the provider's, the pattern's or the connection's: never
//! one that an account holder or a reply chose. It is filled once, and what it is filled with is
//! taken literally, braces and asterisks too. Header names are compared without regard to case.
//!
//! [`Needs::resolve`] fills the references for one pattern and connection; the [`Granted`] that
//! comes of it is what every later check asks, and is kept for as long as the two stay as they are.

mod granted;
pub(crate) mod header;
mod object;

pub use granted::{Flaw, Granted, Ungranted};

use std::fmt;

use granted::Layer;
use object::Object;

use crate::values::Values;

/// More than any plugin asks for; a bound on what a hostile descriptor makes the host hold.
const MAX_NEEDS: usize = 256;

/// What a plugin asks leave for, as far as the operator lets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    own: Vec<Need>,
    /// Each grants nothing by itself: a name must be granted by `own` and by all of these.
    limits: Vec<Vec<Need>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Need {
    verb: Verb,
    text: String,
    object: Object,
}

/// What is to be done with the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// See a value or a part of a message.
    Read,
    /// Change a part of the request, or keep a value.
    Write,
    /// Have the host send a request to the URL that the value holds.
    Fetch,
    /// Have the host send the user's browser to it.
    Visit,
    /// Let a request go out without a credential.
    Send,
}

/// The plugin's author has to act, or whoever wrote the policy.
///
/// What is quoted came from a descriptor or a policy, before any secret was near; it is escaped
/// and cut short.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NeedsError {
    /// This host has no such verb.
    #[error("unknown verb `{0}`")]
    UnknownVerb(String),
    /// The verb has no such object.
    #[error("`{verb}` has no object `{object}` (it has {})", object::listed(*verb))]
    UnknownObject {
        /// The verb it was given to.
        verb: Verb,
        /// As it was written.
        object: String,
    },
    /// The object is not well formed.
    #[error("`{object}` is malformed: {why}")]
    Malformed {
        /// As it was written.
        object: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The object would stand for everything of its kind.
    #[error("`{0}` would grant everything of its kind")]
    Everything(String),
    /// A reference may only be to what the provider or the connection says.
    #[error("`{0}` refers to something outside provider/, pattern/ and connection/")]
    Reference(String),
    /// More needs than the host reads.
    #[error("more than {MAX_NEEDS} needs")]
    TooMany,
}

impl Needs {
    /// Reads entries of verb and object. An error names the first that is wrong.
    pub fn parse(entries: &[(String, String)]) -> Result<Self, NeedsError> {
        if entries.len() > MAX_NEEDS {
            return Err(NeedsError::TooMany);
        }
        let own = entries.iter().map(|(verb, object)| Need::parse(verb, object));
        Ok(Self { own: own.collect::<Result<_, _>>()?, limits: Vec::new() })
    }

    /// These needs, as far as `allowed` grants them too. Nothing that only one of the two grants
    /// is left.
    pub fn narrowed(&self, allowed: &Self) -> Self {
        let mut narrowed = self.clone();
        narrowed.limits.push(allowed.own.clone());
        narrowed.limits.extend_from_slice(&allowed.limits);
        narrowed
    }

    /// The entries as the plugin wrote them, for an operator's eyes.
    pub fn entries(&self) -> impl Iterator<Item = (Verb, &str)> {
        self.own.iter().map(|need| (need.verb, need.text.as_str()))
    }

    /// Fills the references from the values of one pattern and connection. Other values are not
    /// looked at, so the answer holds for every account under that connection.
    pub fn resolve(&self, values: &Values) -> Granted {
        let mut ungranted = Vec::new();
        let own = Layer::resolve(&self.own, values, &mut ungranted);
        let limits = self.limits.iter();
        let limits = limits.map(|limit| Layer::resolve(limit, values, &mut ungranted)).collect();
        Granted::new(own, limits, ungranted)
    }
}

impl Need {
    fn parse(verb: &str, object: &str) -> Result<Self, NeedsError> {
        let verb = Verb::parse(verb).ok_or_else(|| NeedsError::UnknownVerb(clipped(verb)))?;
        Ok(Self { verb, text: object.to_owned(), object: Object::parse(verb, object)? })
    }
}

impl Verb {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "read" => Self::Read,
            "write" => Self::Write,
            "fetch" => Self::Fetch,
            "visit" => Self::Visit,
            "send" => Self::Send,
            _ => return None,
        })
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Fetch => "fetch",
            Self::Visit => "visit",
            Self::Send => "send",
        })
    }
}

/// One line, of a length that fits an error message.
fn clipped(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests;

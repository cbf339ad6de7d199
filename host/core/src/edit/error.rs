//! Why edits were refused: the kind of edit and its name, never a value.
//!
//! Names are the plugin's choice. They have been parsed, are escaped and cut short, and stand only
//! where they tell an operator something; but a hostile plugin can spell a secret with one, so this
//! text goes through the masker like any that a plugin had a hand in.

use std::error::Error;
use std::fmt;

use crate::contract::authorizer::Edit as Asked;

/// Nothing has been changed and nothing may be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The plugin did not ask leave for this, or the operator did not give it. The plugin's author
    /// has to act, or the operator.
    #[error("{0} is outside what the plugin may do")]
    NotGranted(EditName),
    /// A header that only the host writes, or only a provider that names it. The plugin's author
    /// has to act.
    #[error("{0} is not for a plugin to write")]
    Forbidden(EditName),
    /// A name that cannot be sent. The plugin's author has to act, or whoever wrote the provider.
    #[error("{0}: malformed name")]
    Name(EditName),
    /// A value that cannot be sent. Whoever gave the value has to act, mostly the account's holder.
    #[error("{edit}: {flaw}")]
    Value {
        /// What it was for.
        edit: EditName,
        /// What is wrong with it.
        flaw: Flaw,
    },
    /// Two edits on one name, of which one would undo the other. The plugin's author has to act, or
    /// whoever wrote a provider that places two fields under one name.
    #[error("{0} comes twice")]
    Twice(EditName),
    /// The edits put nothing on the request. The plugin's author has to act.
    #[error("no credential was put on the request")]
    Bare,
    /// The plugin's author has to act.
    #[error("more than {limit} edits")]
    TooMany {
        /// The most there may be.
        limit: usize,
    },
    /// The plugin's author has to act, or whoever gave an overlong value.
    #[error("edits of more than {limit} bytes")]
    TooLarge {
        /// In bytes.
        limit: usize,
    },
    /// The caller has to send less, or the operator to allow more.
    #[error("a new body of more than {limit} bytes")]
    BodyTooLarge {
        /// In bytes.
        limit: usize,
    },
    /// The caller has to send fewer.
    #[error("more than {limit} headers")]
    TooManyHeaders {
        /// The most there may be.
        limit: usize,
    },
    /// Whoever wrote the provider has to list the origin, if it is one to trust.
    #[error("set-origin: the provider does not list this origin")]
    OriginNotListed,
    /// The edited URL is not below the provider's. The plugin's author has to act.
    #[error("the edited URL is outside the provider's")]
    OutsideBase(#[source] Box<dyn Error + Send + Sync>),
}

impl EditError {
    /// The same without the edit's name, for a log: a plugin may have made one of a secret, and a name is
    /// spelt and cut in ways that no masker would know it by.
    pub(crate) fn nameless(&self) -> String {
        match self {
            Self::NotGranted(edit) => Self::NotGranted(edit.nameless()).to_string(),
            Self::Forbidden(edit) => Self::Forbidden(edit.nameless()).to_string(),
            Self::Name(edit) => Self::Name(edit.nameless()).to_string(),
            Self::Value { edit, flaw } => {
                Self::Value { edit: edit.nameless(), flaw: *flaw }.to_string()
            }
            Self::Twice(edit) => Self::Twice(edit.nameless()).to_string(),
            Self::Bare
            | Self::TooMany { .. }
            | Self::TooLarge { .. }
            | Self::BodyTooLarge { .. }
            | Self::TooManyHeaders { .. }
            | Self::OriginNotListed
            | Self::OutsideBase(_) => self.to_string(),
        }
    }
}

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// An empty credential is none.
    #[error("the value is empty")]
    Empty,
    /// CR, LF, NUL, the tab, or another control character.
    #[error("the value holds a control character")]
    Control,
    /// Each character of a header value is one byte.
    #[error("the value holds a character above U+00FF")]
    Wide,
    /// Servers trim these, or do not.
    #[error("the value begins or ends with a blank")]
    Blank,
    /// Not among those of RFC 6265, section 4.1.1, for a cookie, or RFC 3986 for a path.
    #[error("the value holds a character that has to be encoded there")]
    Character,
    /// A path that climbs, or does not start at the root.
    #[error("the path does not stand by itself")]
    Path,
    /// More than scheme, host and port, or not http.
    #[error("the value is not an origin")]
    Origin,
}

/// An edit, in words: `set-header x-api-key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditName {
    kind: &'static str,
    name: Option<String>,
}

impl EditName {
    pub(super) fn kind(kind: &'static str) -> Self {
        Self { kind, name: None }
    }

    pub(super) fn new(kind: &'static str, name: &str) -> Self {
        Self::kind(kind).on(name)
    }

    pub(super) fn of(asked: &Asked) -> Self {
        Self::kind(match asked {
            Asked::SetHeader(_) => "set-header",
            Asked::AppendHeader(_) => "append-header",
            Asked::RemoveHeader(_) => "remove-header",
            Asked::SetQuery(_) => "set-query",
            Asked::AppendQuery(_) => "append-query",
            Asked::SetCookie(_) => "set-cookie",
            Asked::SetPath(_) => "set-path",
            Asked::SetOrigin(_) => "set-origin",
            Asked::SetBody(_) => "set-body",
            Asked::ClientCertificate(_) => "client-certificate",
            Asked::OwnConnection => "own-connection",
        })
    }

    fn nameless(&self) -> Self {
        Self::kind(self.kind)
    }

    /// The same edit, now that its name is known to be one.
    pub(super) fn on(self, name: &str) -> Self {
        let name = name.chars().take(64).flat_map(char::escape_debug).collect();
        Self { name: Some(name), ..self }
    }
}

impl fmt::Display for EditName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            None => f.write_str(self.kind),
            Some(name) => write!(f, "{} {name}", self.kind),
        }
    }
}

//! What a step leaves for the next one, as a form.
//!
//! The host keeps it sealed and gives it back as it was; one that does not read back is refused.

use countersign_plugin::{Refusal, find, form};

use crate::temporary::Credentials;

/// Where a grant stands.
pub(crate) enum Cursor {
    /// The server was asked for temporary credentials.
    Requested,
    /// The user is away with these, consenting.
    Away(Credentials),
    /// They were sent back to be exchanged.
    Exchanged,
}

impl Cursor {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let pairs = match self {
            Self::Requested => vec![("step", "requested")],
            Self::Away(Credentials { token, secret }) => {
                vec![("step", "away"), ("token", token), ("secret", secret)]
            }
            Self::Exchanged => vec![("step", "exchanged")],
        };
        form::join(pairs).into_bytes()
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let unreadable = || Refusal::reauthorize("the grant has lost its place");
        let pairs = std::str::from_utf8(bytes).ok().and_then(form::split).unwrap_or_default();
        let value = |name| find(&pairs, name).map(str::to_owned).ok_or_else(unreadable);
        match find(&pairs, "step").unwrap_or_default() {
            "requested" => Ok(Self::Requested),
            "away" => {
                Ok(Self::Away(Credentials { token: value("token")?, secret: value("secret")? }))
            }
            "exchanged" => Ok(Self::Exchanged),
            _ => Err(unreadable()),
        }
    }
}

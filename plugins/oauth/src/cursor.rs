//! What a step leaves for the next one, as a form.
//!
//! The host keeps it sealed and gives it back as it was; one that does not read back is refused.

use countersign_plugin::{Refusal, State, find, form};

use crate::token::Origin;

/// Where a flow stands.
pub(crate) enum Cursor {
    /// The user is away, consenting.
    Callback(Waiting),
    /// The token endpoint was asked.
    Token(Origin),
    /// There is a state, and the server was asked who the user is.
    UserInfo(State),
    /// The token was given back.
    Revoked,
}

/// What the callback is checked against, and its code redeemed with.
pub(crate) struct Waiting {
    pub(crate) state_token: String,
    pub(crate) verifier: String,
    pub(crate) redirect_uri: String,
}

const SECRET: &str = "secret/";
const ATTRIBUTE: &str = "attribute/";

impl Cursor {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut pairs: Vec<(String, &str)> = Vec::new();
        let mut push = |name: &str, value| pairs.push((name.to_owned(), value));
        let seconds;
        match self {
            Self::Callback(waiting) => {
                push("step", "callback");
                push("state", &waiting.state_token);
                push("verifier", &waiting.verifier);
                push("redirect_uri", &waiting.redirect_uri);
            }
            Self::Token(origin) => push("step", origin.name()),
            Self::UserInfo(state) => {
                push("step", "user_info");
                for (name, value) in &state.secrets {
                    push(&[SECRET, name].concat(), value);
                }
                for (name, value) in &state.attributes {
                    push(&[ATTRIBUTE, name].concat(), value);
                }
                if let Some(expires) = state.expires_after {
                    seconds = expires.to_string();
                    push("expires_in", &seconds);
                }
            }
            Self::Revoked => push("step", "revoked"),
        }
        form::join(pairs.iter().map(|(name, value)| (name.as_str(), *value))).into_bytes()
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let pairs = std::str::from_utf8(bytes).ok().and_then(form::split).unwrap_or_default();
        let value = |name| find(&pairs, name).map(str::to_owned).ok_or_else(unreadable);
        match find(&pairs, "step").unwrap_or_default() {
            "callback" => Ok(Self::Callback(Waiting {
                state_token: value("state")?,
                verifier: value("verifier")?,
                redirect_uri: value("redirect_uri")?,
            })),
            "user_info" => {
                let mut state = State::empty();
                for (name, value) in &pairs {
                    if let Some(name) = name.strip_prefix(SECRET) {
                        state = state.secret(name, value);
                    } else if let Some(name) = name.strip_prefix(ATTRIBUTE) {
                        state = state.attribute(name, value);
                    }
                }
                let seconds = find(&pairs, "expires_in").and_then(|seconds| seconds.parse().ok());
                Ok(Self::UserInfo(state.expires_in(seconds)))
            }
            "revoked" => Ok(Self::Revoked),
            other => Origin::of(other).map(Self::Token).ok_or_else(unreadable),
        }
    }
}

fn unreadable() -> Refusal {
    Refusal::reauthorize("the flow has lost its place")
}

//! From a request to the token endpoint to the account's new state.

use countersign_plugin::{
    Account, HttpResponse, Refusal, State, Step,
    flow::{Client, Token, json::Value},
};

use crate::{REFRESH, TOKEN_URI, cursor::Cursor};

const ATTRIBUTES: &str = "pattern/oauth_config/attributes/";

/// Attributes that a refresh hands on where the answer has nothing newer.
pub(crate) const KEPT: &[&str] =
    &["state/scope", "state/user_sub", "state/user_email", "state/user_name"];

/// What the token was asked for with.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Origin {
    Code,
    Refresh,
    ClientCredentials,
}

impl Origin {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Refresh => "refresh",
            Self::ClientCredentials => "client_credentials",
        }
    }

    pub(crate) fn of(name: &str) -> Option<Self> {
        let all = [Self::Code, Self::Refresh, Self::ClientCredentials];
        all.into_iter().find(|origin| origin.name() == name)
    }
}

/// Asks the token endpoint.
pub(crate) fn fetch(
    account: &Account,
    form: &[(&str, &str)],
    origin: Origin,
) -> Result<Step, Refusal> {
    let url = account.require(TOKEN_URI)?;
    Ok(Step::fetch(Client::of(account)?.post(url, form), Cursor::Token(origin).bytes()))
}

/// What is kept from its answer.
///
/// A refresh hands on what the answer is silent about: the refresh token (RFC 6749, section 6),
/// the scope, and the attributes. A new grant does not: it may be another user's.
pub(crate) fn state(
    account: &Account,
    reply: &HttpResponse,
    origin: Origin,
) -> Result<State, Refusal> {
    let token = Token::read(reply)?;
    let old = |name: &str| match origin {
        Origin::Refresh => account.value(name),
        Origin::Code | Origin::ClientCredentials => None,
    };
    let mut state =
        State::empty().secret("access_token", &token.access).expires_in(token.expires_in);
    // Section 4.4.3: client credentials have none, whatever the server sends.
    if origin != Origin::ClientCredentials
        && let Some(refresh) = token.refresh.as_deref().or(old(REFRESH))
    {
        state = state.secret("refresh_token", refresh);
    }
    for &name in KEPT {
        let newer = token.scope.as_deref().filter(|_| name == "state/scope");
        if let Some(value) = newer.or(old(name)) {
            state = state.attribute(name.trim_start_matches("state/"), value);
        }
    }
    for (_, name) in account.under(ATTRIBUTES) {
        if is_taken(name) {
            continue;
        }
        let newer = match token.reply.member(name) {
            Some(Value::Text(text)) => Some(text.clone()),
            Some(Value::Integer(number)) => Some(number.to_string()),
            _ => None,
        };
        let kept = || old(&["state/", name].concat()).map(str::to_owned);
        if let Some(value) = newer.or_else(kept) {
            state = state.attribute(name, &value);
        }
    }
    Ok(state)
}

/// Names that no pattern can have made public, or has a say in.
fn is_taken(name: &str) -> bool {
    matches!(name, "access_token" | "refresh_token" | "id_token")
        || KEPT.iter().any(|kept| kept.strip_prefix("state/") == Some(name))
}

//! What a server answers with credentials (sections 2.1 and 2.3), judged.
//!
//! Either the whole answer makes sense, or it is a refusal that says who has to act. Nothing that a
//! server wrote is repeated.

use countersign_plugin::{Entry, HttpResponse, Refusal, find, form, header};

use crate::{REQUEST_TOKEN_URI, TOKEN_URI};

/// The longest token or secret taken, in bytes.
const LONGEST: usize = 4 << 10;

/// A token and its secret, of a client or of a user.
pub(crate) struct Credentials {
    pub(crate) token: String,
    /// May be empty: it is still a secret that the server chose.
    pub(crate) secret: String,
}

/// Which answer it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Temporary,
    Token,
}

/// The credentials of an answer, and all that came with them.
pub(crate) fn read(reply: &HttpResponse, kind: Kind) -> Result<(Credentials, Vec<Entry>), Refusal> {
    if !(200..300).contains(&reply.status) {
        return Err(refused(reply, kind));
    }
    let text = std::str::from_utf8(&reply.body).ok();
    let pairs = text.and_then(form::split).ok_or_else(|| odd("is no form"))?;
    let repeats = |name| pairs.iter().filter(|(found, _)| found == name).count() > 1;
    if ["oauth_token", "oauth_token_secret", "oauth_callback_confirmed"].into_iter().any(repeats) {
        return Err(odd("repeats a parameter"));
    }
    let value = |name, what| find(&pairs, name).ok_or_else(|| odd(what));
    let credentials = Credentials {
        token: value("oauth_token", "holds no token")?.to_owned(),
        secret: value("oauth_token_secret", "holds no token secret")?.to_owned(),
    };
    if credentials.token.is_empty() {
        return Err(odd("holds no token"));
    }
    for part in [&credentials.token, &credentials.secret] {
        if part.len() > LONGEST || header::check("", part).is_err() {
            return Err(odd("holds a token that is none"));
        }
    }
    // Without it the server speaks OAuth 1.0, whose grants somebody else may finish.
    let confirmed = find(&pairs, "oauth_callback_confirmed") == Some("true");
    if kind == Kind::Temporary && !confirmed {
        return Err(Refusal::invalid_config(
            REQUEST_TOKEN_URI,
            "the server does not confirm the callback, as OAuth 1.0a has it",
        ));
    }
    Ok((credentials, pairs))
}

fn refused(reply: &HttpResponse, kind: Kind) -> Refusal {
    let uri = match kind {
        Kind::Temporary => REQUEST_TOKEN_URI,
        Kind::Token => TOKEN_URI,
    };
    let at_uri = |message| Refusal::invalid_config(uri, message);
    let refusal = match (reply.status, kind) {
        (429, _) => Refusal::unavailable("the server asks to slow down"),
        (500.., _) => Refusal::unavailable("the server has failed"),
        (300..=399, _) => at_uri("the server answers with a redirect"),
        (404 | 405 | 410, _) => at_uri("there is no such endpoint"),
        (401, Kind::Temporary) => Refusal::invalid_config(
            "connection/client_id",
            "the server takes neither key nor signature",
        ),
        (401, Kind::Token) => Refusal::reauthorize("the server does not take what it has granted"),
        (400, Kind::Temporary) => at_uri("the server does not take the request for credentials"),
        _ => Refusal::denied("the server says no"),
    };
    refusal.retry_after(reply.retry_after())
}

fn odd(what: &str) -> Refusal {
    Refusal::unavailable(&["the server's answer ", what].concat())
}

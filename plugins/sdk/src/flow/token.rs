//! What a token endpoint answers (RFC 6749, section 5), judged.
//!
//! Servers answer in odder ways than the RFC has: a page of HTML, 200 with an error, a lifetime
//! that is a string or below zero. Either the whole answer makes sense and gives a [`Token`], or it
//! is a refusal that says who has to act; there is nothing in between.

use crate::{
    HttpResponse, Refusal,
    flow::json::{Object, Value},
    header,
};

/// The longest token taken. Nothing longer would pass as a header.
const TOKEN_BYTES: usize = 16 * 1024;

/// The longest answer looked at, as the host has it.
const REPLY_BYTES: usize = 256 * 1024;

/// A token that can be used.
pub struct Token {
    /// Fit for a header.
    pub access: String,
    /// `None` leaves the one that was there (section 6).
    pub refresh: Option<String>,
    /// Seconds. `None` where the server did not say, or said 0: it is then good until it is
    /// rejected.
    pub expires_in: Option<u32>,
    /// `None` means what was asked for (section 5.1).
    pub scope: Option<String>,
    /// All that the server sent, for what a provider adds.
    pub reply: Object,
}

impl Token {
    /// Reads the answer of a token endpoint.
    pub fn read(reply: &HttpResponse) -> Result<Self, Refusal> {
        if reply.body.len() > REPLY_BYTES {
            return Err(odd("is too long"));
        }
        let object = Object::parse(&reply.body);
        let says_error = object.as_ref().is_some_and(|object| object.member("error").is_some());
        if !(200..300).contains(&reply.status) || says_error {
            return Err(error(reply));
        }
        let object = object.ok_or_else(|| odd("is not JSON"))?;
        let access = token(&object, "access_token")?.ok_or_else(|| odd("holds no access token"))?;
        header::check("state/access_token", &access)
            .map_err(|_| odd("holds an access token that no header can carry"))?;
        if !object.text("token_type").is_none_or(|kind| kind.eq_ignore_ascii_case("bearer")) {
            return Err(Refusal::invalid_config(
                "pattern/oauth_config/token_uri",
                "the token endpoint gives tokens of another type than bearer",
            ));
        }
        Ok(Self {
            access,
            refresh: token(&object, "refresh_token")?,
            expires_in: lifetime(&object)?,
            scope: object.text("scope").map(str::to_owned),
            reply: object,
        })
    }
}

/// Why a token or revocation endpoint said no.
pub fn error(reply: &HttpResponse) -> Refusal {
    let refusal = match reply.status {
        429 => Refusal::unavailable("the token endpoint asks to slow down"),
        500.. => Refusal::unavailable("the token endpoint has failed"),
        300..=399 => at_token_uri("the token endpoint answers with a redirect"),
        status => {
            let object = Object::parse(&reply.body);
            coded(status, object.as_ref().and_then(|object| object.text("error")))
        }
    };
    refusal.retry_after(reply.retry_after())
}

/// The codes of section 5.2, RFC 6750, 7009 and 8707. Others are not repeated: they may hold
/// anything.
fn coded(status: u16, code: Option<&str>) -> Refusal {
    let said = |code: &str| ["the token endpoint says ", code].concat();
    match code {
        Some(code @ ("invalid_grant" | "invalid_token")) => {
            Refusal::reauthorize(&said(code)).at("state/refresh_token")
        }
        Some(code @ ("invalid_client" | "unauthorized_client")) => {
            Refusal::invalid_config("connection/client_id", &said(code))
        }
        Some(code @ "invalid_scope") => Refusal::invalid_config("connection/scopes", &said(code)),
        Some(
            code @ ("invalid_request"
            | "invalid_target"
            | "unsupported_grant_type"
            | "unsupported_token_type"),
        ) => at_token_uri(&said(code)),
        Some(code @ ("temporarily_unavailable" | "server_error")) => {
            Refusal::unavailable(&said(code))
        }
        Some(code @ "access_denied") => Refusal::denied(&said(code)),
        Some(_) => Refusal::denied("the token endpoint gives an error of its own"),
        None if matches!(status, 404 | 405 | 410) => at_token_uri("there is no token endpoint"),
        None if status < 300 => odd("has an error that is no code"),
        None => Refusal::denied("the token endpoint says no without an error code"),
    }
}

fn at_token_uri(message: &str) -> Refusal {
    Refusal::invalid_config("pattern/oauth_config/token_uri", message)
}

fn odd(what: &str) -> Refusal {
    Refusal::unavailable(&["the token endpoint's answer ", what].concat())
}

/// A token, if the member is there; then it must be one.
fn token(object: &Object, name: &str) -> Result<Option<String>, Refusal> {
    match object.member(name) {
        None => Ok(None),
        Some(Value::Text(text)) if text.is_empty() => Ok(None),
        Some(Value::Text(text)) if text.len() <= TOKEN_BYTES => Ok(Some(text.clone())),
        Some(_) => Err(odd("holds a token that is none")),
    }
}

/// `expires_in`, which some servers send as a string or with a fraction.
fn lifetime(object: &Object) -> Result<Option<u32>, Refusal> {
    let seconds = match object.member("expires_in") {
        None => return Ok(None),
        Some(Value::Integer(seconds)) => Some(*seconds),
        // A cast from a float saturates.
        #[allow(clippy::cast_possible_truncation)]
        Some(Value::Fraction(seconds)) => Some(seconds.floor() as i64),
        Some(Value::Text(text)) => text.trim().parse().ok(),
        Some(_) => None,
    };
    match seconds {
        Some(0) => Ok(None),
        Some(seconds @ 1..) => Ok(Some(seconds.try_into().unwrap_or(u32::MAX))),
        _ => Err(odd("holds a lifetime that is none")),
    }
}

#[cfg(test)]
mod tests;

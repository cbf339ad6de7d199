//! What the browser brings back (RFC 6749, section 4.1.2; RFC 9207).
//!
//! The checks go from who is speaking to what is said: nothing in a callback is looked at before
//! its state and its issuer are known to be right, not even its error.

use crate::{Account, Entry, Refusal};

const ISSUER: &str = "pattern/oauth_config/issuer";
const ISSUER_SENT: &str = "pattern/oauth_config/authorization_response_iss_parameter_supported";

/// The code of a callback that belongs to this flow.
pub fn code<'a>(
    account: &Account,
    parameters: &'a [Entry],
    state_token: &str,
) -> Result<&'a str, Refusal> {
    if state_token.is_empty() || once(parameters, "state")? != Some(state_token) {
        return Err(Refusal::reauthorize("the callback belongs to another flow"));
    }
    check_issuer(account, once(parameters, "iss")?)?;
    if let Some(error) = once(parameters, "error")? {
        return Err(refused(error));
    }
    once(parameters, "code")?
        .filter(|code| !code.is_empty())
        .ok_or_else(|| Refusal::reauthorize("the callback holds no code"))
}

/// RFC 9207, section 2.4: simple string comparison; present where the server says it sends it.
fn check_issuer(account: &Account, sent: Option<&str>) -> Result<(), Refusal> {
    let expected = account.value(ISSUER);
    if account.is_true(ISSUER_SENT) {
        let expected = account.require(ISSUER)?;
        if sent != Some(expected) {
            return Err(mix_up());
        }
    }
    match (expected, sent) {
        (Some(expected), Some(sent)) if expected != sent => Err(mix_up()),
        _ => Ok(()),
    }
}

fn mix_up() -> Refusal {
    Refusal::reauthorize("the callback comes from another issuer").at(ISSUER)
}

/// RFC 6749, section 4.1.2.1, and OpenID Connect Core 1.0, section 3.1.2.6. Other codes are not
/// repeated: they may hold anything.
fn refused(error: &str) -> Refusal {
    let message = ["the authorization server says ", error].concat();
    match error {
        "access_denied" => Refusal::denied(&message),
        "server_error" | "temporarily_unavailable" => Refusal::unavailable(&message),
        "invalid_scope" => Refusal::invalid_config("connection/scopes", &message),
        "unauthorized_client" => Refusal::invalid_config("connection/client_id", &message),
        "invalid_request" | "unsupported_response_type" => {
            Refusal::invalid_config("pattern/oauth_config/authorize_uri", &message)
        }
        "login_required"
        | "interaction_required"
        | "consent_required"
        | "account_selection_required" => Refusal::reauthorize(&message),
        _ => Refusal::denied("the authorization server gives an error of its own"),
    }
}

/// The parameter of this name. One that comes twice is refused (RFC 6749, section 3.1).
fn once<'a>(parameters: &'a [Entry], name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut found = parameters.iter().filter(|(key, _)| key == name);
    let first = found.next().map(|(_, value)| value.as_str());
    match found.next() {
        None => Ok(first),
        Some(_) => Err(Refusal::reauthorize("the callback repeats a parameter")),
    }
}

#[cfg(test)]
mod tests;

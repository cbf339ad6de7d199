//! The authorization code grant (RFC 6749, section 4.1) with PKCE (RFC 7636).

use countersign_plugin::{
    Account, Context, Entry, Grant, Pause, Prompt, Refusal, Step,
    flow::{Client, callback, pkce},
    form,
};

use crate::{
    AUTHORIZE_URI,
    cursor::{Cursor, Waiting},
    token::{self, Origin},
};

const PARAMS: &str = "pattern/oauth_config/extra_authorize_params/";

/// Sends the user away to consent.
pub(crate) fn begin(cx: &Context, account: &Account, grant: &Grant) -> Result<Step, Refusal> {
    let client = Client::of(account)?;
    let waiting = Waiting {
        state_token: grant.state_token.clone(),
        verifier: pkce::verifier(cx),
        redirect_uri: grant.redirect_uri.clone(),
    };
    let url = url(account, &client, &waiting)?;
    Ok(Step::Pause(Pause {
        prompt: Some(Prompt { url, code: None }),
        callback: Some(("state".to_owned(), grant.state_token.clone())),
        seconds: None,
        cursor: Cursor::Callback(waiting).bytes(),
    }))
}

/// Redeems the code that the user came back with.
pub(crate) fn resume(
    account: &Account,
    parameters: &[Entry],
    waiting: &Waiting,
) -> Result<Step, Refusal> {
    let code = callback::code(account, parameters, &waiting.state_token)?;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &waiting.redirect_uri),
        ("code_verifier", &waiting.verifier),
    ];
    token::fetch(account, &form, Origin::Code)
}

/// The connection's scopes, as RFC 6749, section 3.3 writes them. They come as one value or as a
/// list of them.
pub fn scopes(account: &Account) -> String {
    let listed = account.under("connection/scopes/").map(|(_, scope)| scope);
    let scopes: Vec<&str> = account.value("connection/scopes").into_iter().chain(listed).collect();
    scopes.join(" ")
}

fn url(account: &Account, client: &Client<'_>, waiting: &Waiting) -> Result<String, Refusal> {
    let endpoint = account.require(AUTHORIZE_URI)?;
    if endpoint.contains('#') {
        return Err(Refusal::invalid_config(AUTHORIZE_URI, "a fragment is not allowed here"));
    }
    let scopes = scopes(account);
    let challenge = pkce::challenge(&waiting.verifier);
    let mut pairs = vec![
        ("response_type", "code"),
        ("client_id", client.id),
        ("redirect_uri", &waiting.redirect_uri),
        ("state", &waiting.state_token),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    pairs.extend((!scopes.is_empty()).then_some(("scope", scopes.as_str())));
    let own = pairs.len();
    for (name, value) in account.under(PARAMS) {
        if name == "scope" || pairs[..own].iter().any(|(taken, _)| *taken == name) {
            let field = [PARAMS, name].concat();
            return Err(Refusal::invalid_config(&field, "this parameter is the plugin's to set"));
        }
        pairs.push((name, value));
    }
    pairs.extend(account.value("grant/login_hint").map(|hint| ("login_hint", hint)));
    let joint = if endpoint.contains('?') { "&" } else { "?" };
    Ok([endpoint, joint, &form::join(pairs)].concat())
}

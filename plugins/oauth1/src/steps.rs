//! The grant (section 2): temporary credentials, the user's consent, and the token.
//!
//! Each request is signed as the account's own will be. The flow is found again by the temporary
//! token, which the server gives back; what it was given out with stays with the host, sealed.

use countersign_plugin::{
    Account, Context, Entry, Event, Flow, Grant, HttpRequest, HttpResponse, Pause, Prompt, Purpose,
    Refusal, State, Step, form,
};

use crate::{
    AUTHORIZE_URI, OAuth1, REQUEST_TOKEN_URI, TOKEN_URI,
    base::Target,
    cursor::Cursor,
    protocol::{Once, Protocol, Signed},
    settings::{Client, Token},
    temporary::{self, Credentials, Kind},
};

const PARAMS: &str = "pattern/oauth_config/extra_authorize_params/";
const ATTRIBUTES: &str = "pattern/oauth_config/attributes/";

/// What a provider's answers may leave for the account.
pub(crate) const LEARNT: &str = "state/{pattern/oauth_config/attributes/*}";

/// What a grant looks at, beside what signs.
pub(crate) const READS: &[&str] = &[
    REQUEST_TOKEN_URI,
    AUTHORIZE_URI,
    TOKEN_URI,
    "pattern/oauth_config/extra_authorize_params",
    "pattern/oauth_config/attributes",
];

impl Flow for OAuth1 {
    fn begin(cx: &Context, account: &Account, purpose: &Purpose) -> Result<Step, Refusal> {
        match purpose {
            Purpose::Grant(Grant { redirect_uri, .. }) => {
                // What comes after is looked at first: nobody is asked for what cannot be used.
                account.require(AUTHORIZE_URI)?;
                account.require(TOKEN_URI)?;
                let more = [("oauth_callback", redirect_uri.as_str())];
                fetch(cx, account, REQUEST_TOKEN_URI, None, &more, &Cursor::Requested)
            }
            _ => Err(Refusal::invalid_request("there is no such flow")),
        }
    }

    fn resume(
        cx: &Context,
        account: &Account,
        event: &Event,
        cursor: &[u8],
    ) -> Result<Step, Refusal> {
        match (Cursor::read(cursor)?, event) {
            (_, Event::Failed(_)) => Err(Refusal::unavailable("no answer has come back")),
            (Cursor::Requested, Event::Response(reply)) => away(account, reply),
            (Cursor::Away(temporary), Event::Callback(parameters)) => {
                let verifier = verifier(parameters, &temporary)?;
                let token = Token { value: &temporary.token, secret: &temporary.secret };
                let more = [("oauth_verifier", verifier)];
                fetch(cx, account, TOKEN_URI, Some(token), &more, &Cursor::Exchanged)
            }
            (Cursor::Exchanged, Event::Response(reply)) => done(account, reply),
            _ => Err(Refusal::reauthorize("this grant did not wait for that")),
        }
    }
}

/// A signed POST without a body.
fn fetch(
    cx: &Context,
    account: &Account,
    uri: &str,
    token: Option<Token<'_>>,
    more: &[(&'static str, &str)],
    cursor: &Cursor,
) -> Result<Step, Refusal> {
    let url = account.require(uri)?;
    let client = Client::of(account)?;
    let target = Target::of(url)
        .ok_or_else(|| Refusal::invalid_config(uri, "this is no URL that can be signed"))?;
    let protocol = Protocol::new(&client, token, Once::new(cx), more);
    let base = protocol.base_string(&Signed { method: "POST", target: &target, form: b"" })?;
    let authorization = protocol.sign(cx, &client, token, &base)?.authorization(client.realm);
    let request = HttpRequest {
        method: "POST".to_owned(),
        url: url.to_owned(),
        headers: vec![("authorization".to_owned(), authorization)],
        body: Vec::new(),
    };
    Ok(Step::fetch(request, cursor.bytes()))
}

/// Sends the user away to consent (section 2.2).
fn away(account: &Account, reply: &HttpResponse) -> Result<Step, Refusal> {
    let (temporary, _) = temporary::read(reply, Kind::Temporary)?;
    let endpoint = account.require(AUTHORIZE_URI)?;
    if endpoint.contains('#') {
        return Err(Refusal::invalid_config(AUTHORIZE_URI, "a fragment is not allowed here"));
    }
    let mut pairs = vec![("oauth_token", temporary.token.as_str())];
    for (name, value) in account.under(PARAMS) {
        if name.starts_with("oauth_") {
            let field = [PARAMS, name].concat();
            return Err(Refusal::invalid_config(&field, "this parameter is the plugin's to set"));
        }
        pairs.push((name, value));
    }
    let joint = if endpoint.contains('?') { "&" } else { "?" };
    let url = [endpoint, joint, &form::join(pairs)].concat();
    Ok(Step::Pause(Pause {
        prompt: Some(Prompt { url, code: None }),
        callback: Some(("oauth_token".to_owned(), temporary.token.clone())),
        seconds: None,
        cursor: Cursor::Away(temporary).bytes(),
    }))
}

/// What the user came back with: the verifier, which only whoever consented can have brought.
fn verifier<'a>(parameters: &'a [Entry], temporary: &Credentials) -> Result<&'a str, Refusal> {
    let once = |name| {
        let mut found = parameters.iter().filter(|(key, _)| key == name);
        let first = found.next().map(|(_, value)| value.as_str());
        first.filter(|_| found.next().is_none())
    };
    if once("oauth_token") != Some(&temporary.token) {
        return Err(Refusal::reauthorize("the callback belongs to another grant"));
    }
    // Not of the RFC: "OAuth Problem Reporting", which several servers have.
    if matches!(once("oauth_problem"), Some("user_refused" | "permission_denied")) {
        return Err(Refusal::denied("the user has refused"));
    }
    once("oauth_verifier")
        .filter(|verifier| !verifier.is_empty())
        .ok_or_else(|| Refusal::reauthorize("the callback holds no verifier"))
}

/// The account's state, with what the pattern wants to know of the answer.
fn done(account: &Account, reply: &HttpResponse) -> Result<Step, Refusal> {
    let (Credentials { token, secret }, pairs) = temporary::read(reply, Kind::Token)?;
    let mut state = State::empty().secret("access_token", &token).secret("token_secret", &secret);
    for (_, name) in account.under(ATTRIBUTES) {
        let is_secret =
            name.starts_with("oauth_") || matches!(name, "access_token" | "token_secret");
        if let Some((_, value)) = pairs.iter().find(|(found, _)| found == name && !is_secret) {
            state = state.attribute(name, value);
        }
    }
    Ok(Step::Done(state))
}

//! A plugin with every flow, each of which takes every kind of step that it can: two fetches, a
//! pause for the user, one for a time, and what is kept in the end.

use countersign_plugin::{
    Account, Context, Descriptor, Edit, Event, Fetch, Flow, HttpRequest, HttpResponse, Next,
    Outcome, Pause, Plugin, Prompt, Purpose, Reaction, Ready, Refusal, RequestView, State, Step,
    export_flow_plugin,
};

const TOKEN: &str = "account/token";
const HELD: &str = "state/access_token";
const TOKEN_URI: &str = "pattern/oauth_config/token_uri";
const AUTHORIZE_URI: &str = "pattern/oauth_config/authorize_uri";
const CLIENT: &str = "shared/client_id";

/// The plugin.
pub struct Kept;

impl Plugin for Kept {
    fn descriptor() -> Descriptor {
        Descriptor::builder("X_KEPT_FLOW")
            .title("Kept for the contract's track", "0.1.0")
            .flows(&["setup", "grant", "renew", "revoke"])
            .read(&[TOKEN, HELD, TOKEN_URI, AUTHORIZE_URI, CLIENT])
            .read(&["state/expires-at", "state/renew-at", "grant/login_hint"])
            .write(&["header/x-token", "shared/client_id", "state/access_token", "state/tenant"])
            .fetch(&[TOKEN_URI])
            .visit(&[AUTHORIZE_URI])
            .build()
    }

    fn authorize(
        cx: &Context,
        account: &Account,
        _: Option<&RequestView>,
        _: &[u8],
    ) -> Result<Outcome, Refusal> {
        let until = account.value("state/expires-at").and_then(|at| at.parse().ok());
        match account.value(TOKEN) {
            Some(token) if until.is_none_or(|until: u64| until > cx.now()) => {
                Ok(Ready::lasting(vec![Edit::header("x-token", token)]).watch(401).into())
            }
            _ => Ok(Outcome::Renew(b"a hint".to_vec())),
        }
    }

    fn replied(_: &Context, _: &Account, _: &HttpResponse, _: &[u8]) -> Result<Reaction, Refusal> {
        Ok(Reaction { next: Next::Renew(b"rejected".to_vec()), memo: None })
    }
}

impl Flow for Kept {
    fn begin(_: &Context, account: &Account, purpose: &Purpose) -> Result<Step, Refusal> {
        let of = |name| account.value(name).unwrap_or("-");
        Ok(match purpose {
            Purpose::Setup => fetch(account, "GET", "register", "setup")?,
            Purpose::Grant(grant) => Step::Pause(Pause {
                prompt: Some(Prompt {
                    url: format!(
                        "{}?redirect_uri={}&state={}&login_hint={}",
                        account.require(AUTHORIZE_URI)?,
                        grant.redirect_uri,
                        grant.state_token,
                        of("grant/login_hint")
                    ),
                    code: Some("ABCD".to_owned()),
                }),
                callback: Some(("state".to_owned(), grant.state_token.clone())),
                seconds: Some(5),
                cursor: b"granted".to_vec(),
            }),
            Purpose::Renew(hint) => {
                fetch(account, "POST", &String::from_utf8_lossy(hint), "renewed")?
            }
            Purpose::Revoke => fetch(account, "POST", of(HELD), "revoked")?,
        })
    }

    fn resume(
        _: &Context,
        account: &Account,
        event: &Event,
        cursor: &[u8],
    ) -> Result<Step, Refusal> {
        Ok(match (event, cursor) {
            (Event::Failed(_), _) => return Err(Refusal::unavailable("nothing came back")),
            (Event::Response(reply), _) if reply.status != 200 => {
                return Err(Refusal::denied("the server says no").retry_after(reply.retry_after()));
            }
            (Event::Elapsed, b"granted") => Step::Pause(Pause {
                prompt: None,
                callback: None,
                seconds: Some(600),
                cursor: b"waited".to_vec(),
            }),
            (Event::Elapsed, b"waited") => fetch(account, "POST", "elapsed", "renewed")?,
            (Event::Callback(parameters), _) => {
                let told: Vec<_> = parameters.iter().filter(|it| it.0 != "state").collect();
                fetch(account, "POST", &format!("{told:?}"), "renewed")?
            }
            (Event::Response(_), b"setup") => {
                Step::Done(State::empty().secret("client_id", "a-registered-client"))
            }
            (Event::Response(_), b"revoked") => Step::Done(State::empty()),
            (Event::Response(reply), _) => {
                let token = String::from_utf8_lossy(&reply.body);
                if token.is_empty() {
                    return Err(Refusal::unavailable("there is no token in the reply"));
                }
                let tenant = reply.header("x-tenant").unwrap_or("none");
                let state = State::empty().secret("access_token", &token);
                Step::Done(state.attribute("tenant", tenant).expires_in(Some(3600)))
            }
            _ => return Err(Refusal::reauthorize("this was not waited for")),
        })
    }
}

fn fetch(account: &Account, method: &str, body: &str, cursor: &str) -> Result<Step, Refusal> {
    let client = account.value(CLIENT).unwrap_or("none");
    let body = if method == "GET" { Vec::new() } else { body.as_bytes().to_vec() };
    Ok(Step::Fetch(Fetch {
        request: HttpRequest {
            method: method.to_owned(),
            url: account.require(TOKEN_URI)?.to_owned(),
            headers: vec![("x-client".to_owned(), client.to_owned())],
            body,
        },
        client_certificate: None,
        cursor: cursor.as_bytes().to_vec(),
    }))
}

export_flow_plugin!(Kept);

//! X_LOGIN_TOKEN: a user name and a password are exchanged for a token, which requests then carry.
//!
//! `POST login_url` with a form gives `{"token": …, "expires_in": SECONDS}`. A 401 of the API, or the
//! end of that time, is followed by another login.

use countersign_plugin::{
    Account, Context, Descriptor, Edit, Event, Flow, HttpResponse, Input, Outcome, Plugin, Purpose,
    Reaction, Ready, Refusal, RequestView, State, Step, export_flow_plugin,
    flow::{form_request, json},
    header,
};

const USER: &str = "account/username";
const PASSWORD: &str = "account/password";
const LOGIN: &str = "pattern/login_url";
const TOKEN: &str = "state/access_token";
const EXPIRES_AT: &str = "state/expires-at";

/// The plugin.
pub struct LoginToken;

impl Plugin for LoginToken {
    fn descriptor() -> Descriptor {
        Descriptor::builder("X_LOGIN_TOKEN")
            .title("A token from a login", "1.0.0")
            .flows(&["renew"])
            .pattern(&[Input::required("login_url", "Where to log in")])
            .account(&[
                Input::required("username", "User name"),
                Input::required("password", "Password").secret(),
            ])
            .read(&[USER, PASSWORD, LOGIN, TOKEN, EXPIRES_AT])
            .write(&["header/authorization", TOKEN])
            .fetch(&[LOGIN])
            .build()
    }

    fn authorize(
        cx: &Context,
        account: &Account,
        _: Option<&RequestView>,
        _: &[u8],
    ) -> Result<Outcome, Refusal> {
        let until = account.value(EXPIRES_AT).and_then(|at| at.parse().ok());
        match account.value(TOKEN) {
            Some(token) if until.is_none_or(|until: u64| cx.now() < until) => {
                header::check(TOKEN, token)?;
                let edit = Edit::header("authorization", &format!("Token {token}"));
                Ok(Ready::lasting(vec![edit]).watch(401).into())
            }
            _ => Ok(Outcome::Renew(Vec::new())),
        }
    }

    /// Only a 401 is watched for: the token is no longer good.
    fn replied(_: &Context, _: &Account, _: &HttpResponse, _: &[u8]) -> Result<Reaction, Refusal> {
        Ok(Reaction::renew())
    }
}

impl Flow for LoginToken {
    fn begin(_: &Context, account: &Account, purpose: &Purpose) -> Result<Step, Refusal> {
        if !matches!(purpose, Purpose::Renew(_)) {
            return Err(Refusal::invalid_request("there is no such flow"));
        }
        let login =
            [("username", account.require(USER)?), ("password", account.require(PASSWORD)?)];
        Ok(Step::fetch(form_request(account.require(LOGIN)?, &login), Vec::new()))
    }

    fn resume(_: &Context, _: &Account, event: &Event, _: &[u8]) -> Result<Step, Refusal> {
        let Event::Response(reply) = event else {
            return Err(Refusal::unavailable("no answer has come back"));
        };
        match reply.status {
            200 => {}
            // Never what the server wrote: it may repeat the password.
            400 | 401 | 403 => {
                return Err(Refusal::reauthorize("the login was refused").at(PASSWORD));
            }
            _ => {
                let refusal = Refusal::unavailable("the login does not work at the moment");
                return Err(refusal.retry_after(reply.retry_after()));
            }
        }
        let unreadable = || Refusal::unavailable("there is no token in the login's answer");
        let answer = json::Object::parse(&reply.body).ok_or_else(unreadable)?;
        let token = answer.text("token").filter(|it| !it.is_empty()).ok_or_else(unreadable)?;
        // A token that cannot be sent would be asked for again and again.
        header::check(TOKEN, token).map_err(|_| unreadable())?;
        let seconds = match answer.member("expires_in") {
            Some(json::Value::Integer(seconds)) => u32::try_from(*seconds).ok(),
            _ => None,
        };
        Ok(Step::Done(State::empty().secret("access_token", token).expires_in(seconds)))
    }
}

export_flow_plugin!(LoginToken);

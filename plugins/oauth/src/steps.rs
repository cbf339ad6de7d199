//! The flow: which step follows which.

use countersign_plugin::{
    Account, Context, Event, Flow, HttpResponse, Purpose, Refusal, State, Step,
    flow::{Client, error},
};

use crate::{
    ACCESS, OAuth, REFRESH, REVOCATION_URI, by_client_credentials,
    cursor::Cursor,
    grant, nothing_to_renew_with,
    token::{self, Origin},
    user_info,
};

impl Flow for OAuth {
    fn begin(cx: &Context, account: &Account, purpose: &Purpose) -> Result<Step, Refusal> {
        match purpose {
            Purpose::Setup => Err(Refusal::invalid_request("there is no such flow")),
            Purpose::Grant(_) | Purpose::Renew(_) if by_client_credentials(account) => {
                let mut form = vec![("grant_type", "client_credentials")];
                let scopes = grant::scopes(account);
                form.extend((!scopes.is_empty()).then_some(("scope", scopes.as_str())));
                token::fetch(account, &form, Origin::ClientCredentials)
            }
            Purpose::Grant(grant) => grant::begin(cx, account, grant),
            Purpose::Renew(_) => {
                let refresh = account.value(REFRESH).ok_or_else(nothing_to_renew_with)?;
                let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
                token::fetch(account, &form, Origin::Refresh)
            }
            Purpose::Revoke => revoke(account),
        }
    }

    fn resume(
        _: &Context,
        account: &Account,
        event: &Event,
        cursor: &[u8],
    ) -> Result<Step, Refusal> {
        match (Cursor::read(cursor)?, event) {
            (_, Event::Failed(_)) => Err(Refusal::unavailable("no answer has come back")),
            (Cursor::Callback(waiting), Event::Callback(parameters)) => {
                grant::resume(account, parameters, &waiting)
            }
            (Cursor::Token(Origin::Code), Event::Response(reply)) => granted(account, reply),
            (Cursor::Token(origin), Event::Response(reply)) => {
                token::state(account, reply, origin).map(Step::Done)
            }
            (Cursor::UserInfo(state), Event::Response(reply)) => {
                user_info::state(state, reply).map(Step::Done)
            }
            (Cursor::Revoked, Event::Response(reply)) => revoked(reply),
            _ => Err(Refusal::reauthorize("this flow did not wait for that")),
        }
    }
}

/// What follows the token endpoint's answer to a user's consent; `resume` of [`OAuth`] goes on from it.
pub fn granted(account: &Account, reply: &HttpResponse) -> Result<Step, Refusal> {
    let state = token::state(account, reply, Origin::Code)?;
    if user_info::is_wanted(account) {
        return user_info::fetch(account, state);
    }
    Ok(Step::Done(state))
}

/// RFC 7009, section 2.1: the refresh token where there is one, since the server takes the access
/// tokens of its grant back with it.
fn revoke(account: &Account) -> Result<Step, Refusal> {
    let held = [(REFRESH, "refresh_token"), (ACCESS, "access_token")];
    let mut held = held.into_iter().filter_map(|(name, hint)| Some((account.value(name)?, hint)));
    let (Some(url), Some((token, hint))) = (account.value(REVOCATION_URI), held.next()) else {
        return Ok(Step::Done(State::empty()));
    };
    let form = [("token", token), ("token_type_hint", hint)];
    Ok(Step::fetch(Client::of(account)?.post(url, &form), Cursor::Revoked.bytes()))
}

/// Section 2.2: 200 also for a token that the server did not know.
fn revoked(reply: &HttpResponse) -> Result<Step, Refusal> {
    match reply.status {
        200..=299 => Ok(Step::Done(State::empty())),
        _ => Err(error(reply)),
    }
}

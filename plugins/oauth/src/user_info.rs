//! Who the user is, for providers that say (OpenID Connect Core 1.0, section 5.3).
//!
//! Asked once, after consent, and only where the pattern sets `fetch_user_info`.

use countersign_plugin::{
    Account, HttpRequest, HttpResponse, Refusal, State, Step, find, flow::json::Object,
};

use crate::{USER_INFO_URI, cursor::Cursor};

/// The value that asks for it.
pub(crate) const WANTED: &str = "pattern/oauth_config/fetch_user_info";

/// The claims that are kept, and the attributes that they become.
const CLAIMS: &[(&str, &str)] =
    &[("sub", "user_sub"), ("email", "user_email"), ("name", "user_name")];

pub(crate) fn is_wanted(account: &Account) -> bool {
    account.is_true(WANTED) && account.value(USER_INFO_URI).is_some()
}

/// Asks with the token of a state that is not kept yet.
pub(crate) fn fetch(account: &Account, state: State) -> Result<Step, Refusal> {
    let url = account.require(USER_INFO_URI)?;
    let token = find(&state.secrets, "access_token").unwrap_or_default();
    let headers = [
        ("accept".to_owned(), "application/json".to_owned()),
        ("authorization".to_owned(), ["Bearer ", token].concat()),
    ];
    let request = HttpRequest {
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers: headers.into(),
        body: Vec::new(),
    };
    Ok(Step::fetch(request, Cursor::UserInfo(state).bytes()))
}

/// The state with what the answer says.
pub(crate) fn state(mut state: State, reply: &HttpResponse) -> Result<State, Refusal> {
    match reply.status {
        200 => {}
        401 | 403 => return Err(Refusal::denied("the user-info endpoint rejects the token")),
        _ => return Err(Refusal::unavailable("the user-info endpoint has failed")),
    }
    let object = Object::parse(&reply.body)
        .ok_or_else(|| Refusal::unavailable("the user-info endpoint's answer is not JSON"))?;
    for (claim, attribute) in CLAIMS {
        if let Some(text) = object.text(claim) {
            state = state.attribute(attribute, text);
        }
    }
    Ok(state)
}

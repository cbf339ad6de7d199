//! Values and answers in, edits, requests and refusals out; a module for each half.

mod login;
mod placed;
mod settings;

use countersign_plugin::{Account, Context};

use super::*;

/// 2027-01-15T08:00:00Z.
const NOW: u64 = 1_800_000_000;

fn cx() -> Context {
    Context::fixed(NOW * 1000, 1)
}

/// A login of two requests: a token against forgery, from a cookie, and then the session.
const LOGIN: &[(&str, &str)] = &[
    ("account/username", "ann\"; \\"),
    ("account/password", "p&ss=w{{username}}"),
    ("connection/app_id", "app 7"),
    ("pattern/fields/0/field_name", "username"),
    ("pattern/fields/1/field_name", "password"),
    ("pattern/session/connection_values/0", "app_id"),
    ("pattern/session/requests/0/request_url", "https://login.example"),
    ("pattern/session/requests/0/takes/0/name", "csrf"),
    ("pattern/session/requests/0/takes/0/cookie", "XSRF"),
    ("pattern/session/requests/1/request_url", "https://login.example/in?v=1"),
    ("pattern/session/requests/1/cookies/0/name", "XSRF"),
    ("pattern/session/requests/1/cookies/0/value", "{{csrf}}"),
    ("pattern/session/requests/1/headers/0/name", "X-XSRF-Token"),
    ("pattern/session/requests/1/headers/0/value", "t={{csrf}}"),
    ("pattern/session/requests/1/query/0/name", "app id"),
    ("pattern/session/requests/1/query/0/value", "{{connection/app_id}}"),
    (
        "pattern/session/requests/1/json",
        "{\"user\":{\"n\":\"{{username}}\",\"p\":\"{{password}}\"}}",
    ),
    ("pattern/session/requests/1/takes/0/name", "token"),
    ("pattern/session/requests/1/takes/0/json", "/data/token"),
    ("pattern/session/requests/1/takes/1/name", "tenant"),
    ("pattern/session/requests/1/takes/1/header", "x-tenant"),
    ("pattern/session/requests/1/takes/1/secret", "false"),
    ("pattern/session/headers/0/name", "Authorization"),
    ("pattern/session/headers/0/value", "Session {{token}}"),
];

/// The login, with some values in the place of its own, or without.
fn account(changes: &[(&str, Option<&str>)]) -> Account {
    let mut values = LOGIN.to_vec();
    for (name, value) in changes {
        values.retain(|(key, _)| key != name);
        values.extend(value.map(|value| (*name, value)));
    }
    Account::of(&values)
}

/// The names of what `validate` finds.
fn faults(account: &Account) -> Vec<String> {
    let faults = Session::validate(&cx(), account);
    faults.into_iter().map(|fault| fault.field.unwrap()).collect()
}

//! Values and events in, outcomes and steps out; a module for each half.

mod authorize;
mod grant;
mod renew;

use countersign_plugin::{Event, Fetch, Flow, HttpResponse, State, Step};

use super::*;

const NOW: u64 = 1_800_000_000_000;

/// A connection with a secret, and a token endpoint.
const CLIENT: [(&str, &str); 4] = [
    ("connection/client_id", "id"),
    ("connection/client_secret", "se&cret"),
    (TOKEN_URI, "https://as.example/token"),
    (AUTHORIZE_URI, "https://as.example/authorize"),
];

fn account(values: &[(&str, &str)]) -> Account {
    Account::of(&[&CLIENT[..], values].concat())
}

fn cx() -> Context {
    Context::fixed(NOW, 1)
}

fn fetched(step: Result<Step, Refusal>) -> Fetch {
    match step.unwrap() {
        Step::Fetch(fetch) => fetch,
        other => panic!("{other:?}"),
    }
}

fn done(step: Result<Step, Refusal>) -> State {
    match step.unwrap() {
        Step::Done(state) => state,
        other => panic!("{other:?}"),
    }
}

fn answered(account: &Account, fetch: &Fetch, status: u16, body: &str) -> Result<Step, Refusal> {
    let reply = HttpResponse { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
    OAuth::resume(&cx(), account, &Event::Response(reply), &fetch.cursor)
}

fn body(fetch: &Fetch) -> &str {
    std::str::from_utf8(&fetch.request.body).unwrap()
}

fn header<'a>(fetch: &'a Fetch, name: &str) -> Option<&'a str> {
    countersign_plugin::find(&fetch.request.headers, name)
}

//! Guests that do one thing wrong, or just do not, and the pieces that they are made of.

use countersign_hostile::answer::{
    self, done, entry, fetch, prompt, reaction, ready, ready_with, refusal, set_header,
};
use countersign_hostile::{AUTHORIZE_URI, Body, Guest, Part, Val};

use crate::scene::{flowing, plain, remembered};

/// Its length is looked at before it is put on the request.
pub(super) const NOT_TOO_LONG: &str = "(i32.lt_u
    (i32.load offset=12 (call $token (local.get 0) (local.get 1))) (i32.const 1000))";
/// The body of a fetch's answer.
pub(super) const HAS_A_BODY: &str = "(i32.ne (local.get 9) (i32.const 0))";
pub(super) const LOGS_THE_TOKEN: &str = "(call $log (i32.const 1)
    (i32.load offset=8 (call $token (local.get 0) (local.get 1)))
    (i32.load offset=12 (call $token (local.get 0) (local.get 1))))";
pub(super) const BEGINS_WITH_A: &str = "(if (result i32)
    (i32.load offset=12 (call $token (local.get 0) (local.get 1)))
    (then (i32.eq (i32.const 97) (i32.load8_u
        (i32.load offset=8 (call $token (local.get 0) (local.get 1))))))
    (else (i32.const 0)))";
/// Half of all seeds lead one way.
pub(super) const ON_A_COIN: &str = "(i32.and (block (result i32)
    (call $random (i32.const 1) (i32.const 0))
    (i32.load8_u (i32.load (i32.const 0)))) (i32.const 1))";

/// Below what the need names, and out of it again.
pub(super) const CLIMBS: &str = "https://login.hostile.example/token/%2e%2e/admin";

pub(super) fn bearer() -> Val {
    ready(vec![set_header("authorization", [Part::Text("Bearer "), Part::Token])])
}

pub(super) fn with_token() -> Body {
    Body::from(bearer())
}

pub(super) fn no() -> Body {
    refusal("invalid-config", "the token is too long").into()
}

/// Asks to see the request, and answers by the length of its method.
pub(super) fn by_method(remember: u64) -> Body {
    let answer = |text: &'static str| remembered(vec![set_header("authorization", text)], remember);
    let is_seen = "(local.get 4)";
    let is_get = "(i32.eq (local.get 6) (i32.const 3))";
    let show = Val::ok(Val::of("show", Val::List(Vec::new())));
    Body::either(is_seen, Body::either(is_get, answer("a"), answer("b")), show)
}

pub(super) fn renewed(attributes: Vec<Val>) -> Val {
    done(vec![entry("access_token", "new-token-1")], attributes)
}

/// Wants a connection to itself, and these edits.
pub(super) fn owns(edits: Vec<Val>) -> Guest {
    let edits = [vec![Val::case("own-connection")], edits].concat();
    plain(&["write own-connection"]).body("authorize", ready(edits))
}

pub(super) fn page(more: Option<Part>) -> Val {
    let mut url = vec![Part::Text(AUTHORIZE_URI), Part::Text("?state="), Part::Param(7)];
    url.extend(more.map(|it| [Part::Text("&hint="), it]).into_iter().flatten());
    Val::Parts(url)
}

pub(super) fn asks(url: Val) -> Guest {
    flowing(&[]).body("begin", prompt(url, [Part::Param(7)]))
}

pub(super) fn fetches(url: &str) -> Guest {
    flowing(&[]).body("begin", fetch("POST", url, vec![])).body("resume", renewed(vec![]))
}

pub(super) fn begins(step: Val) -> Guest {
    flowing(&[]).body("begin", step)
}

pub(super) fn watches(needs: &[&str]) -> Guest {
    let edits = Val::List(vec![set_header("authorization", "x")]);
    plain(needs)
        .body("authorize", ready_with(edits, vec![answer::watch_any(64)], Val::none()))
        .body("replied", reaction(Val::case("deliver")))
}

pub(super) fn sets(name: &'static str) -> Guest {
    plain(&[]).body("authorize", ready(vec![set_header(name, "x")]))
}

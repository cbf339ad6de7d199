//! The plugins themselves, a pair for each thing that can be wrong.

use countersign_hostile::answer::{self, entry, fetch, ready, refusal, set_header, show};
use countersign_hostile::{Body, Guest, Part, TOKEN_URI, Val};
use serde_json::{Value as Json, json};

use super::guests::{
    BEGINS_WITH_A, CLIMBS, HAS_A_BODY, LOGS_THE_TOKEN, NOT_TOO_LONG, ON_A_COIN, asks, bearer,
    begins, by_method, fetches, no, owns, page, renewed, sets, watches, with_token,
};
use crate::scene::{NEW, case, plain, remembered, renewing};

/// Bad and good guest, a case that both are met with, the code, and what the finding names.
pub(super) struct Twins {
    pub(super) code: &'static str,
    pub(super) names: &'static str,
    pub(super) bad: Guest,
    pub(super) good: Guest,
    pub(super) case: Json,
}

fn twins(code: &'static str, names: &'static str, bad: Guest, good: Guest, act: &Json) -> Twins {
    // What comes of it is another test's; here it is what the checks say.
    Twins { code, names, bad, good, case: case(act) }
}

pub(super) fn all() -> Vec<Twins> {
    [breaking(), reaching(), telling(), taking()].into_iter().flatten().collect()
}

fn request() -> Json {
    json!({})
}

pub(super) fn renewal() -> Json {
    json!({"flow": "renew", "fetches": [{"answer": {"body": NEW}}]})
}

fn sent() -> Json {
    json!({"replies": [{"answer": {"status": 200, "body": "{}"}}]})
}

fn grant() -> Json {
    json!({"flow": "grant"})
}

/// What breaks, or breaks the contract.
fn breaking() -> Vec<Twins> {
    vec![
        twins(
            "fault",
            "`authorize` trapped",
            plain(&[]).body("authorize", Body::code("unreachable")),
            plain(&[]),
            &request(),
        ),
        twins(
            "contract",
            "it asks for a renewal, and its descriptor has no flow `renew`",
            plain(&[]).body("authorize", answer::renew()),
            plain(&[]),
            &request(),
        ),
        twins(
            "contract",
            "with its last answer again and again, the plugin made broke the contract: it asks for renewal \
             after renewal",
            renewing().body("authorize", answer::renew()),
            renewing().body("authorize", bearer()),
            &json!({"fetches": [{"answer": {"body": NEW}}]}),
        ),
        twins(
            "contract",
            "by another method than GET or POST",
            begins(fetch("DELETE", TOKEN_URI, vec![])),
            fetches(TOKEN_URI),
            &renewal(),
        ),
    ]
}

/// What asks for more than its needs say.
fn reaching() -> Vec<Twins> {
    let lacks = |needs: &[&str]| {
        plain(needs)
            .body("authorize", answer::refusal_of("invalid-config", "account/key", "is missing"))
    };
    vec![
        twins(
            "outside-needs",
            "`read account/key`",
            lacks(&[]),
            lacks(&["read account/key"]),
            &json!({"values": {"account/token": "a-token", "account/key": "a-key"}}),
        ),
        twins(
            "outside-needs",
            "`write header/x-other`",
            sets("X-Other"),
            sets("authorization"),
            &request(),
        ),
        twins(
            "outside-needs",
            "`write path`",
            plain(&[]).body(
                "authorize",
                ready(vec![Val::of("set-path", "/x"), set_header("authorization", "x")]),
            ),
            plain(&[]),
            &request(),
        ),
        twins(
            "outside-needs",
            "`send bare`",
            plain(&[]).body("authorize", ready(vec![])),
            plain(&[]),
            &request(),
        ),
        // A connection to itself is nothing that a request could be told by.
        twins(
            "outside-needs",
            "`send bare`",
            owns(vec![]),
            owns(vec![set_header("authorization", "x")]),
            &request(),
        ),
        twins(
            "outside-needs",
            "`read header/x-date`",
            plain(&[]).body("authorize", show(&["header/x-date"])),
            plain(&[]),
            &request(),
        ),
        twins(
            "outside-needs",
            "`read reply/body`",
            watches(&[]),
            watches(&["read reply/body"]),
            &sent(),
        ),
        twins(
            "outside-needs",
            "`fetch of a value that holds https://elsewhere.example/`",
            fetches("https://elsewhere.example/"),
            fetches(TOKEN_URI),
            &renewal(),
        ),
        twins(
            "outside-needs",
            "`visit of a value that holds https://elsewhere.example/`",
            asks("https://elsewhere.example/".into()),
            asks(page(None)),
            &grant(),
        ),
        twins(
            "outside-needs",
            "`write state/other`",
            begins(renewed(vec![entry("other", "x")])),
            begins(renewed(vec![entry("tenant", "x")])),
            &renewal(),
        ),
    ]
}

/// What tells a secret.
fn telling() -> Vec<Twins> {
    vec![
        twins(
            "secret-in-log",
            "`account/token` is in the log of `authorize` (info)",
            plain(&[]).body("authorize", with_token().after(LOGS_THE_TOKEN)),
            plain(&[]).body(
                "authorize",
                with_token().after("(call $log (i32.const 1) (i32.const 0) (i32.const 4))"),
            ),
            &request(),
        ),
        // A canary leads it elsewhere, and so the token stays what it was.
        twins(
            "secret-in-log",
            "`account/token` is in the log of `authorize` (info)",
            plain(&[]).body(
                "authorize",
                Body::either(BEGINS_WITH_A, with_token().after(LOGS_THE_TOKEN), no()),
            ),
            plain(&[]).body("authorize", Body::either(BEGINS_WITH_A, bearer(), no())),
            &request(),
        ),
        twins(
            "secret-in-message",
            "`account/token` is in the message of a refusal of `authorize`",
            plain(&[]).body("authorize", refusal("denied", [Part::Text("bad: "), Part::Token])),
            plain(&[]).body("authorize", refusal("denied", "bad")),
            &request(),
        ),
        twins(
            "secret-in-attribute",
            "`account/token` is in the attribute `tenant`",
            begins(renewed(vec![entry("tenant", [Part::Token])])),
            begins(renewed(vec![entry("tenant", "acme")])),
            &renewal(),
        ),
        twins(
            "secret-in-prompt",
            "`account/token` is in the URL of a prompt",
            asks(page(Some(Part::Token))),
            asks(page(None)),
            &grant(),
        ),
        twins(
            "secret-in-view",
            "`account/token` is in the names of what it asks to see",
            plain(&[]).body(
                "authorize",
                Val::ok(Val::of(
                    "show",
                    Val::List(vec![Val::Parts(vec![Part::Text("header/"), Part::Token])]),
                )),
            ),
            plain(&[]),
            &request(),
        ),
    ]
}

/// What takes anything, or remembers what it should not.
fn taking() -> Vec<Twins> {
    vec![
        twins(
            "remembered-random",
            "moves with the seed",
            plain(&[]).body(
                "authorize",
                Body::either(
                    ON_A_COIN,
                    remembered(vec![set_header("authorization", "a")], 60),
                    remembered(vec![set_header("authorization", "b")], 60),
                ),
            ),
            plain(&[]).body(
                "authorize",
                Body::either(
                    ON_A_COIN,
                    ready(vec![set_header("authorization", "a")]),
                    ready(vec![set_header("authorization", "b")]),
                ),
            ),
            &request(),
        ),
        twins(
            "remembered-differs",
            "another one for another request",
            plain(&[]).body("authorize", by_method(60)),
            plain(&[]).body("authorize", by_method(0)),
            &request(),
        ),
        twins(
            "hostile-value",
            "with 64 KiB for `account/token`, `authorize` trapped",
            plain(&[])
                .body("authorize", Body::either(NOT_TOO_LONG, bearer(), Body::code("unreachable"))),
            plain(&[]).body("authorize", Body::either(NOT_TOO_LONG, bearer(), no())),
            &request(),
        ),
        // So often that a host would suspend it.
        twins(
            "hostile-value",
            "with letters beyond Latin-1, nothing, blanks, 64 KiB for `account/token`, `authorize`",
            plain(&[]).body(
                "authorize",
                Body::either(BEGINS_WITH_A, bearer(), Body::code("unreachable")),
            ),
            plain(&[]).body("authorize", Body::either(BEGINS_WITH_A, bearer(), no())),
            &request(),
        ),
        twins(
            "hostile-value",
            "without the memo, `authorize` trapped",
            plain(&[]).body(
                "authorize",
                Body::either("(local.get 3)", bearer(), Body::code("unreachable")),
            ),
            plain(&[]).body("authorize", Body::either("(local.get 3)", bearer(), no())),
            &json!({"memo": "nc=1"}),
        ),
        twins(
            "contract",
            "to fetch from a URL that none of its needs names",
            fetches(CLIMBS),
            fetches(TOKEN_URI),
            &renewal(),
        ),
        twins(
            "hostile-reply",
            "with an empty body, status 204, nothing, a redirect as the reply to fetch 1, `resume`",
            fetches(TOKEN_URI).body(
                "resume",
                Body::either(HAS_A_BODY, renewed(vec![]), Body::code("unreachable")),
            ),
            fetches(TOKEN_URI).body(
                "resume",
                Body::either(HAS_A_BODY, renewed(vec![]), refusal("unavailable", "nothing")),
            ),
            &renewal(),
        ),
    ]
}

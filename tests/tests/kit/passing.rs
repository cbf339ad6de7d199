//! What a case can say: each passes where all that it names is so.

use countersign_hostile::answer::{
    self, done, entry, fetch, pause, prompt, ready, ready_with, refusal, refusal_record, set_header,
};
use countersign_hostile::{AUTHORIZE_URI, Body, Guest, Part, TOKEN_URI, Val};
use countersign_kit::Kit;
use serde_json::{Value as Json, json};

use crate::scene::{NEW, TOKEN, flowing, good, one, plain, renewing};

/// The case passes; what the checks make of the guest is another matter.
fn passes(guest: &Guest, members: &Json) {
    let report = one(guest, members);
    assert!(report.cases[0].passed(), "{members:#}\n{}", report.to_text());
}

fn bearer() -> Guest {
    plain(&[]).body("authorize", ready(vec![set_header("Authorization", [Part::Token])]))
}

fn asks(step: Val) -> Guest {
    flowing(&[]).body("begin", step)
}

/// This, where so many seconds have gone by.
fn at_least(seconds: u64, answer: Val) -> Body {
    let until = 1_700_000_000_000 + seconds * 1000;
    let late = format!("(i64.ge_u (call $now) (i64.const {until}))");
    Body::either(&late, answer, refusal("unavailable", "too early"))
}

#[test]
fn the_edits_of_a_request_and_all_that_stands_beside_them() {
    passes(
        &bearer(),
        &json!({"expect": {
            "edits": [["set-header", "authorization", TOKEN]],
            "steps": ["authorize"], "remember": 0, "memo": "",
        }}),
    );
}

#[test]
fn the_request_as_it_goes_out_as_far_as_it_is_named() {
    passes(
        &bearer(),
        &json!({
            "values": {"account/token": "ü", "provider/proxy_url": "https://api.acme.example/v2"},
            "request": {"method": "POST", "path": "/x?y=1",
                "headers": [["X-A", "1"], ["x-a", "2"]], "body": {"base64": "AP8="}},
            "expect": {"request": {
                "method": "POST", "url": "https://api.acme.example/v2/x?y=1",
                "headers": [["authorization", "ü"], ["X-A", "1"], ["x-a", "2"], ["x-b", null]],
                "body": {"base64": "AP8="},
            }},
        }),
    );
}

#[test]
fn refusals_of_the_plugin_problems_of_values_and_errors_of_the_host() {
    let refuses = plain(&[]).body("authorize", refusal("denied", "not today"));
    passes(&refuses, &json!({"expect": {"refusal": {"reason": "denied", "message": "not today"}}}));
    let problem = refusal_record("invalid-config", "no");
    let judges = plain(&[]).body("validate", Val::List(vec![problem]));
    passes(
        &judges,
        &json!({"validate": true,
        "expect": {"problems": [{"reason": "invalid-config"}]}}),
    );
    passes(
        &plain(&[]),
        &json!({"values": {"provider/proxy_url": "http://api.example.com"},
        "expect": {"error": {"code": "target_refused"}}}),
    );
}

#[test]
fn a_renewal_by_itself_and_before_a_request() {
    passes(
        &renewing(),
        &json!({
            "flow": "renew",
            "fetches": [{
                "expect": {"method": "POST", "url": TOKEN_URI,
                    "headers": [["Accept", "application/json"]],
                    "body": "grant_type=refresh_token"},
                "answer": {"body": NEW},
            }],
            "expect": {"state": {"secrets": {"access_token": "new-token-1"}},
                "steps": ["begin", "resume"]},
        }),
    );
    // The new token has eleven bytes.
    let is_new = "(i32.eq (i32.const 11)
        (i32.load offset=12 (call $token (local.get 0) (local.get 1))))";
    let sets = ready(vec![set_header("authorization", [Part::Token])]);
    let guest = renewing().body("authorize", Body::either(is_new, sets, answer::renew()));
    passes(
        &guest,
        &json!({
            "state": {"secrets": {"access_token": "old"}, "expires_at": 5}, "now": 9,
            "fetches": [{"answer": {"body": NEW}}],
            "expect": {"edits": [["set-header", "authorization", "new-token-1"]],
                "state": {"secrets": {"access_token": "new-token-1"}},
                "steps": ["authorize", "begin", "resume", "authorize"]},
        }),
    );
}

#[test]
fn placeholders_of_urls_are_filled_with_the_fields_of_the_case() {
    let guest = renewing()
        .body("begin", fetch("POST", format!("https://{TOKEN}.as.example/token"), vec![]));
    let fetches = json!([{"answer": {"body": NEW}}]);
    let expect = json!({"state": {"secrets": {"access_token": "new-token-1"}}});
    passes(
        &guest,
        &json!({
            "flow": "renew",
            "values": {
                "account/token": TOKEN,
                "pattern/fields/0/field_name": "token",
                // As in a payload, where the connection's secrets go there.
                "pattern/fields/0/pattern": "a-token-[a-z-]+",
                "pattern/oauth_config/token_uri": "https://{{token}}.as.example/token",
            },
            "fetches": fetches, "expect": expect,
        }),
    );
}

#[test]
fn a_fetch_that_nothing_comes_back_from() {
    let nothing_came = "(i32.eq (local.get 4) (i32.const 1))";
    let refuses = refusal("unavailable", "nothing came");
    let guest =
        renewing().body("resume", Body::either(nothing_came, refuses, done(vec![], vec![])));
    for failed in ["timed-out", "unreachable", "closed", "too-large"] {
        passes(
            &guest,
            &json!({"flow": "renew", "fetches": [{"failed": failed}],
            "expect": {"refusal": {"reason": "unavailable"}}}),
        );
    }
}

#[test]
fn a_grant_from_pause_to_pause() {
    let page = Val::Parts(vec![Part::Text(AUTHORIZE_URI), Part::Text("?state="), Part::Param(7)]);
    let consent = prompt(page, [Part::Param(7)]);
    let url = format!("{AUTHORIZE_URI}?state={{state-token}}");
    passes(&asks(consent.clone()), &json!({"flow": "grant", "expect": {"pause": {"url": url}}}));
    let granted = done(vec![entry("access_token", "granted-token")], vec![]);
    passes(
        &asks(consent).body("resume", granted),
        &json!({
            "flow": "grant",
            "pauses": [{"expect": {"url": url, "code": null}, "callback": {"code": "c"}}],
            "expect": {"state": {"secrets": {"access_token": "granted-token"}}},
        }),
    );
    let later = at_least(5, done(vec![], vec![entry("tenant", "t")]));
    passes(
        &asks(pause(Val::some(5))).body("resume", later),
        &json!({
            "flow": "grant",
            "pauses": [{"expect": {"seconds": 5}, "elapsed": true}],
            "expect": {"state": {"secrets": {}, "attributes": {"tenant": "t"}}},
        }),
    );
}

/// It takes no time here, and the clock moves all the same.
#[test]
fn a_wait_with_nobody_there() {
    let guest = asks(pause(Val::some(20))).body("resume", at_least(20, done(vec![], vec![])));
    passes(
        &guest,
        &json!({"flow": "renew",
        "expect": {"state": {}, "steps": ["begin", "resume"]}}),
    );
}

#[test]
fn replies_that_the_plugin_watches_for_and_what_is_delivered() {
    let edits = Val::List(vec![set_header("authorization", "x")]);
    let watches = ready_with(edits, vec![answer::watch_any(64)], Val::some("nc=1"));
    // The word after values and memo is the reply's status.
    let reacts = Body::either(
        "(i32.eq (local.get 4) (i32.const 401))",
        answer::reaction(Val::of("again", "2")),
        answer::reaction(Val::case("deliver")),
    );
    let guest = plain(&["read reply/body"]).body("authorize", watches).body("replied", reacts);
    passes(
        &guest,
        &json!({
            "memo": "nc=0",
            "replies": [
                {"expect": {"url": "https://api.example.com/"}, "answer": {"status": 401}},
                {"answer": {"status": 404, "headers": [["x-a", "1"]], "body": "gone"}},
            ],
            "expect": {"edits": [["set-header", "authorization", "x"]], "memo": "nc=1",
                "reply": {"status": 404, "headers": [["x-a", "1"]], "body": "gone"},
                "steps": ["authorize", "replied", "authorize", "replied"]},
        }),
    );
}

/// It runs beside the request, on another thread.
#[test]
fn a_renewal_ahead_of_its_time_is_of_the_case_and_in_the_same_order_each_time() {
    // Long enough for the renewal to overtake it, if it could.
    let spins = "(global.set $kept (i32.const 300000))
        (loop $spin
          (global.set $kept (i32.sub (global.get $kept) (i32.const 1)))
          (br_if $spin (global.get $kept)))";
    let answer = Body::from(ready(vec![set_header("authorization", "as it was")]));
    let guest = renewing().body("authorize", answer.after(spins));
    let members = json!({
        "state": {"secrets": {"access_token": "old-token-1"}, "renew_at": 5}, "now": 9,
        "fetches": [{"answer": {"body": NEW}}],
        "expect": {"edits": [["set-header", "authorization", "as it was"]],
            "state": {"secrets": {"access_token": "new-token-1"}},
            "steps": ["authorize", "begin", "resume"]},
    });
    for _ in 0..5 {
        one(&guest, &members).assert();
    }
}

#[test]
fn a_state_and_a_memo_are_what_the_plugin_is_shown() {
    // The fourth word is the memo's length, and nothing but the memo of the case is as long.
    let guest = plain(&["read state/tenant"]).body(
        "authorize",
        Body::either(
            "(i32.eq (local.get 3) (i32.const 4))",
            ready(vec![set_header("authorization", "with")]),
            ready(vec![set_header("authorization", "without")]),
        ),
    );
    for (memo, sent) in [(json!("nc=7"), "with"), (Json::Null, "without")] {
        let expect = json!({"edits": [["set-header", "authorization", sent]]});
        one(&guest, &json!({"memo": memo, "expect": expect})).assert();
    }
}

#[test]
fn each_file_runs_once_and_a_link_to_a_folder_is_not_followed() {
    let (_, folder) = good();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("again")).unwrap();
    let kit = Kit::new("made", &plain(&[]).build().unwrap()).unwrap();
    let kit = kit.cases_in(folder.path()).unwrap();
    let kit = kit.cases_in(folder.path().join("cases.json")).unwrap();
    assert_eq!(kit.files().len(), 1);
}

//! What a case can say, and what is told where it says otherwise.

use countersign_hostile::answer::{
    self, done, entry, fetch, pause, prompt, ready, ready_with, set_header,
};
use countersign_hostile::{AUTHORIZE_URI, Body, Guest, Part, TOKEN_URI, Val};
use countersign_kit::{Kit, KitError, Report};
use countersign_tests::{Folder, bundled_one};
use serde_json::{Value as Json, json};

use crate::scene::{TOKEN, case, flowing, kit, plain, run};

const NEW: &str = r#"{"access_token": "new-token-1"}"#;

fn renewing() -> Guest {
    flowing(&[])
        .body("begin", fetch("POST", TOKEN_URI, vec![entry("accept", "application/json")]))
        .body("resume", done(vec![entry("access_token", "new-token-1")], vec![]))
}

/// This, where so many seconds have gone by.
fn at_least(seconds: u64, answer: Val) -> Body {
    let until = 1_700_000_000_000 + seconds * 1000;
    let late = format!("(i64.ge_u (call $now) (i64.const {until}))");
    Body::either(&late, answer, answer::refusal("unavailable", "too early"))
}

fn one(guest: &Guest, members: &Json) -> Report {
    run(guest, &json!([case(members)])).unwrap()
}

/// All differences of a report, as their places and what they are.
fn places(report: &Report) -> Vec<(String, &'static str)> {
    let all = report.cases.iter().flat_map(|case| &case.differences);
    all.map(|it| (it.place.clone(), it.what)).collect()
}

#[test]
fn a_case_passes_where_all_that_it_names_is_so() {
    let bearer =
        || plain(&[]).body("authorize", ready(vec![set_header("Authorization", [Part::Token])]));
    let asks = |step: Val| flowing(&[]).body("begin", step);
    let page = Val::Parts(vec![Part::Text(AUTHORIZE_URI), Part::Text("?state="), Part::Param(7)]);
    let consent = prompt(page, [Part::Param(7)]);
    let tries_again = || {
        let edits = Val::List(vec![set_header("authorization", "x")]);
        plain(&["read reply/body"])
            .body("authorize", ready_with(edits, vec![answer::watch_any(64)], Val::some("nc=1")))
            .body(
                "replied",
                Body::either(
                    // The second word of a reply is its status.
                    "(i32.eq (local.get 4) (i32.const 401))",
                    answer::reaction(Val::of("again", "2")),
                    answer::reaction(Val::case("deliver")),
                ),
            )
    };
    for (guest, members) in [
        (bearer(), json!({"expect": {"edits": [["set-header", "authorization", TOKEN]], "steps": ["authorize"], "remember": 0, "memo": ""}})),
        (bearer(), json!({
            "values": {"account/token": "ü", "provider/proxy_url": "https://api.acme.example/v2"},
            "request": {"method": "POST", "path": "/x?y=1", "headers": [["X-A", "1"], ["x-a", "2"]], "body": {"base64": "AP8="}},
            "expect": {"request": {"method": "POST", "url": "https://api.acme.example/v2/x?y=1",
                "headers": [["authorization", "ü"], ["X-A", "1"], ["x-a", "2"], ["x-b", null]], "body": {"base64": "AP8="}}},
        })),
        (plain(&[]).body("authorize", answer::refusal("denied", "not today")),
            json!({"expect": {"refusal": {"reason": "denied", "message": "not today"}}})),
        (plain(&[]).body("validate", Val::List(vec![answer::refusal_record("invalid-config", "no")])),
            json!({"validate": true, "expect": {"problems": [{"reason": "invalid-config"}]}})),
        (plain(&[]), json!({"values": {"provider/proxy_url": "http://api.example.com"},
            "expect": {"error": {"code": "target_refused"}}})),
        (renewing(), json!({"flow": "renew", "fetches": [{
            "expect": {"method": "POST", "url": TOKEN_URI, "headers": [["Accept", "application/json"]], "body": "grant_type=refresh_token"},
            "answer": {"body": NEW}}],
            "expect": {"state": {"secrets": {"access_token": "new-token-1"}}, "steps": ["begin", "resume"]}})),
        (renewing().body("authorize", Body::either("(i32.eq (i32.load offset=12 (call $token (local.get 0) (local.get 1))) (i32.const 11))",
            ready(vec![set_header("authorization", [Part::Token])]), answer::renew())),
            json!({"state": {"secrets": {"access_token": "old"}, "expires_at": 5}, "now": 9,
            "fetches": [{"answer": {"body": NEW}}],
            "expect": {"edits": [["set-header", "authorization", "new-token-1"]],
                "state": {"secrets": {"access_token": "new-token-1"}},
                "steps": ["authorize", "begin", "resume", "authorize"]}})),
        (renewing().body("resume", Body::either("(i32.eq (local.get 4) (i32.const 1))",
            answer::refusal("unavailable", "nothing came"), done(vec![], vec![]))),
            json!({"flow": "renew", "fetches": [{"failed": "timed-out"}],
            "expect": {"refusal": {"reason": "unavailable"}}})),
        (asks(consent.clone()), json!({"flow": "grant",
            "expect": {"pause": {"url": format!("{AUTHORIZE_URI}?state={{state-token}}")}}})),
        (asks(consent).body("resume", done(vec![entry("access_token", "granted-token")], vec![])),
            json!({"flow": "grant", "pauses": [{
                "expect": {"url": format!("{AUTHORIZE_URI}?state={{state-token}}"), "code": null},
                "callback": {"code": "c"}}],
            "expect": {"state": {"secrets": {"access_token": "granted-token"}}}})),
        (asks(pause(Val::some(5))).body("resume", at_least(5, done(vec![], vec![entry("tenant", "t")]))),
            json!({"flow": "grant", "pauses": [{"expect": {"seconds": 5}, "elapsed": true}],
            "expect": {"state": {"secrets": {}, "attributes": {"tenant": "t"}}}})),
        // A wait with nobody there takes no time here, and the clock moves all the same.
        (asks(pause(Val::some(20))).body("resume", at_least(20, done(vec![], vec![]))),
            json!({"flow": "renew", "expect": {"state": {}, "steps": ["begin", "resume"]}})),
        (tries_again(), json!({"memo": "nc=0", "replies": [
                {"expect": {"url": "https://api.example.com/"}, "answer": {"status": 401}},
                {"answer": {"status": 404, "headers": [["x-a", "1"]], "body": "gone"}}],
            "expect": {"edits": [["set-header", "authorization", "x"]], "memo": "nc=1",
                "reply": {"status": 404, "headers": [["x-a", "1"]], "body": "gone"},
                "steps": ["authorize", "replied", "authorize", "replied"]}})),
    ] {
        let report = one(&guest, &members);
        assert!(report.cases[0].passed(), "{members:#}\n{}", report.to_text());
    }
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
    let refused = json!({"error": {"code": "plugin_contract"}});
    one(&guest, &json!({"memo": "x".repeat(4097), "expect": refused})).assert();
    for (memo, sent) in [(json!("nc=7"), "with"), (Json::Null, "without")] {
        let expect = json!({"edits": [["set-header", "authorization", sent]]});
        one(&guest, &json!({"memo": memo, "expect": expect})).assert();
    }
}

#[test]
fn what_is_otherwise_is_told_with_its_place_and_the_lines_that_differ() {
    let report = one(
        &plain(&[]),
        &json!({"expect": {"edits": [["set-header", "authorization", "other"]], "steps": []}}),
    );
    let not = "not as expected";
    assert_eq!(places(&report), [("/0/expect/edits".into(), not), ("/0/expect/steps".into(), not)]);
    let text = report.to_text();
    assert!(text.contains("-    \"other\"\n") && text.contains("+    \"Hostile\"\n"), "{text}");
    assert!(!report.passed());

    let report = one(&plain(&[]), &json!({"expect": {"refusal": {"reason": "denied"}}}));
    assert_eq!(places(&report), [("/0/expect".into(), not)]);
    let fetches = json!([{"expect": {"body": "other"}, "answer": {"body": NEW}}]);
    let expect = json!({"state": {"secrets": {"access_token": "new-token-1"}, "expires_after": 1}});
    let report = one(&renewing(), &json!({"flow": "renew", "fetches": fetches, "expect": expect}));
    let found = places(&report);
    assert_eq!(found, [("/0/expect/state".into(), not), ("/0/fetches/0/expect".into(), not)]);
    let report = one(&plain(&[]), &json!({}));
    assert!(report.cases[0].differences[0].what.contains("--bless"), "{}", report.to_text());
}

#[test]
fn an_answer_that_is_never_asked_for_fails_and_so_does_a_fetch_without_one() {
    let answer = json!({"answer": {"body": NEW}});
    let expect = json!({"state": {"secrets": {"access_token": "new-token-1"}}});
    let report =
        one(&renewing(), &json!({"flow": "renew", "fetches": [answer, answer], "expect": expect}));
    assert_eq!(places(&report), [("/0/fetches/1".into(), "scripted, and never asked for")]);
    let report = one(
        &plain(&[]),
        &json!({"fetches": [answer], "expect": {"edits": [["set-header", "authorization", "Hostile"]]}}),
    );
    assert_eq!(places(&report), [("/0/fetches/0".into(), "scripted, and never asked for")]);
    let report = one(
        &renewing(),
        &json!({"flow": "renew", "expect": {"error": {"code": "address_refused"}}}),
    );
    assert_eq!(
        places(&report),
        [("/0/fetches/0".into(), "asked for, and the case has no answer to it")]
    );
    let report =
        one(&plain(&[]), &json!({"replies": [], "expect": {"error": {"code": "address_refused"}}}));
    assert_eq!(
        places(&report),
        [("/0/replies/0".into(), "asked for, and the case has no answer to it")]
    );
    let pauses = json!([{"elapsed": true}]);
    let report = one(
        &flowing(&[]).body("begin", done(vec![], vec![])),
        &json!({"flow": "grant", "pauses": pauses, "expect": {"state": {}}}),
    );
    assert_eq!(places(&report), [("/0/pauses/0".into(), "scripted, and never asked for")]);
}

#[test]
fn every_flaw_of_every_file_is_told_at_once() {
    let folder = Folder::new();
    folder.put("a.json", json!({"values": {"account/token": 1}, "cases": [
        {"name": "x", "value": {}, "expect": {"edits": [["set-header", "a"]]}},
        {"name": "x", "values": {"state/a": "b", "token": "c"}, "expect": {"refusal": {"reason": "no"}, "edits": []}},
        {"flow": "revoke", "expect": {"state": {"secret": {}}}},
        {"name": "y", "fetches": [{"answer": {}, "failed": "closed"}, {"failed": "often"}], "expect": {}},
        {"name": "z", "request": {"path": "x", "method": "A B"}, "validate": true, "expect": {"problems": []}},
        {"name": "u", "values": {"provider/proxy_url": "nowhere"}, "expect": {"edits": []}},
    ]}).to_string());
    folder.put("b.json", "[");
    folder.put("c.json", "[]");
    folder.put(
        "d.json",
        r#"{"auth_type": "OTHER", "cases": [{"name": "n", "expect": {"edits": []}}]}"#,
    );
    let kit = Kit::new("made", &renewing().build().unwrap()).unwrap();
    let Err(KitError::Cases(flawed)) = kit.cases_in(folder.path()) else { panic!("they are bad") };
    let told: Vec<String> = flawed
        .0
        .iter()
        .map(|(path, flaw)| {
            format!("{} {}", path.file_name().unwrap().to_str().unwrap(), flaw.place)
        })
        .collect();
    assert_eq!(
        told,
        [
            "a.json /values/account~1token",
            "a.json /cases/0/value",
            "a.json /cases/0/expect/edits/0",
            "a.json /cases/1/values/state~1a",
            "a.json /cases/1/values/token",
            "a.json /cases/1/expect",
            "a.json /cases/1/expect/refusal/reason",
            "a.json /cases/1/name",
            "a.json /cases/2/name",
            "a.json /cases/2/flow",
            "a.json /cases/2/expect/state/secret",
            "a.json /cases/3/fetches/0",
            "a.json /cases/3/fetches/1/failed",
            "a.json /cases/3/expect",
            "a.json /cases/4/validate",
            "a.json /cases/5/values",
            "b.json ",
            "c.json ",
            "d.json /cases/0/auth_type",
        ],
        "{flawed}"
    );
}

#[test]
fn without_a_case_nothing_has_passed() {
    let kit = Kit::new("bearer", bundled_one("bearer").1).unwrap();
    let report = kit.run();
    assert!(!report.passed() && report.to_text().contains("nothing was tested"));
    let (kit, _folder) = kit_of_one();
    let report = kit.only("another").run();
    assert!(!report.passed() && report.to_text().contains("no case is named `another`"));
}

fn kit_of_one() -> (Kit, Folder) {
    kit(
        &plain(&[]),
        &json!([case(&json!({"expect": {"edits": [["set-header", "authorization", "Hostile"]]}}))]),
    )
    .unwrap()
}

#[test]
fn what_is_blessed_passes_and_says_what_it_said_before() {
    let cases = json!({"about": "kept", "cases": [
        case(&json!({"name": "good", "expect": {"edits": [["set-header", "Authorization", "renewed"]]}})),
        case(&json!({"name": "bare"})),
        case(&json!({"name": "end", "about": "another end", "expect": {"refusal": {"reason": "denied"}, "remember": 7}})),
        case(&json!({"name": "part", "flow": "renew", "fetches": [{"expect": {"method": "GET", "headers": [["accept", "x"]]}, "answer": {"body": NEW}}],
            "expect": {"state": {}}})),
    ]});
    let guest = renewing().body("authorize", ready(vec![set_header("authorization", "renewed")]));
    let (kit, folder) = kit(&guest, &cases).unwrap();
    let file = folder.path().join("cases.json");
    assert_eq!(kit.bless(&kit.run()).unwrap(), std::slice::from_ref(&file));
    let written: Json = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let mut wanted = cases.clone();
    let edits = json!([["set-header", "authorization", "renewed"]]);
    wanted["cases"][1]["expect"] = json!({"edits": edits});
    wanted["cases"][2]["expect"] = json!({"edits": edits, "remember": 0});
    wanted["cases"][3]["expect"] = json!({"state": {"secrets": {"access_token": "new-token-1"}}});
    wanted["cases"][3]["fetches"][0]["expect"] =
        json!({"method": "POST", "headers": [["accept", "application/json"]]});
    assert_eq!(written, wanted);
    let kit = Kit::new("made", &guest.build().unwrap()).unwrap().cases_in(&file).unwrap();
    let report = kit.run();
    report.assert();
    assert!(kit.bless(&report).unwrap().is_empty());
}

#[test]
fn a_finding_is_not_blessed_away() {
    let guest = plain(&[]).body("authorize", ready(vec![set_header("x-other", "x")]));
    let (kit, folder) = kit(&guest, &json!([case(&json!({}))])).unwrap();
    kit.bless(&kit.run()).unwrap();
    let file = folder.path().join("cases.json");
    let kit = Kit::new("made", &guest.build().unwrap()).unwrap().cases_in(file).unwrap();
    let report = kit.run();
    assert!(report.cases[0].passed() && !report.passed(), "{}", report.to_text());
}

#[test]
fn what_moves_with_the_clock_and_with_the_seed_is_noticed() {
    let coin = "(i32.and (block (result i32)
        (call $random (i32.const 1) (i32.const 0))
        (i32.load8_u (i32.load (i32.const 0)))) (i32.const 1))";
    let hour = "(i64.ge_u (call $now) (i64.const 1700000000001))";
    for (code, condition) in [("moves-with-seed", coin), ("moves-with-clock", hour)] {
        let guest = plain(&[]).body(
            "authorize",
            Body::either(
                condition,
                ready(vec![set_header("authorization", "a")]),
                ready(vec![set_header("authorization", "b")]),
            ),
        );
        let cases: Json = (1..=8)
            .map(|seed| case(&json!({"name": format!("seed {seed}"), "seed": seed})))
            .collect();
        let report = run(&guest, &cases).unwrap();
        let noticed: Vec<_> =
            report.notes.iter().filter(|it| it.code.starts_with("moves")).collect();
        assert_eq!(noticed.len(), 1, "{}", report.to_text());
        assert_eq!(
            (noticed[0].code, noticed[0].what.as_str()),
            (code, "authorize/ready/edits/0/2")
        );
        assert!(report.findings.is_empty(), "{}", report.to_text());
    }
}

#[test]
fn a_report_for_machines_says_the_same_and_is_well_formed() {
    let name = "a \u{1} <case> & \"more\"";
    let report =
        one(&plain(&[]).body("authorize", Body::code("unreachable")), &json!({"name": name}));
    let json = report.to_json();
    assert_eq!(json["passed"], false);
    assert_eq!(
        (&json["cases"][0]["name"], &json["findings"][0]["code"]),
        (&json!(name), &json!("fault"))
    );
    assert_eq!(json["cases"][0]["steps"], json!(["authorize"]));
    let xml = String::from_utf8(report.to_junit()).unwrap();
    assert!(xml.contains(r#"name="a � &lt;case&gt; &amp; &quot;more&quot;""#), "{xml}");
    assert!(
        xml.contains(r#"<testsuite name="checks" tests="13" failures="1" errors="0">"#),
        "{xml}"
    );
    assert!(xml.contains(r#"<testcase classname="checks" name="secret-in-log"/>"#), "{xml}");
    let mut reader = quick_xml::Reader::from_str(&xml);
    reader.config_mut().check_comments = true;
    while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}
}

#[tokio::test]
async fn a_test_that_is_async_may_run_it_too() {
    kit_of_one().0.run().assert();
}

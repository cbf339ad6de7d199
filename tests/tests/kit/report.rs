//! What a report says beside what differs.

use countersign_hostile::answer::{self, done, entry, ready, set_header};
use countersign_hostile::{Body, Guest, Part, Val};
use serde_json::{Value as Json, json};

use crate::scene::{NEW, case, good, one, plain, remembered, renewing, run};

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

/// A case that is about a broken contract passes, and hides nothing of what other cases find.
#[test]
fn what_a_case_expects_to_break_is_found_with_hostile_values_all_the_same() {
    let renews = || answer::renew();
    let is_short = "(i32.lt_u (i32.load offset=12 (call $token (local.get 0) (local.get 1))) \
                    (i32.const 1000))";
    let guest = plain(&[]).body(
        "authorize",
        Body::either(is_short, ready(vec![set_header("authorization", "a")]), renews()),
    );
    let good = case(&json!({"expect": {"edits": [["set-header", "authorization", "a"]]}}));
    let long = json!({"name": "long", "values": {"account/token": "x".repeat(2000)},
        "expect": {"error": {"code": "plugin_contract"}}});
    let report = run(&guest, &json!([good, long])).unwrap();
    let codes: Vec<_> = report.findings.iter().map(|it| it.code).collect();
    assert_eq!(codes, ["hostile-value"], "{}", report.to_text());
}

/// A value that only the host uses may be named all the same, by a case that says so; and one that is
/// presented has to be named unseen.
#[test]
fn a_refusal_over_a_value_that_is_rightly_not_read_accuses_nobody() {
    let refuses = |needs: &[&str], name: &str| {
        plain(needs).body("authorize", answer::refusal_of("invalid-config", name, "is wrong"))
    };
    let expects = json!({"values": {"account/token": "t", "account/domain": "d"},
        "expect": {"refusal": {"reason": "invalid-config", "field": "account/domain"}}});
    let report = one(&refuses(&[], "account/domain"), &expects);
    assert!(report.findings.is_empty(), "{}", report.to_text());
    let mut other = expects.clone();
    other["expect"]["refusal"]["field"] = "account/token".into();
    let report = one(&refuses(&[], "account/domain"), &other);
    assert_eq!(report.findings.len(), 1, "{}", report.to_text());
    let needs = ["write client-certificate/account/key"];
    let presents = json!({"values": {"account/token": "t", "account/key": "k"}});
    let report = one(&refuses(&needs, "account/key"), &presents);
    assert!(report.findings.is_empty(), "{}", report.to_text());
}

/// Of a plugin that breaks, its last lines may be all that says why.
#[test]
fn what_a_failing_case_logged_is_shown_with_it() {
    let says = "(i32.store (i32.const 0) (i32.const 0x21212121))
        (call $log (i32.const 1) (i32.const 0) (i32.const 4))";
    let breaks = plain(&[]).body("authorize", Body::code(&format!("{says} unreachable")));
    let report = one(&breaks, &json!({}));
    assert!(report.to_text().contains("          log info: !!!!\n"), "{}", report.to_text());
    assert_eq!(report.to_json()["cases"][0]["log"], json!(["info: !!!!"]));
    let junit = String::from_utf8(report.to_junit()).unwrap();
    assert!(junit.contains("log info: !!!!"), "{junit}");
    let good = ready(vec![set_header("authorization", "a")]);
    let guest = plain(&[]).body("authorize", Body::from(good).after(says));
    let edits = json!({"expect": {"edits": [["set-header", "authorization", "a"]]}});
    let report = one(&guest, &edits);
    assert!(report.passed() && !report.to_text().contains("log info"), "{}", report.to_text());
}

#[tokio::test]
async fn a_test_that_is_async_may_run_it_too() {
    good().0.run().assert();
}

#[test]
fn what_is_worth_knowing_is_noticed_and_fails_nothing() {
    let path = Val::of("set-path", "/x");
    let header = |value: Val| set_header("authorization", value);
    for (guest, code, what) in [
        (
            plain(&[]).body("authorize", ready(vec![header([Part::Token].into())])),
            "left-to-the-host",
            "`account/token` is passed on with a line break, a line feed, NUL, ",
        ),
        (
            plain(&["write path"])
                .body("authorize", remembered(vec![header("x".into()), path], 60)),
            "remembered-in-vain",
            "it sets the path or the body",
        ),
    ] {
        let report = one(&guest, &json!({}));
        let noticed = |it: &countersign_kit::Note| it.code == code && it.what.contains(what);
        assert!(report.notes.iter().any(noticed), "{code}:\n{}", report.to_text());
        assert!(report.findings.is_empty(), "{}", report.to_text());
    }
}

/// Each of its values would be told by itself, and none of them has a part in it.
#[test]
fn what_goes_wrong_whatever_the_values_is_not_laid_to_them() {
    let out_of_needs =
        plain(&[]).body("authorize", ready(vec![set_header("x-other", [Part::Token])]));
    let report = one(&out_of_needs, &json!({}));
    assert_eq!(report.findings.len(), 1, "{}", report.to_text());
    assert!(report.notes.iter().all(|it| it.code != "left-to-the-host"), "{}", report.to_text());

    let is_there = "(i32.load offset=12 (call $token (local.get 0) (local.get 1)))";
    let guest = plain(&[]).body(
        "authorize",
        Body::either(
            is_there,
            ready(vec![set_header("authorization", "a")]),
            Body::code("unreachable"),
        ),
    );
    let empty = json!({"name": "empty", "values": {"account/token": ""}});
    let codes = |guest: &Guest, cases: &Json| {
        let report = run(guest, cases).unwrap();
        report.findings.iter().map(|it| it.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(&guest, &json!([case(&json!({}))])), ["hostile-value"]);
    assert_eq!(codes(&guest, &json!([case(&json!({})), empty])), ["fault"]);

    let has_a_body = "(i32.ne (local.get 9) (i32.const 0))";
    let good = done(vec![entry("access_token", "new-token-1")], vec![]);
    let guest =
        renewing().body("resume", Body::either(has_a_body, good, Body::code("unreachable")));
    let renewal = |name: &str, body: &str| {
        let expect = json!({"state": {"secrets": {"access_token": "new-token-1"}}});
        let fetches = json!([{"answer": {"body": body}}]);
        case(&json!({"name": name, "flow": "renew", "fetches": fetches, "expect": expect}))
    };
    let again = renewing().body("authorize", answer::renew());
    let case_of_one = case(&json!({"fetches": [{"answer": {"body": NEW}}]}));
    assert_eq!(codes(&again, &json!([case_of_one])), ["contract"]);
    let text = run(&again, &json!([case_of_one])).unwrap().to_text();
    assert!(text.contains("the case has no answer to it") && !text.contains("it says"), "{text}");
    let (full, bare) = (renewal("full", NEW), renewal("bare", ""));
    assert_eq!(codes(&guest, &json!([full])), ["hostile-reply"]);
    assert_eq!(codes(&guest, &json!([full, bare])), ["fault"]);
}

#[test]
fn a_name_that_no_case_has_fails_in_every_report() {
    let (kit, _folder) = good();
    let report = kit.only("a case").only("nope").run();
    assert!(!report.passed());
    let junit = String::from_utf8(report.to_junit()).unwrap();
    assert!(junit.contains("no case has this name") && junit.contains("nope"), "{junit}");
}

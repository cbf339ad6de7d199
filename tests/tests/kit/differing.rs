//! What is told where a run is not what its case says.

use countersign_hostile::answer::done;
use countersign_kit::Report;
use serde_json::json;

use crate::scene::{NEW, flowing, one, plain, renewing};

/// All differences of a report, as their places and what they are.
fn places(report: &Report) -> Vec<(String, &'static str)> {
    let all = report.cases.iter().flat_map(|case| &case.differences);
    all.map(|it| (it.place.clone(), it.what)).collect()
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
        &json!({"fetches": [answer],
            "expect": {"edits": [["set-header", "authorization", "Hostile"]]}}),
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

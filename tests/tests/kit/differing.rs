//! What is told where a run is not what its case says.

use countersign_hostile::Val;
use countersign_hostile::answer::{done, ready, refusal, set_header};
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
    assert_eq!(places(&report), [("/0/expect".into(), "the case expects nothing yet")]);
}

/// Reason and field alone may say little of why.
#[test]
fn what_a_refusal_or_an_error_says_is_told_where_the_case_does_not_name_it() {
    let refused = plain(&[]).body("authorize", refusal("invalid-config", "too long by 3"));
    let edits = json!({"expect": {"edits": []}});
    let other = json!({"expect": {"refusal": {"reason": "denied"}, "steps": []}});
    for (guest, members, said) in [
        (&refused, &edits, "too long by 3"),
        (&refused, &other, "too long by 3"),
        (&refused, &json!({}), "too long by 3"),
        (
            &plain(&[]).body("authorize", ready(vec![set_header("x-other", "x")])),
            &edits,
            "set-header x-other is outside what the plugin may do",
        ),
    ] {
        let report = one(guest, members);
        let told: Vec<&String> =
            report.cases[0].differences.iter().filter_map(|it| it.said.as_ref()).collect();
        assert!(told.len() == 1 && told[0].contains(said), "{}", report.to_text());
        assert!(report.to_text().contains(&format!("it says: {}", told[0])));
        let json = report.to_json();
        assert_eq!(json["cases"][0]["differences"][0]["said"], told[0].as_str());
    }
    let named = json!({"expect": {"refusal": {"reason": "denied", "message": "no"}}});
    for (members, says) in
        [(&named, "+  \"message\": \"too long by 3\""), (&edits, "- is expected")]
    {
        let text = one(&refused, members).to_text();
        assert!(text.contains(says), "{text}");
    }
    let text = one(&refused, &named).to_text();
    assert!(!text.contains("it says"), "{text}");
    let good = one(&plain(&[]), &json!({"expect": {"edits": []}}));
    assert!(!good.to_text().contains("it says"), "{}", good.to_text());
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

#[test]
fn a_state_that_a_renewal_left_does_not_stand_for_a_request_that_failed() {
    let renew = Val::ok(Val::of("renew", Val::from("")));
    let guest = renewing().body("authorize", renew);
    let fetches = json!([{"answer": {"body": NEW}}, {"answer": {"body": NEW}}]);
    let state = json!({"secrets": {"access_token": "new-token-1"}});
    let report = one(&guest, &json!({"fetches": fetches, "expect": {"state": state}}));
    let differences = &report.cases[0].differences;
    assert_eq!(differences.len(), 1, "{}", report.to_text());
    assert_eq!(differences[0].place, "/0/expect");
    let found = differences[0].found.as_ref().unwrap();
    assert!(found["error"]["code"].is_string(), "{found}");
    // Blessed, it says both.
    let error = json!({"code": found["error"]["code"]});
    let both = json!({"state": state, "error": error});
    let report = one(&guest, &json!({"fetches": fetches, "expect": both}));
    assert!(report.cases[0].passed(), "{}", report.to_text());
}

#[test]
fn a_body_with_blanks_that_json_writes_otherwise_is_the_same_body() {
    for body in ["a\tb\r\nc", "plain"] {
        let request = json!({"method": "POST", "body": body});
        let report =
            one(&plain(&[]), &json!({"request": request, "expect": {"request": {"body": body}}}));
        assert!(report.cases[0].passed(), "{}", report.to_text());
    }
    let guest = plain(&["write body"]).body(
        "authorize",
        ready(vec![set_header("authorization", "a"), Val::of("set-body", Val::from("hi"))]),
    );
    let show = json!([["set-header", "authorization", "a"], ["set-body", {"base64": "aGk="}]]);
    let report = one(&guest, &json!({"expect": {"edits": show}}));
    assert!(report.cases[0].passed(), "{}", report.to_text());
}

#[test]
fn the_end_of_time_is_a_time() {
    let never = json!({"secrets": {"access_token": "t"}, "expires_at": u64::MAX});
    let expect = json!({"edits": [["set-header", "authorization", "Hostile"]]});
    let case = json!({"now": u64::MAX - 1, "state": never, "expect": expect});
    let report = one(&plain(&[]), &case);
    assert!(report.cases[0].passed(), "{}", report.to_text());
}

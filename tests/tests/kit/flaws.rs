//! Files that cannot be used, and cases that are not there.

use countersign_kit::{Kit, KitError};
use countersign_tests::{Folder, bundled_one};
use serde_json::json;

use crate::scene::{good, renewing};

#[test]
fn every_flaw_of_every_file_is_told_at_once() {
    let folder = Folder::new();
    folder.put(
        "a.json",
        json!({"values": {"account/token": 1}, "cases": [
            {"name": "x", "value": {}, "expect": {"edits": [["set-header", "a"]]}},
            {"name": "x", "values": {"state/a": "b", "token": "c"},
                "expect": {"refusal": {"reason": "no"}, "edits": []}},
            {"flow": "revoke", "expect": {"state": {"secret": {}}}},
            {"name": "y", "fetches": [{"answer": {}, "failed": "closed"}, {"failed": "often"}],
                "expect": {}},
            {"name": "z", "request": {"path": "x", "method": "A B"}, "validate": true,
                "expect": {"problems": []}},
            {"name": "u", "values": {"provider/proxy_url": "nowhere"}, "expect": {"edits": []}},
        ]})
        .to_string(),
    );
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

/// Which of the two counts is for nobody to guess.
#[test]
fn a_member_that_stands_twice_is_refused_wherever_it_stands() {
    let folder = Folder::new();
    folder.put(
        "a.json",
        r#"{"values": {"account/token": "a", "account/token": "b"}, "cases": [
            {"name": "x", "expect": {"refusal": {"reason": "denied"}},
                "expect": {"edits": [], "edits": []}, "fetches": [{"answer": {"status": 200, "status": 400}}]}
        ]}"#,
    );
    let kit = Kit::new("made", &renewing().build().unwrap()).unwrap();
    let Err(KitError::Cases(flawed)) = kit.cases_in(folder.path()) else { panic!("they are bad") };
    let twice = flawed.0.iter().filter(|(_, flaw)| flaw.what.starts_with("stands twice"));
    let places: Vec<_> = twice.map(|(_, flaw)| flaw.place.as_str()).collect();
    assert_eq!(
        places,
        [
            "/values/account~1token",
            "/cases/0/expect",
            "/cases/0/expect/edits",
            "/cases/0/fetches/0/answer/status"
        ]
    );
}

#[test]
fn without_a_case_nothing_has_passed() {
    let kit = Kit::new("bearer", bundled_one("bearer").1).unwrap();
    let report = kit.run();
    assert!(!report.passed() && report.to_text().contains("nothing was tested"));
    let (kit, _folder) = good();
    let report = kit.only("another").run();
    assert!(!report.passed() && report.to_text().contains("no case is named `another`"));
}

#[test]
fn a_memo_that_no_host_keeps_is_the_cases_flaw_and_not_the_plugins() {
    for (length, good) in [(4096, true), (4097, false)] {
        let folder = Folder::new();
        let case = json!([{"name": "m", "memo": "m".repeat(length), "expect": {"edits": []}}]);
        folder.put("cases.json", case.to_string());
        let kit = Kit::new("made", &renewing().build().unwrap()).unwrap();
        match kit.cases_in(folder.path()) {
            Ok(_) => assert!(good, "{length}"),
            Err(KitError::Cases(flawed)) => {
                assert!(!good && flawed.0[0].1.place == "/0/memo", "{length}: {flawed}");
            }
            Err(error) => panic!("{error}"),
        }
    }
}

//! What `--bless` writes, and what it does not.

use countersign_hostile::answer::{ready, set_header};
use countersign_kit::Kit;
use serde_json::{Value as Json, json};

use crate::scene::{NEW, case, kit, plain, renewing};

#[test]
fn what_is_blessed_passes_and_says_what_it_said_before() {
    let cases = json!({"about": "kept", "cases": [
        case(&json!({"name": "good",
            "expect": {"edits": [["set-header", "Authorization", "renewed"]]}})),
        case(&json!({"name": "bare"})),
        case(&json!({"name": "end", "about": "another end",
            "expect": {"refusal": {"reason": "denied"}, "remember": 7}})),
        case(&json!({"name": "part", "flow": "renew",
            "fetches": [{"expect": {"method": "GET", "headers": [["accept", "x"]]},
                "answer": {"body": NEW}}],
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

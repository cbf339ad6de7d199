//! What `--bless` writes, and what it does not.

use countersign_hostile::answer::{self, ready, refusal, set_header};
use countersign_hostile::{Body, Part};
use countersign_kit::{Kit, KitError};
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

/// An error written over good edits would be what is expected once the plugin is mended.
#[test]
fn a_case_whose_run_is_at_fault_is_left_as_it_is() {
    let twice = ready(vec![set_header("authorization", "a"), set_header("authorization", "b")]);
    for (code, guest) in [
        ("fault", plain(&[]).body("authorize", Body::code("unreachable"))),
        ("contract", plain(&[]).body("authorize", twice)),
        ("outside-needs", plain(&[]).body("authorize", ready(vec![set_header("x-other", "x")]))),
    ] {
        let edits = json!({"edits": [["set-header", "authorization", "good"]]});
        let cases = json!([case(&json!({"expect": edits})), case(&json!({"name": "bare"}))]);
        let (kit, folder) = kit(&guest, &cases).unwrap();
        let report = kit.run();
        let found = report.findings.iter().any(|it| it.code == code);
        assert!(found, "{code}: {}", report.to_text());
        assert!(report.cases.iter().all(|it| !it.may_be_blessed()), "{code}");
        assert!(kit.bless(&report).unwrap().is_empty(), "{code}");
        let file = std::fs::read(folder.path().join("cases.json")).unwrap();
        assert_eq!(serde_json::from_slice::<Json>(&file).unwrap(), cases, "{code}");
    }
}

/// The end of it is the script's, and no plugin's.
#[test]
fn a_case_that_has_too_few_answers_is_left_as_it_is() {
    let guest = renewing().body("authorize", answer::renew());
    let expect = json!({"edits": [["set-header", "authorization", "good"]]});
    let fetches = json!([{"answer": {"body": NEW}}]);
    let cases = json!([case(&json!({"fetches": fetches, "expect": expect}))]);
    let (kit, folder) = kit(&guest, &cases).unwrap();
    let report = kit.run();
    assert!(!report.cases[0].may_be_blessed(), "{}", report.to_text());
    assert!(kit.bless(&report).unwrap().is_empty());
    let file = std::fs::read(folder.path().join("cases.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Json>(&file).unwrap(), cases);
}

#[test]
fn a_finding_beside_a_run_is_not_blessed_away() {
    let guest = plain(&[]).body("authorize", refusal("invalid-config", [Part::Token]));
    let (kit, folder) = kit(&guest, &json!([case(&json!({}))])).unwrap();
    kit.bless(&kit.run()).unwrap();
    let file = folder.path().join("cases.json");
    let kit = Kit::new("made", &guest.build().unwrap()).unwrap().cases_in(file).unwrap();
    let report = kit.run();
    assert!(report.cases[0].passed() && !report.passed(), "{}", report.to_text());
}

#[test]
fn members_that_are_null_are_left_out_of_what_is_blessed() {
    let expect = json!({"edits": [["set-header", "authorization", "other"]],
        "request": null, "steps": null});
    let (kit, folder) = kit(&plain(&[]), &json!([case(&json!({"expect": expect}))])).unwrap();
    kit.bless(&kit.run()).unwrap();
    let file = folder.path().join("cases.json");
    let written: Json = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let edits = json!([["set-header", "authorization", "Hostile"]]);
    assert_eq!(written[0]["expect"], json!({"edits": edits}));
    let component = plain(&[]).build().unwrap();
    Kit::new("made", &component).unwrap().cases_in(&file).unwrap().run().assert();
}

#[test]
fn what_somebody_wrote_while_the_cases_ran_is_not_lost() {
    let (kit, folder) = kit(&plain(&[]), &json!([case(&json!({}))])).unwrap();
    let report = kit.run();
    let file = folder.path().join("cases.json");
    std::fs::write(&file, "[\"written meanwhile\"]").unwrap();
    let error = kit.bless(&report).unwrap_err();
    assert!(matches!(error, KitError::Unwritable { .. }), "{error}");
    assert!(error.to_string().contains("changed while its cases ran"), "{error}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "[\"written meanwhile\"]");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
}

#[test]
fn what_is_blessed_keeps_the_modes_and_the_links_of_its_file() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let (_, folder) = kit(&plain(&[]), &json!([case(&json!({}))])).unwrap();
    let (file, link) = (folder.path().join("cases.json"), folder.path().join("link.json"));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o664)).unwrap();
    symlink(&file, &link).unwrap();
    let kit = Kit::new("made", &plain(&[]).build().unwrap()).unwrap().cases_in(&link).unwrap();
    assert_eq!(kit.bless(&kit.run()).unwrap(), std::slice::from_ref(&link));
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o664);
    assert!(std::fs::read_to_string(&file).unwrap().contains("expect"));
}

//! A plugin for each check, which does that one thing wrong, and its twin, which does not.

mod guests;
mod twins;

use countersign_hostile::answer::{entries, entry};
use countersign_hostile::{Body, Guest, Part, Val};
use serde_json::{Value as Json, json};

use crate::scene::{case, good, plain, run};
use guests::{LOGS_THE_TOKEN, begins, renewed, with_token};
use twins::{Twins, all, renewal};

#[test]
fn each_check_finds_its_bad_plugin_and_leaves_the_good_twin_alone() {
    let mut wrong = Vec::new();
    for Twins { code, names, bad, good, case } in all() {
        // A coin falls on one side or the other; some neighbours of eight fall on both.
        let seeds = if code == "remembered-random" { 8 } else { 1 };
        let several = |n: u64| {
            let mut case = case.clone();
            case["name"] = json!(format!("with seed {n}"));
            case["seed"] = json!(n);
            case
        };
        let cases: Json = (1..=seeds).map(several).collect();
        let report = run(&bad, &cases).unwrap();
        let found = report.findings.iter().find(|it| it.code == code && it.what.contains(names));
        let found = found.is_some_and(|it| !it.mend.is_empty() && !it.cases.is_empty());
        if !found || report.passed() {
            wrong.push(format!("{code} is not found, {names}:\n{}", report.to_text()));
        }
        let report = run(&good, &cases).unwrap();
        if !report.findings.is_empty() {
            wrong.push(format!("the twin of {code}, {names}:\n{}", report.to_text()));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// Whoever wrote the payload shows it to every resolver on the way.
#[test]
fn what_stands_in_the_host_of_the_provider_is_no_secret() {
    let guest = begins(renewed(vec![entry("tenant", [Part::Token])]));
    let mut case = case(&renewal());
    case["values"]["provider/proxy_url"] = json!("https://{{token}}.example.com");
    case["values"]["pattern/fields/0/field_name"] = json!("token");
    let report = run(&guest, &json!([case])).unwrap();
    assert!(report.findings.is_empty(), "{}", report.to_text());
}

#[test]
fn a_mutation_is_checked_as_a_plugin_is() {
    let about = r#"{"name":"made","title":"Made to order","version":"1"}"#;
    let mutation = |body: Body| Guest::mutation(about.into()).body("mutate", body);
    let answers = |name: &str| Body::from(Val::ok(entries(&[(name, "changed")])));
    let cases = json!([{"name": "a case", "values": {"key": "k-1"}, "options": {"a": "b"},
        "expect": {"value": "changed"}}]);
    // The length of the only value is the last word of its entry.
    let is_short = "(i32.lt_u (i32.load offset=12 (local.get 0)) (i32.const 1000))";
    for (guest, codes) in [
        (mutation(answers("key")), &[][..]),
        (mutation(answers("other")), &["contract"]),
        (mutation(Body::code("unreachable")), &["fault"]),
        (
            mutation(Body::either(is_short, answers("key"), Body::code("unreachable"))),
            &["hostile-value"],
        ),
    ] {
        let report = run(&guest, &cases).unwrap();
        let found: Vec<&str> = report.findings.iter().map(|it| it.code).collect();
        assert_eq!(found, codes, "{}", report.to_text());
        assert_eq!(report.passed(), codes.is_empty(), "{}", report.to_text());
    }
}

/// `not-deterministic` alone has none: the sandbox gives a plugin nothing to be so by.
#[test]
fn every_check_has_a_bad_plugin() {
    let junit = String::from_utf8(good().0.run().to_junit()).unwrap();
    let checks = junit.split("classname=\"checks\" name=\"").skip(1);
    let codes: Vec<&str> = checks.map(|it| it.split('"').next().unwrap()).collect();
    assert!(codes.len() > 10, "{junit}");
    let known = all();
    let without: Vec<_> =
        codes.into_iter().filter(|code| known.iter().all(|it| it.code != *code)).collect();
    assert_eq!(without, ["not-deterministic"]);
}

/// Only in a URL does whoever wrote the payload show it.
#[test]
fn a_placeholder_elsewhere_leaves_a_secret_a_secret() {
    let token = json!({"account/token": "a-token-of-the-case", "pattern/format": "Key {{token}}"});
    let guest = plain(&[]).body("authorize", with_token().after(LOGS_THE_TOKEN));
    let report = run(&guest, &json!([case(&json!({"values": token}))])).unwrap();
    assert!(report.findings.iter().any(|it| it.code == "secret-in-log"), "{}", report.to_text());
}

//! `countersign plugin test` and `plugin bench`.

use std::io::{BufRead as _, BufReader};
use std::time::Duration;

use countersign_bundle::components;
use countersign_hostile::{Body, Guest, Part, Val, answer};
use serde_json::json;

use super::*;

fn case(name: &str, token: &str) -> Json {
    json!({"name": name, "values": {"account/token": "t-1"},
        "expect": {"edits": [["set-header", "authorization", format!("Bearer {token}")]]}})
}

/// A folder with BEARER and two files of cases, of which the second fails where asked.
fn files(good: bool) -> (Files, String, String) {
    let files = Files::new();
    let file = files.bytes("bearer.wasm", components()[1].bytes);
    std::fs::create_dir(files.0.path().join("vectors")).unwrap();
    files.bytes("vectors/a.json", json!([case("first", "t-1")]).to_string().as_bytes());
    let second = case("second", if good { "t-1" } else { "other" });
    files.bytes("vectors/b.json", json!({"cases": [second]}).to_string().as_bytes());
    let vectors = files.0.path().join("vectors").to_str().unwrap().to_owned();
    (files, file, vectors)
}

#[test]
fn good_cases_end_with_0_and_are_listed_with_what_they_took() {
    let (_files, file, vectors) = files(true);
    let text = run(&["plugin", "test", &file, &vectors]);
    assert_eq!((text.code, text.err.as_str()), (0, ""), "{}", text.out);
    for shown in
        ["a.json", "ok    first", "b.json", "ok    second", "1 call, ", "2 passed, 0 failed"]
    {
        assert!(text.out.contains(shown), "{shown}:\n{}", text.out);
    }
}

#[test]
fn a_case_that_fails_ends_with_1_and_the_lines_that_differ() {
    let (_files, file, vectors) = files(false);
    let text = run(&["plugin", "test", &file, &vectors]);
    assert_eq!(text.code, 1);
    assert!(text.err.starts_with("error[test_failed]: 1 of 2 cases failed\n"), "{}", text.err);
    assert!(text.out.contains("FAIL  second"), "{}", text.out);
    assert!(text.out.contains("-    \"Bearer other\"\n"), "{}", text.out);
    assert!(text.out.contains("+    \"Bearer t-1\"\n"), "{}", text.out);

    let json = run(&["plugin", "test", &file, &vectors, "--json"]);
    assert_eq!(json.code, 1);
    assert!(json.err.starts_with("{\"error\":{\"code\":\"test_failed\""), "{}", json.err);
    let report = json.json();
    assert_eq!(
        (&report["passed"], &report["component"]["name"]),
        (&json!(false), &json!("bearer"))
    );
    assert_eq!(report["cases"][0]["passed"], true);
    let difference = &report["cases"][1]["differences"][0];
    assert_eq!(difference["place"], "/cases/0/expect/edits");
    assert_eq!(difference["found"], json!([["set-header", "authorization", "Bearer t-1"]]));
    assert!(report["worst"]["instructions"].as_u64().unwrap() > 100);
}

/// Whoever reads a report by a program goes by the page.
#[test]
fn the_page_names_every_member_of_a_report() {
    let page = include_str!("../../../../docs/plugins/testing.md");
    let (_, page) = page.split_once("## The report for programs").unwrap();
    let (page, _) = page.split_once("\n## ").unwrap();
    let files = Files::new();
    let about = r#"{"title":"Made to order","version":"1"}"#;
    let descriptor = answer::descriptor(&["X_MADE"], &[], &["write header/x"], about.into());
    let hour = "(i64.ge_u (call $now) (i64.const 1700000000001))";
    let edit = |value: &str| answer::ready(vec![answer::set_header("x", value)]);
    let moves =
        Guest::auth(descriptor.clone()).body("authorize", Body::either(hour, edit("a"), edit("b")));
    let refuses = Guest::auth(descriptor).body("authorize", answer::refusal("denied", "no"));
    let cases = json!([{"name": "a case", "expect": {"edits": []}}]).to_string();
    let cases = files.bytes("cases.json", cases.as_bytes());
    let mut names = std::collections::BTreeSet::new();
    for guest in
        [moves, refuses, Guest::auth(answer::descriptor(&["X_MADE"], &[], &[], about.into()))]
    {
        let file = files.bytes("made.wasm", &guest.build().unwrap());
        let report = run(&["plugin", "test", &file, &cases, "--json"]).json();
        members(&report, &mut names);
    }
    for one in ["differences", "said", "found", "mend", "notes", "worst", "digest"] {
        assert!(names.contains(one), "no report has `{one}`");
    }
    for name in names {
        let is_named =
            [format!("`{name}`"), format!("\"{name}\"")].iter().any(|it| page.contains(it));
        assert!(is_named, "`{name}` is not on the page");
    }
}

/// The names in a report, but for those of what was expected and found.
fn members(json: &Json, names: &mut std::collections::BTreeSet<String>) {
    match json {
        Json::Array(list) => list.iter().for_each(|it| members(it, names)),
        Json::Object(map) => {
            for (name, inner) in map {
                names.insert(name.clone());
                if !["expected", "found"].contains(&name.as_str()) {
                    members(inner, names);
                }
            }
        }
        _ => {}
    }
}

#[test]
fn one_case_can_be_run_alone_and_a_misspelt_one_is_said() {
    let (_files, file, vectors) = files(false);
    let text = run(&["plugin", "test", &file, &vectors, "--case", "first"]);
    assert_eq!((text.code, text.err.as_str()), (0, ""));
    assert!(text.out.contains("1 passed") && !text.out.contains("second"), "{}", text.out);
    let text = run(&["plugin", "test", &file, &vectors, "--case", "thrid"]);
    assert_eq!(text.code, 1);
    assert!(text.err.contains("there is no case named: thrid"), "{}", text.err);
}

#[test]
fn what_cannot_be_tested_is_said_plainly() {
    let (files, file, vectors) = files(true);
    let bad = files.bytes("bad.json", br#"[{"name": "x", "expct": {}}]"#);
    let none = files.bytes("none.json", b"[]");
    let empty = files.0.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let broken = files.bytes("broken.wasm", b"not a component");
    for (arguments, code, what) in [
        (vec![&*file, &bad], "cases_invalid", "bad.json: /0/expct is not known here"),
        (vec![&*file, &none], "cases_invalid", "none.json: the file holds no case"),
        (vec![&*file, empty.to_str().unwrap()], "cases_missing", "no `.json` file"),
        // No folder `vectors` is where the tests are run.
        (vec![&*file], "cases_missing", "there is no folder `vectors` here"),
        (vec![&*broken, &vectors], "component_refused", "not a WebAssembly component"),
        (vec![&*file, "/nowhere.json"], "file_unreadable", "/nowhere.json"),
        (vec!["/nowhere.wasm", &vectors], "file_unreadable", "/nowhere.wasm"),
    ] {
        let text = run(&[&["plugin", "test"], &arguments[..]].concat());
        assert_eq!((text.code, text.out.as_str()), (1, ""), "{code}");
        assert!(text.err.starts_with(&format!("error[{code}]: ")), "{code}: {}", text.err);
        assert!(text.err.contains(what), "{what}: {}", text.err);
    }
}

#[test]
fn a_report_for_ci_is_written_beside_the_text() {
    let (files, file, vectors) = files(false);
    let junit = files.0.path().join("report.xml");
    let text = run(&["plugin", "test", &file, &vectors, "--junit", junit.to_str().unwrap()]);
    assert!(text.code == 1 && text.out.contains("FAIL"), "{}", text.out);
    let xml = std::fs::read_to_string(junit).unwrap();
    assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"), "{xml}");
    assert!(xml.contains("b.json\" tests=\"1\" failures=\"1\" errors=\"0\">"), "{xml}");
    assert!(xml.contains("<testsuite name=\"checks\""), "{xml}");
}

/// A CI server would show the old report as that of this run.
#[test]
fn files_that_cannot_be_used_replace_the_report_of_an_earlier_run() {
    let (files, file, vectors) = files(true);
    let junit = files.0.path().join("report.xml");
    let arguments = ["plugin", "test", &file, &vectors, "--junit", junit.to_str().unwrap()];
    assert_eq!(run(&arguments).code, 0);
    files.bytes("vectors/b.json", b"[{\"name\": \"a <b>\", \"valeus\": {}}]");
    let text = run(&arguments);
    assert!(text.code == 1 && text.err.contains("cases_invalid"), "{}", text.err);
    let xml = std::fs::read_to_string(junit).unwrap();
    assert!(xml.contains("tests=\"1\" failures=\"0\" errors=\"1\">"), "{xml}");
    assert!(xml.contains("<error message=\"the cases cannot be used:\">"), "{xml}");
    assert!(xml.contains("/0/valeus is not known here"), "{xml}");
}

#[test]
fn what_is_blessed_passes_from_then_on() {
    let (files, file, vectors) = files(false);
    let text = run(&["plugin", "test", &file, &vectors, "--bless"]);
    assert_eq!(text.code, 0, "{}{}", text.out, text.err);
    assert!(text.err.contains("blessed ") && text.err.contains("b.json"), "{}", text.err);
    assert!(!text.err.contains("a.json"), "{}", text.err);
    let written = std::fs::read(files.0.path().join("vectors/b.json")).unwrap();
    let written: Json = serde_json::from_slice(&written).unwrap();
    assert_eq!(written, json!({"cases": [case("second", "t-1")]}));
    assert_eq!(run(&["plugin", "test", &file, &vectors, "--bless"]).err, "");
}

/// What its cases expect is no matter of a check's.
#[test]
fn a_check_that_finds_something_is_told_by_a_code_of_its_own_and_is_not_blessed() {
    let files = Files::new();
    let about = r#"{"title":"Made to order","version":"1"}"#;
    let needs = ["read account/token", "write header/authorization"];
    let descriptor = answer::descriptor(&["X_MADE"], &[], &needs, about.into());
    let made = |answer: Val| Guest::auth(descriptor.clone()).body("authorize", answer).build();
    let says_it = answer::refusal("invalid-config", [Part::Token]);
    let file = files.bytes("made.wasm", &made(says_it).unwrap());
    let case = |expect: Json| {
        json!([{"name": "a case", "values": {"account/token": "a-made-up-token"},
            "expect": expect}])
    };
    let refused = case(json!({"refusal": {"reason": "invalid-config"}}));
    let cases = files.bytes("cases.json", refused.to_string().as_bytes());
    let told = run(&["plugin", "test", &file, &cases]);
    assert_eq!(told.code, 1, "{}", told.out);
    let what = "error[check_failed]: each case went as it says, and the checks found 1\n";
    assert!(told.err.starts_with(what) && !told.err.contains("--bless"), "{}", told.err);
    assert!(told.out.contains("1 passed, 0 failed, 1 finding;"), "{}", told.out);

    let other = answer::ready(vec![answer::set_header("x-other", "x")]);
    files.bytes("made.wasm", &made(other).unwrap());
    let good = case(json!({"edits": [["set-header", "authorization", "good"]]})).to_string();
    files.bytes("cases.json", good.as_bytes());
    let told = run(&["plugin", "test", &file, &cases, "--bless"]);
    assert!(told.code == 1 && told.err.contains("error[test_failed]"), "{}", told.err);
    let what = "not blessed: `a case`; mend what was found with it first";
    assert!(told.err.contains(what), "{}", told.err);
    assert_eq!(std::fs::read_to_string(&cases).unwrap(), good);
}

#[test]
fn a_change_runs_it_again() {
    let (files, file, vectors) = files(true);
    let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["plugin", "test", &file, &vectors, "--watch"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut until = |what: &str| lines.by_ref().any(|line| line.unwrap().contains(what));
    assert!(until("2 passed, 0 failed"));
    files.bytes("vectors/b.json", json!([case("second", "another")]).to_string().as_bytes());
    assert!(until("1 passed, 1 failed"));
    // What is no component for a moment, or no JSON, ends nothing.
    files.bytes("bearer.wasm", b"half of it");
    files.bytes("vectors/b.json", b"[{\"name\": ");
    files.bytes("vectors/b.json", json!([case("second", "t-1")]).to_string().as_bytes());
    files.bytes("bearer.wasm", components()[1].bytes);
    assert!(until("2 passed, 0 failed"));
    // Nobody reads on: the next report is its last.
    drop(lines);
    files.bytes("vectors/b.json", json!([case("third", "t-1")]).to_string().as_bytes());
    let process = rustix::process::Pid::from_child(&child);
    let (ended, told) = std::sync::mpsc::channel();
    let waiting = std::thread::spawn(move || {
        child.wait().unwrap();
        ended.send(()).unwrap();
    });
    let ends = told.recv_timeout(Duration::from_mins(1)).is_ok();
    if !ends {
        rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
    }
    waiting.join().unwrap();
    assert!(ends, "it goes on for nobody");
}

#[test]
fn a_watch_is_for_people_and_leaves_the_cases_as_they_are() {
    let (_files, file, vectors) = files(true);
    for other in ["--json", "--bless"] {
        let told = run(&["plugin", "test", &file, &vectors, "--watch", other]);
        assert_eq!((told.code, told.out.as_str()), (2, ""), "{other}");
        assert!(told.err.contains("cannot be used with"), "{}", told.err);
    }
}

#[test]
fn what_requests_cost_is_told_beside_the_bundled_bearers() {
    let (files, file, vectors) = files(true);
    let refused =
        json!([{"name": "no token", "expect": {"refusal": {"reason": "invalid-config"}}}]);
    files.bytes("vectors/c.json", refused.to_string().as_bytes());
    let bench = ["plugin", "bench", &file, &vectors, "--rounds", "2"];
    let json = run(&[&bench[..], &["--json"]].concat());
    assert_eq!((json.code, json.err.as_str()), (0, ""), "{}", json.out);
    let measured = json.json();
    assert_eq!(measured["left_out"], json!(["no token"]));
    let names: Vec<_> =
        measured["cases"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["first", "second"]);
    for case in [&measured["cases"][0], &measured["cases"][1], &measured["peer"]] {
        for kind in ["fresh", "remembered"] {
            let [low, median, high] =
                ["p10", "median", "p90"].map(|it| case[kind][it].as_f64().unwrap());
            assert!(0.0 < low && low <= median && median <= high, "{case}");
            assert!(case[kind]["ratio"].as_f64().unwrap() > 0.0, "{case}");
        }
    }
    for kind in ["fresh", "remembered"] {
        assert_eq!(measured["peer"][kind]["ratio"], 1.0, "of itself");
    }

    let text = run(&[&bench[..], &["--case", "second"]].concat());
    assert_eq!((text.code, text.err.as_str()), (0, ""), "{}", text.out);
    assert!(text.out.contains("\nsecond\n  fresh ") && !text.out.contains("first"), "{}", text.out);
}

/// Of each of these the time would be another's: the script's, a flow's, that of judging.
#[test]
fn what_makes_no_request_ready_by_itself_is_left_out_by_name() {
    let files = Files::new();
    let oauth = components().iter().find(|it| it.name == "oauth").unwrap();
    let file = files.bytes("oauth.wasm", oauth.bytes);
    let values = json!({"pattern/oauth_config/token_uri": "https://as.example/token",
        "connection/client_id": "id", "connection/client_secret": "a-made-up-secret"});
    let state = json!({"secrets": {"access_token": "t-1", "refresh_token": "r-1"}});
    let renewed = json!([{"answer": {"body": "{\"access_token\": \"t-2\"}"}}]);
    let cases = json!({"values": values, "cases": [
        {"name": "with a token", "state": state},
        {"name": "with a reply", "state": state, "replies": [{"answer": {"status": 200}}]},
        {"name": "stale", "state": {"secrets": state["secrets"], "expires_at": 5}, "fetches": renewed},
        {"name": "a flow", "state": state, "flow": "renew", "fetches": renewed},
        {"name": "judged", "validate": true},
    ]});
    let cases = files.bytes("cases.json", cases.to_string().as_bytes());
    let json = run(&["plugin", "bench", &file, &cases, "--rounds", "1", "--json"]);
    assert_eq!((json.code, json.err.as_str()), (0, ""), "{}", json.out);
    let measured = json.json();
    assert_eq!(measured["left_out"], json!(["with a reply", "stale", "a flow", "judged"]));
    // That its state is there is what makes it ready.
    let names = measured["cases"].as_array().unwrap().iter().map(|it| &it["name"]);
    assert_eq!(names.collect::<Vec<_>>(), ["with a token"]);
    let told = run(&["plugin", "bench", &file, &cases, "--rounds", "1"]);
    assert!(told.out.contains("not measured, as they make no request ready"), "{}", told.out);
    assert!(told.out.contains("`with a reply`, `stale`, `a flow`, `judged`"), "{}", told.out);
}

#[test]
fn a_round_at_least_is_measured() {
    let (_files, file, vectors) = files(true);
    let told = run(&["plugin", "bench", &file, &vectors, "--rounds", "0"]);
    assert_eq!((told.code, told.out.as_str()), (2, ""), "{}", told.err);
}

#[test]
fn a_plugin_with_an_interpreter_is_tested_and_measured_where_it_is_named() {
    let files = Files::new();
    let descriptor =
        answer::descriptor(&["X_LARGE"], &[], &["write header/authorization"], "{}".into());
    let large = Guest::auth(descriptor).pages(200).build().unwrap();
    let file = files.bytes("large.wasm", &large);
    let cases = files.bytes(
        "cases.json",
        json!([{"name": "any", "expect": {"edits":
        [["set-header", "authorization", "Hostile"]]}}])
        .to_string()
        .as_bytes(),
    );
    let told = run(&["plugin", "inspect", &file]);
    assert!(told.err.contains("Give `--interpreted large` where it"), "{}", told.err);
    // To put the file into the folder, as the code says, would be of no use: it is there.
    let provider = json!({"display_name": "Large", "proxy_url": "https://api.example.com",
        "proxy_enabled": true, "auth_patterns": [{"type": "X_LARGE"}]});
    let provider = files.bytes("p.json", provider.to_string().as_bytes());
    let account = files.bytes("a.json", json!({"identifier": "u"}).to_string().as_bytes());
    let folder = files.0.path().to_str().unwrap();
    for command in ["inject", "request"] {
        let told = run(&[
            command,
            "--plugins",
            folder,
            "--log",
            "off",
            "--provider",
            &provider,
            "--account",
            &account,
            "/",
        ]);
        assert!(told.err.contains("error[auth_type_unknown]"), "{}", told.err);
        let refused = told.err.contains("Or mend what is refused there: ");
        assert!(refused && told.err.contains("--interpreted"), "{}", told.err);
    }
    for command in [&["test"][..], &["bench", "--rounds", "1"]] {
        let run_it =
            |more: &[&str]| run(&[&["plugin"], command, &[file.as_str(), &cases], more].concat());
        let told = run_it(&[]);
        assert_eq!((told.code, told.out.as_str()), (1, ""), "{command:?}");
        assert!(told.err.contains("error[component_refused]"), "{}", told.err);
        assert!(told.err.contains("Give `--interpreted large` where it"), "{}", told.err);
        let told = run_it(&["--interpreted", "large"]);
        assert_eq!((told.code, told.err.as_str()), (0, ""), "{command:?}");
    }
}

#[test]
fn an_answer_that_is_not_kept_has_no_price_of_a_kept_one() {
    let files = Files::new();
    let file = files.bytes("example.wasm", countersign_bundle::example().bytes);
    let case = json!([{"name": "a pair of headers",
        "values": {"account/client_id": "c", "account/client_key": "k"}}]);
    let cases = files.bytes("cases.json", case.to_string().as_bytes());
    let json = run(&["plugin", "bench", &file, &cases, "--rounds", "1", "--json"]);
    assert_eq!((json.code, json.err.as_str()), (0, ""), "{}", json.out);
    let measured = json.json();
    assert_eq!(measured["cases"][0]["remembered"], Json::Null);
    assert!(measured["peer"]["remembered"].is_object());
}

#[test]
fn where_no_case_makes_a_request_ready_nothing_is_measured() {
    let (files, file, _) = files(true);
    let refused =
        json!([{"name": "no token", "expect": {"refusal": {"reason": "invalid-config"}}}]);
    let cases = files.bytes("refused.json", refused.to_string().as_bytes());
    let told = run(&["plugin", "bench", &file, &cases]);
    assert_eq!((told.code, told.out.as_str()), (1, ""));
    assert!(
        told.err.starts_with("error[cases_missing]: no case makes a request ready"),
        "{}",
        told.err
    );
}

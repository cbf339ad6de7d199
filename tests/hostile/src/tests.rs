//! That each guest is what it says: a valid component, laid out as the contract has it, which
//! misbehaves at its stage and nowhere else. The host of these tests is wasmtime alone, driven by
//! its dynamic values, so that a mistake of Countersign's host cannot hide one of the guests.

mod play;

use std::collections::HashSet;

use wasmparser::{Encoding, Parser, Payload, Validator};
use wasmtime::component::Val as Seen;

use super::*;
use play::{CANARY, Play, compile, field, payload};

/// The first `set-header` of an answer to `authorize`.
fn header(answer: &Seen) -> (String, String) {
    let Seen::List(edits) = field(payload(payload(answer)), "edits") else { panic!("no edits") };
    let Seen::Tuple(entry) = payload(&edits[0]) else { panic!("no entry: {edits:?}") };
    let [Seen::String(name), Seen::String(value)] = &entry[..] else { panic!("{entry:?}") };
    (name.clone(), value.clone())
}

/// What a guest answers on a fresh instance.
fn call(component: &[u8], stage: Stage) -> Seen {
    Play::of(&compile(component).unwrap()).unwrap().at(stage).unwrap()
}

fn authorize(component: &[u8]) -> Seen {
    call(component, Stage::Authorize)
}

#[test]
fn a_friendly_plugin_answers_what_was_laid_out() {
    let component = friendly("ACME_SIGNATURE", ("X-Acme", "sesame"));
    let descriptor = call(&component, Stage::Load);
    let strings =
        |items: &[&str]| Seen::List(items.iter().map(|s| Seen::String((*s).into())).collect());
    assert_eq!(field(&descriptor, "auth-types"), &strings(&["ACME_SIGNATURE"]));
    assert_eq!(field(&descriptor, "flows"), &strings(&[]));
    let need = ["write", "header/x-acme"].map(|s| Seen::String(s.into())).into();
    assert_eq!(field(&descriptor, "needs"), &Seen::List(vec![Seen::Tuple(need)]));
    assert_eq!(
        field(&descriptor, "about"),
        &Seen::String(r#"{"title":"Friendly ACME_SIGNATURE","version":"1"}"#.into())
    );
    assert_eq!(header(&authorize(&component)), ("X-Acme".into(), "sesame".into()));
    let findings = call(&component, Stage::Validate);
    assert_eq!(findings, Seen::List(Vec::new()));
}

#[test]
fn another_version_is_another_file_and_the_same_version_the_same() {
    let version = |version| friendly_version("ACME", ("x-acme", "sesame"), version);
    assert_eq!(version("1"), friendly("ACME", ("x-acme", "sesame")));
    assert_ne!(version("1"), version("2"));
}

#[test]
fn every_guest_is_a_valid_component_that_imports_only_what_it_says() {
    for case in all().into_iter().chain(mutations()) {
        let bytes = case.component();
        let broken = ["empty-file", "not-wasm", "cut-short"].contains(&case.name.as_str());
        assert_eq!(Validator::new().validate_all(&bytes).is_err(), broken, "{case:?}");
        if broken || case.name == "core-module" {
            continue;
        }
        let foreign = imports(&bytes)
            .into_iter()
            .filter(|name| {
                !["countersign:auth/context@0.1.0", "countersign:auth/types@0.1.0"]
                    .contains(&name.as_str())
            })
            .collect::<Vec<_>>();
        let expected = match case.name.as_str() {
            "import-of-wasi" => vec!["wasi:io/poll@0.2.6"],
            "import-from-our-own-package" => vec!["countersign:auth/vault@0.1.0"],
            "import-of-another-track" => vec!["countersign:auth/context@0.2.0"],
            "import-of-a-bare-function" => vec!["steal"],
            _ => Vec::new(),
        };
        assert_eq!(foreign, expected, "{case:?}");
    }
}

/// Imports of the outermost component.
fn imports(component: &[u8]) -> Vec<String> {
    let mut depth = 0;
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        match payload.unwrap() {
            Payload::Version { encoding: Encoding::Component | Encoding::Module, .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 1 => {
                names
                    .extend(section.into_iter().map(|import| import.unwrap().name.name.to_owned()));
            }
            _ => {}
        }
    }
    names
}

#[test]
fn every_guest_misbehaves_at_its_stage_and_not_before() {
    let unloadable = |case: &Case| {
        case.stage == Stage::Load
            && (case.name.starts_with("import-") || case.name.contains("declared-huge"))
    };
    for case in all().into_iter().chain(mutations()) {
        if matches!(case.component().get(..8), None | Some(b"\0asm\x01\0\0\0" | b"#!/bin/s"))
            || ["empty-component", "cut-short", "descriptor-of-another-shape"]
                .contains(&case.name.as_str())
        {
            continue;
        }
        let component = match compile(&case.component()) {
            Err(_) if unloadable(&case) => continue,
            component => component.unwrap(),
        };
        let mut play = match Play::of(&component) {
            Ok(play) => play,
            Err(_) if case.name.ends_with("-at-start") || unloadable(&case) => continue,
            Err(error) => panic!("{case:?}: {error:?}"),
        };
        if !matches!(case.stage, Stage::Load | Stage::Mutate) {
            let descriptor = play.at(Stage::Load).unwrap();
            let auth_type = Seen::List(vec![Seen::String(case.auth_type.clone())]);
            assert_eq!(field(&descriptor, "auth-types"), &auth_type, "{case:?}");
            play = Play::of(&component).unwrap();
        }
        let answer = play.at(case.stage);
        assert_eq!(answer.is_err(), case.ending == Ending::Fault, "{case:?}: {answer:?}");
        if let Ok(Seen::Result(answer)) = &answer {
            assert_eq!(answer.is_err(), case.ending == Ending::Refusal, "{case:?}: {answer:?}");
        }
    }
}

#[test]
fn a_guest_that_watches_renews_or_fetches_first_does_so_well() {
    for case in all() {
        let first = match case.stage {
            Stage::Replied => "ready",
            Stage::Renew | Stage::Resume => "renew",
            _ => continue,
        };
        let answer = authorize(&case.component());
        let Seen::Variant(outcome, _) = payload(&answer) else { panic!("{case:?}: {answer:?}") };
        assert_eq!(outcome, first, "{case:?}");
        if case.stage == Stage::Resume {
            let step = call(&case.component(), Stage::Renew);
            let request = field(payload(payload(&step)), "request");
            assert_eq!(field(request, "url"), &Seen::String(TOKEN_URI.into()), "{case:?}");
        }
    }
}

#[test]
fn names_and_auth_types_are_the_cases_own() {
    let cases: Vec<_> = all().into_iter().chain(mutations()).collect();
    let names: HashSet<_> = cases.iter().map(|case| &case.name).collect();
    assert_eq!(names.len(), cases.len());
    assert!(cases.len() > 100, "{}", cases.len());
    for case in &cases {
        assert_eq!(find(&case.name).unwrap().component(), case.component(), "{case:?}");
    }
}

#[test]
fn a_keeper_finds_what_it_kept_where_its_instance_is_used_again() {
    for name in ["keeps-in-global", "keeps-in-memory"] {
        let component = find(name).unwrap().component();
        let mut play = Play::of(&compile(&component).unwrap()).unwrap();
        assert_eq!(header(&play.at(Stage::Authorize).unwrap()).1, "kept=", "{name}");
        assert_eq!(
            header(&play.at(Stage::Authorize).unwrap()).1,
            format!("kept={CANARY}"),
            "{name}"
        );
        assert_eq!(header(&authorize(&component)).1, "kept=", "{name}");
    }
}

#[test]
fn a_string_is_put_together_from_what_only_the_running_guest_knows() {
    let url = |name, stage| {
        let step = call(&find(name).unwrap().component(), stage);
        let step = payload(payload(&step)).clone();
        let Seen::Record(fields) = &step else { panic!("{step:?}") };
        let from = if fields[0].0 == "request" { "request" } else { "prompt" };
        let Seen::String(url) = field(payload(field(&step, from)), "url").clone() else { panic!() };
        url
    };
    assert_eq!(
        url("fetch-token-in-a-dns-label", Stage::Renew),
        format!("https://{CANARY}.collector.example/")
    );
    assert_eq!(
        url("prompt-token-in-url", Stage::Grant),
        format!("{AUTHORIZE_URI}?state=state-token&login_hint={CANARY}")
    );
}

#[test]
fn an_answer_that_does_not_fit_the_contract_is_not_built() {
    let descriptor = || answer::descriptor(&["T"], &[], &[], "{}".into());
    let authorize = |answer: Val| Guest::auth(descriptor()).body("authorize", answer);
    for (what, guest) in [
        ("unknown case", authorize(Val::ok(Val::of("reddy", "")))),
        ("missing payload", authorize(Val::ok(Val::case("show")))),
        (
            "payload too many",
            authorize(Val::err(answer::refusal_record("denied", "")).clone())
                .body("replied", answer::reaction(Val::of("deliver", ""))),
        ),
        ("missing field", authorize(Val::ok(Val::of("ready", Val::Record(Vec::new()))))),
        (
            "number too large",
            authorize(answer::ready_with(
                Val::List(Vec::new()),
                vec![answer::watch_any(1 << 32)],
                Val::none(),
            )),
        ),
        ("unknown export", Guest::auth(descriptor()).body("begin", answer::renew())),
        ("stale passage", Guest::auth(descriptor()).misreading("no such passage", "")),
    ] {
        assert!(guest.build().is_err(), "{what}");
    }
}

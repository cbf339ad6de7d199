//! A plugin for each check, which does that one thing wrong, and its twin, which does not.

use countersign_hostile::answer::{
    self, done, entries, entry, fetch, prompt, reaction, ready, ready_with, refusal, set_header,
    show,
};
use countersign_hostile::{AUTHORIZE_URI, Body, Guest, Part, TOKEN_URI, Val};
use serde_json::{Value as Json, json};

use crate::scene::{NEW, case, flowing, good, plain, remembered, run};

/// Bad and good guest, a case that both are met with, the code, and what the finding names.
struct Twins {
    code: &'static str,
    names: &'static str,
    bad: Guest,
    good: Guest,
    case: Json,
}

fn twins(code: &'static str, names: &'static str, bad: Guest, good: Guest, act: &Json) -> Twins {
    // What comes of it is another test's; here it is what the checks say.
    Twins { code, names, bad, good, case: case(act) }
}

fn request() -> Json {
    json!({})
}

fn renewal() -> Json {
    json!({"flow": "renew", "fetches": [{"answer": {"body": NEW}}]})
}

fn sent() -> Json {
    json!({"replies": [{"answer": {"status": 200, "body": "{}"}}]})
}

/// Its length is looked at before it is put on the request.
const NOT_TOO_LONG: &str = "(i32.lt_u
    (i32.load offset=12 (call $token (local.get 0) (local.get 1))) (i32.const 1000))";
/// The body of a fetch's answer.
const HAS_A_BODY: &str = "(i32.ne (local.get 9) (i32.const 0))";
const LOGS_THE_TOKEN: &str = "(call $log (i32.const 1)
    (i32.load offset=8 (call $token (local.get 0) (local.get 1)))
    (i32.load offset=12 (call $token (local.get 0) (local.get 1))))";
const BEGINS_WITH_A: &str = "(if (result i32)
    (i32.load offset=12 (call $token (local.get 0) (local.get 1)))
    (then (i32.eq (i32.const 97) (i32.load8_u
        (i32.load offset=8 (call $token (local.get 0) (local.get 1))))))
    (else (i32.const 0)))";
/// Half of all seeds lead one way.
const ON_A_COIN: &str = "(i32.and (block (result i32)
    (call $random (i32.const 1) (i32.const 0))
    (i32.load8_u (i32.load (i32.const 0)))) (i32.const 1))";

/// Below what the need names, and out of it again.
const CLIMBS: &str = "https://login.hostile.example/token/%2e%2e/admin";

fn bearer() -> Val {
    ready(vec![set_header("authorization", [Part::Text("Bearer "), Part::Token])])
}

fn with_token() -> Body {
    Body::from(bearer())
}

fn no() -> Body {
    refusal("invalid-config", "the token is too long").into()
}

/// Asks to see the request, and answers by the length of its method.
fn by_method(remember: u64) -> Body {
    let answer = |text: &'static str| remembered(vec![set_header("authorization", text)], remember);
    let is_seen = "(local.get 4)";
    let is_get = "(i32.eq (local.get 6) (i32.const 3))";
    let show = Val::ok(Val::of("show", Val::List(Vec::new())));
    Body::either(is_seen, Body::either(is_get, answer("a"), answer("b")), show)
}

fn renewed(attributes: Vec<Val>) -> Val {
    done(vec![entry("access_token", "new-token-1")], attributes)
}

fn all() -> Vec<Twins> {
    [breaking(), reaching(), telling(), taking()].into_iter().flatten().collect()
}

/// Wants a connection to itself, and these edits.
fn owns(edits: Vec<Val>) -> Guest {
    let edits = [vec![Val::case("own-connection")], edits].concat();
    plain(&["write own-connection"]).body("authorize", ready(edits))
}

fn page(more: Option<Part>) -> Val {
    let mut url = vec![Part::Text(AUTHORIZE_URI), Part::Text("?state="), Part::Param(7)];
    url.extend(more.map(|it| [Part::Text("&hint="), it]).into_iter().flatten());
    Val::Parts(url)
}

fn asks(url: Val) -> Guest {
    flowing(&[]).body("begin", prompt(url, [Part::Param(7)]))
}

fn fetches(url: &str) -> Guest {
    flowing(&[]).body("begin", fetch("POST", url, vec![])).body("resume", renewed(vec![]))
}

fn begins(step: Val) -> Guest {
    flowing(&[]).body("begin", step)
}

fn watches(needs: &[&str]) -> Guest {
    let edits = Val::List(vec![set_header("authorization", "x")]);
    plain(needs)
        .body("authorize", ready_with(edits, vec![answer::watch_any(64)], Val::none()))
        .body("replied", reaction(Val::case("deliver")))
}

fn sets(name: &'static str) -> Guest {
    plain(&[]).body("authorize", ready(vec![set_header(name, "x")]))
}

fn grant() -> Json {
    json!({"flow": "grant"})
}

/// What breaks, or breaks the contract.
fn breaking() -> Vec<Twins> {
    vec![
        twins(
            "fault",
            "`authorize` trapped",
            plain(&[]).body("authorize", Body::code("unreachable")),
            plain(&[]),
            &request(),
        ),
        twins(
            "contract",
            "a renewal that it does not have",
            plain(&[]).body("authorize", answer::renew()),
            plain(&[]),
            &request(),
        ),
        twins(
            "contract",
            "by another method than GET or POST",
            begins(fetch("DELETE", TOKEN_URI, vec![])),
            fetches(TOKEN_URI),
            &renewal(),
        ),
    ]
}

/// What asks for more than its needs say.
fn reaching() -> Vec<Twins> {
    vec![
        twins(
            "outside-needs",
            "`write header/x-other`",
            sets("X-Other"),
            sets("authorization"),
            &request(),
        ),
        twins(
            "outside-needs",
            "`write path`",
            plain(&[]).body(
                "authorize",
                ready(vec![Val::of("set-path", "/x"), set_header("authorization", "x")]),
            ),
            plain(&[]),
            &request(),
        ),
        twins(
            "outside-needs",
            "`send bare`",
            plain(&[]).body("authorize", ready(vec![])),
            plain(&[]),
            &request(),
        ),
        // A connection to itself is nothing that a request could be told by.
        twins(
            "outside-needs",
            "`send bare`",
            owns(vec![]),
            owns(vec![set_header("authorization", "x")]),
            &request(),
        ),
        twins(
            "outside-needs",
            "`read header/x-date`",
            plain(&[]).body("authorize", show(&["header/x-date"])),
            plain(&[]),
            &request(),
        ),
        twins(
            "outside-needs",
            "`read reply/body`",
            watches(&[]),
            watches(&["read reply/body"]),
            &sent(),
        ),
        twins(
            "outside-needs",
            "`fetch of a value that holds https://elsewhere.example/`",
            fetches("https://elsewhere.example/"),
            fetches(TOKEN_URI),
            &renewal(),
        ),
        twins(
            "outside-needs",
            "`visit of a value that holds https://elsewhere.example/`",
            asks("https://elsewhere.example/".into()),
            asks(page(None)),
            &grant(),
        ),
        twins(
            "outside-needs",
            "`write state/other`",
            begins(renewed(vec![entry("other", "x")])),
            begins(renewed(vec![entry("tenant", "x")])),
            &renewal(),
        ),
    ]
}

/// What tells a secret.
fn telling() -> Vec<Twins> {
    vec![
        twins(
            "secret-in-log",
            "`account/token` is in the log of `authorize` (info)",
            plain(&[]).body("authorize", with_token().after(LOGS_THE_TOKEN)),
            plain(&[]).body(
                "authorize",
                with_token().after("(call $log (i32.const 1) (i32.const 0) (i32.const 4))"),
            ),
            &request(),
        ),
        // A canary leads it elsewhere, and so the token stays what it was.
        twins(
            "secret-in-log",
            "`account/token` is in the log of `authorize` (info)",
            plain(&[]).body(
                "authorize",
                Body::either(BEGINS_WITH_A, with_token().after(LOGS_THE_TOKEN), no()),
            ),
            plain(&[]).body("authorize", Body::either(BEGINS_WITH_A, bearer(), no())),
            &request(),
        ),
        twins(
            "secret-in-message",
            "`account/token` is in the message of a refusal of `authorize`",
            plain(&[]).body("authorize", refusal("denied", [Part::Text("bad: "), Part::Token])),
            plain(&[]).body("authorize", refusal("denied", "bad")),
            &request(),
        ),
        twins(
            "secret-in-attribute",
            "`account/token` is in the attribute `tenant`",
            begins(renewed(vec![entry("tenant", [Part::Token])])),
            begins(renewed(vec![entry("tenant", "acme")])),
            &renewal(),
        ),
        twins(
            "secret-in-prompt",
            "`account/token` is in the URL of a prompt",
            asks(page(Some(Part::Token))),
            asks(page(None)),
            &grant(),
        ),
        twins(
            "secret-in-view",
            "`account/token` is in the names of what it asks to see",
            plain(&[]).body(
                "authorize",
                Val::ok(Val::of(
                    "show",
                    Val::List(vec![Val::Parts(vec![Part::Text("header/"), Part::Token])]),
                )),
            ),
            plain(&[]),
            &request(),
        ),
    ]
}

/// What takes anything, or remembers what it should not.
fn taking() -> Vec<Twins> {
    vec![
        twins(
            "remembered-random",
            "moves with the seed",
            plain(&[]).body(
                "authorize",
                Body::either(
                    ON_A_COIN,
                    remembered(vec![set_header("authorization", "a")], 60),
                    remembered(vec![set_header("authorization", "b")], 60),
                ),
            ),
            plain(&[]).body(
                "authorize",
                Body::either(
                    ON_A_COIN,
                    ready(vec![set_header("authorization", "a")]),
                    ready(vec![set_header("authorization", "b")]),
                ),
            ),
            &request(),
        ),
        twins(
            "remembered-differs",
            "another one for another request",
            plain(&[]).body("authorize", by_method(60)),
            plain(&[]).body("authorize", by_method(0)),
            &request(),
        ),
        twins(
            "hostile-value",
            "with 64 KiB for `account/token`, `authorize` trapped",
            plain(&[])
                .body("authorize", Body::either(NOT_TOO_LONG, bearer(), Body::code("unreachable"))),
            plain(&[]).body("authorize", Body::either(NOT_TOO_LONG, bearer(), no())),
            &request(),
        ),
        // So often that a host would suspend it.
        twins(
            "hostile-value",
            "with letters beyond Latin-1, nothing, blanks, 64 KiB for `account/token`, `authorize`",
            plain(&[]).body(
                "authorize",
                Body::either(BEGINS_WITH_A, bearer(), Body::code("unreachable")),
            ),
            plain(&[]).body("authorize", Body::either(BEGINS_WITH_A, bearer(), no())),
            &request(),
        ),
        twins(
            "hostile-value",
            "without the memo, `authorize` trapped",
            plain(&[]).body(
                "authorize",
                Body::either("(local.get 3)", bearer(), Body::code("unreachable")),
            ),
            plain(&[]).body("authorize", Body::either("(local.get 3)", bearer(), no())),
            &json!({"memo": "nc=1"}),
        ),
        twins(
            "contract",
            "to fetch from a URL that none of its needs names",
            fetches(CLIMBS),
            fetches(TOKEN_URI),
            &renewal(),
        ),
        twins(
            "hostile-reply",
            "with an empty body, status 204, nothing, a redirect as the reply to fetch 1, `resume`",
            fetches(TOKEN_URI).body(
                "resume",
                Body::either(HAS_A_BODY, renewed(vec![]), Body::code("unreachable")),
            ),
            fetches(TOKEN_URI).body(
                "resume",
                Body::either(HAS_A_BODY, renewed(vec![]), refusal("unavailable", "nothing")),
            ),
            &renewal(),
        ),
    ]
}

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

//! What must come of a case: one end, and whatever else it names.

use serde_json::{Map, Value as Json};

use super::Tested;
use super::exchange::{REQUEST, asked};
use crate::reading::{Flaws, Members};

/// The ends that a case can have. `state` may also stand beside another.
pub(crate) const END_NAMES: [&str; 8] =
    ["edits", "request", "refusal", "error", "state", "problems", "pause", "value"];
const OF_A_MUTATION: [&str; 3] = ["value", "refusal", "error"];
/// What may be said besides.
const BESIDES: [&str; 4] = ["steps", "memo", "remember", "reply"];

/// What is expected, member by member, each of its kind.
#[derive(Clone)]
pub(crate) struct Expect(pub(crate) Map<String, Json>);

pub(super) fn read(case: &Members<'_>, tested: &Tested<'_>) -> Option<Expect> {
    let plugin: Vec<&str> = END_NAMES[..7].iter().chain(&BESIDES).copied().collect();
    let known = if tested.is_mutation() { &OF_A_MUTATION[..] } else { &plugin };
    let expect = case.members("expect", known)?;
    let ends: Vec<&str> = END_NAMES.into_iter().filter(|end| expect.has(end)).collect();
    let alone = ends.iter().filter(|end| **end != "state").count();
    if ends.is_empty() {
        let all = known.iter().filter(|name| END_NAMES.contains(name)).copied().collect::<Vec<_>>();
        let what =
            format!("names no end, beside which the rest may stand; there are: {}", all.join(", "));
        case.flaw("expect", what);
    } else if alone > 1 {
        case.flaw("expect", format!("names several ends: {}", ends.join(", ")));
    }
    edits(&expect);
    asked(&expect, "request", &REQUEST);
    asked(&expect, "reply", &["status", "headers", "body"]);
    if let Some(json) = expect.json("refusal") {
        refusal(json, &expect.at("refusal"), expect.flaws());
    }
    if let Some(error) = expect.members("error", &["code", "field", "message"]) {
        for name in ["code", "field", "message"] {
            error.text(name);
        }
        if !error.has("code") {
            error.flaw("code", "is missing: docs/errors.md has all of them");
        }
    }
    if let Some(state) =
        expect.members("state", &["secrets", "attributes", "renew_after", "expires_after"])
    {
        state.table("secrets");
        state.table("attributes");
        state.number("renew_after");
        state.number("expires_after");
    }
    for (nth, json) in expect.list("problems").unwrap_or_default().iter().enumerate() {
        refusal(json, &format!("{}/{nth}", expect.at("problems")), expect.flaws());
    }
    if let Some(pause) = expect.members("pause", &["url", "code", "seconds"]) {
        read_prompt(&pause);
    }
    expect.text("value");
    let steps = expect.list("steps").unwrap_or_default();
    if steps.iter().any(|step| !step.is_string()) {
        expect.flaw("steps", "is a list of the names of calls");
    }
    expect.bytes("memo");
    expect.number("remember");
    case.json("expect")?.as_object().cloned().map(Expect)
}

/// What a user is shown.
pub(super) fn read_prompt(prompt: &Members<'_>) {
    prompt.text("url");
    prompt.text("code");
    prompt.number("seconds");
}

fn refusal(json: &Json, place: &str, flaws: &Flaws) {
    let known = ["reason", "field", "message", "retry_after"];
    let Some(refusal) = Members::open(json, place, &known, flaws) else { return };
    let reasons = ["invalid-config", "reauthorize", "denied", "unavailable", "invalid-request"];
    match refusal.text("reason") {
        Some(reason) if reasons.contains(&reason) => {}
        _ => refusal.flaw("reason", format!("is none of: {}", reasons.join(", "))),
    }
    refusal.text("field");
    refusal.text("message");
    refusal.number("retry_after");
}

/// Edits in the contract's words: `["set-header", name, value]`.
fn edits(expect: &Members<'_>) {
    for (nth, json) in expect.list("edits").unwrap_or_default().iter().enumerate() {
        let edit: Vec<&Json> = json.as_array().into_iter().flatten().collect();
        let texts = |wanted: usize| edit.len() == wanted && edit.iter().all(|it| it.is_string());
        let fits = match edit.first().and_then(|kind| kind.as_str()) {
            Some(
                "set-header" | "append-header" | "set-query" | "append-query" | "set-cookie"
                | "client-certificate",
            ) => texts(3),
            Some("remove-header" | "set-path" | "set-origin") => texts(2),
            Some("set-body") => edit.len() == 2,
            Some("own-connection") => texts(1),
            _ => false,
        };
        if !fits {
            let place = format!("{}/{nth}", expect.at("edits"));
            let what = "is no edit of the contract: [\"set-header\", name, value] for example";
            expect.flaws().note(place, what);
        }
    }
}

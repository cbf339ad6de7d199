//! What a case expects, held against what its run has found.
//!
//! Both are told in the same words, those of `expect`, so that what was found can be written where
//! what was expected stands. Of messages, refusals and prompts only what the case names is
//! compared; all else is compared whole.

use countersign::witness::bytes;
use serde_json::{Map, Value as Json, json};

use crate::case::{Asked, Case, END_NAMES, Expect};
use crate::difference::Difference;
use crate::reading::below;
use crate::run::{End, Run};
use crate::script::Message;

/// A run in the words of `expect`.
pub(crate) struct Found(Map<String, Json>);

impl Found {
    pub(crate) fn of(run: &Run) -> Self {
        let mut found = Map::new();
        let mut put = |name: &str, json: Json| drop(found.insert(name.to_owned(), json));
        let ready = run.ready();
        match &run.end {
            End::Ready | End::Replied(_) => {
                put("edits", edits(ready));
                if let Some(request) = run.sent.last() {
                    put("request", message(request));
                }
            }
            End::Done => {}
            End::Paused => put("pause", run.prompts.last().cloned().unwrap_or_default()),
            End::Judged => {
                let judged = run.answers().last().and_then(Json::as_array);
                put("problems", judged.into_iter().flatten().map(refusal).collect());
            }
            End::Value(text) => put("value", text.as_str().into()),
            End::Failed(_) => match (run.refusal(), run.error()) {
                (Some(told), _) => put("refusal", refusal(told)),
                (None, Some(error)) => {
                    let mut told = json!({"code": error.code()});
                    if let Some(field) = error.field() {
                        told["field"] = field.into();
                    }
                    told["message"] = error.to_string().into();
                    put("error", told);
                }
                (None, None) => {}
            },
        }
        if let Some(done) = run.done() {
            put("state", state(done));
        }
        if let End::Replied(it) = &run.end {
            let headers = pairs(&it.headers);
            put("reply", json!({"status": it.status, "headers": headers, "body": bytes(&it.body)}));
        }
        put("steps", json!(run.steps()));
        put("memo", bytes(run.memo.as_deref().unwrap_or_default()));
        put("remember", ready.and_then(|it| it.get("remember")).cloned().unwrap_or(0.into()));
        Self(found)
    }

    /// The end, by the name under which it is written where nothing was expected.
    pub(crate) fn end(&self) -> &'static str {
        END_NAMES.into_iter().find(|name| self.0.contains_key(*name)).unwrap_or("state")
    }

    /// What was found under a name of `expect`, as far as `expected` asks; `None` where the run had
    /// no such end.
    pub(crate) fn named(&self, name: &str, expected: Option<&Json>) -> Option<Json> {
        let found = self.0.get(name)?;
        Some(match (name, expected) {
            ("request" | "reply" | "pause", Some(Json::Object(expected))) => {
                part(&Asked(expected.clone()), found)
            }
            ("refusal", expected) => spoken(found, expected),
            ("error", expected) => named_too(found, &["code", "field"], &["message"], expected),
            ("problems", expected) => {
                let expected = expected.and_then(Json::as_array);
                let found = found.as_array().into_iter().flatten().enumerate();
                found.map(|(nth, it)| spoken(it, expected.and_then(|all| all.get(nth)))).collect()
            }
            _ => found.clone(),
        })
    }
}

/// All that differs between a case and its run, fetches, replies and prompts included.
pub(crate) fn differences(case: &Case, run: &Run) -> Vec<Difference> {
    let found = Found::of(run);
    let mut differences = Vec::new();
    let place = below(&case.place, "expect");
    match &case.expect {
        None => {
            let end = found.end();
            let told = found.named(end, None).unwrap_or_default();
            differences.push(Difference::new(&place, None, Some(json!({end: told}))));
        }
        Some(Expect(expect)) => {
            for (name, expected) in expect.iter().filter(|(_, expected)| !expected.is_null()) {
                let is_end = END_NAMES.contains(&name.as_str());
                match found.named(name, Some(expected)) {
                    Some(told) => {
                        let (expected, place) = (normal(name, expected), below(&place, name));
                        differences.extend(Difference::between(&place, expected, told));
                    }
                    None if is_end => {
                        let end = found.end();
                        let told = found.named(end, None).map(|told| json!({end: told}));
                        let expected = json!({name: expected});
                        differences.push(Difference::new(&place, Some(expected), told));
                    }
                    None => {
                        let place = below(&place, name);
                        differences.push(Difference::new(&place, Some(expected.clone()), None));
                    }
                }
            }
        }
    }
    let fetches = case.inputs.fetches.iter().map(|it| it.expect.as_ref()).collect::<Vec<_>>();
    let replies = case.inputs.replies.iter().map(|it| it.expect.as_ref()).collect::<Vec<_>>();
    differences.extend(script(case, "fetches", &fetches, &told(&run.fetched)));
    if case.inputs.is_sent() {
        differences.extend(script(case, "replies", &replies, &told(&run.sent)));
    }
    let prompts = case.inputs.pauses().iter().map(|it| it.expect.as_ref()).collect::<Vec<_>>();
    // A case may end in a pause, which `expect` is for.
    let ended_so = matches!(run.end, End::Paused);
    let shown = &run.prompts[..run.prompts.len() - usize::from(ended_so)];
    differences.extend(script(case, "pauses", &prompts, shown));
    differences
}

/// What was asked for against what was scripted, one after the other. What was scripted and not
/// asked for differs as well, and so does what was asked for and not scripted.
fn script(case: &Case, name: &str, expected: &[Option<&Asked>], found: &[Json]) -> Vec<Difference> {
    let place = below(&case.place, name);
    let mut differences = Vec::new();
    for nth in 0..expected.len().max(found.len()) {
        let place = format!("{place}/{nth}");
        match (expected.get(nth), found.get(nth)) {
            (Some(Some(asked)), Some(found)) => {
                let expected = normal("request", &Json::Object(asked.0.clone()));
                let place = below(&place, "expect");
                differences.extend(Difference::between(&place, expected, part(asked, found)));
            }
            (Some(None), Some(_)) | (None, None) => {}
            (Some(asked), None) => {
                let unused = asked.map(|it| Json::Object(it.0.clone()));
                differences.push(Difference::unused(&place, unused));
            }
            (None, Some(found)) => {
                differences.push(Difference::unscripted(&place, found.clone()));
            }
        }
    }
    differences
}

/// The same messages, in the words of `expect`.
pub(crate) fn told(messages: &[Message]) -> Vec<Json> {
    messages.iter().map(message).collect()
}

fn message(message: &Message) -> Json {
    let Message { method, url, headers, body } = message;
    json!({"method": method, "url": url, "headers": pairs(headers), "body": bytes(body)})
}

/// As far as `asked` names it: of headers those names, each with all its values, or with `null`
/// where there is none.
pub(crate) fn part(asked: &Asked, found: &Json) -> Json {
    let mut part = Map::new();
    for (name, expected) in asked.0.iter().filter(|(_, expected)| !expected.is_null()) {
        let told = if name == "headers" {
            headers(expected, &found["headers"])
        } else {
            found.get(name).cloned().unwrap_or_default()
        };
        part.insert(name.clone(), told);
    }
    part.into()
}

fn headers(expected: &Json, found: &Json) -> Json {
    let name = |pair: &Json| pair[0].as_str().unwrap_or_default().to_ascii_lowercase();
    let mut names: Vec<String> = Vec::new();
    for pair in expected.as_array().into_iter().flatten() {
        let name = name(pair);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut told = Vec::new();
    for wanted in names {
        let before = told.len();
        let found = found.as_array().into_iter().flatten();
        told.extend(found.filter(|pair| name(pair) == wanted).cloned());
        if told.len() == before {
            told.push(json!([wanted, null]));
        }
    }
    told.into()
}

/// What was expected, in the words in which it is found: names of headers in lower case, headers of
/// one name together, what may be left out there.
fn normal(name: &str, expected: &Json) -> Json {
    let mut expected = expected.clone();
    match name {
        "edits" => {
            for edit in expected.as_array_mut().into_iter().flatten() {
                lower(edit);
            }
        }
        "request" | "reply" => {
            if let Some(object) = expected.as_object_mut() {
                object.retain(|_, it| !it.is_null());
            }
            if let Some(list) = expected.get("headers") {
                let lowered: Json = list
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|pair| {
                        json!([pair[0].as_str().unwrap_or_default().to_ascii_lowercase(), pair[1]])
                    })
                    .collect();
                expected["headers"] = headers(&lowered, &lowered);
            }
            if let Some(body) = expected.get("body") {
                expected["body"] = normal_bytes(body);
            }
        }
        "memo" => expected = normal_bytes(&expected),
        "state" => {
            if expected.get("secrets").is_none_or(Json::is_null) {
                expected["secrets"] = json!({});
            }
            if let Some(object) = expected.as_object_mut() {
                object
                    .retain(|name, it| !it.is_null() && (name != "attributes" || *it != json!({})));
            }
        }
        "refusal" | "error" | "pause" => {
            if let Some(object) = expected.as_object_mut() {
                object.retain(|_, it| !it.is_null());
            }
        }
        "problems" => {
            for problem in expected.as_array_mut().into_iter().flatten() {
                *problem = normal("refusal", problem);
            }
        }
        _ => {}
    }
    expected
}

fn normal_bytes(json: &Json) -> Json {
    use base64::Engine as _;
    let base64 = json.get("base64").and_then(Json::as_str);
    match base64.and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok()) {
        Some(raw) => bytes(&raw),
        None => json.clone(),
    }
}

fn edits(ready: Option<&Json>) -> Json {
    let mut edits = ready.map_or_else(|| json!([]), |it| it["edits"].clone());
    for edit in edits.as_array_mut().into_iter().flatten() {
        lower(edit);
    }
    edits
}

/// A header's name means the same in any case.
fn lower(edit: &mut Json) {
    let is_header = edit[0].as_str().is_some_and(|kind| kind.ends_with("-header"));
    if is_header && let Some(name) = edit[1].as_str() {
        edit[1] = name.to_ascii_lowercase().into();
    }
}

/// A refusal as the contract has it, with the names of this format.
fn refusal(told: &Json) -> Json {
    let mut refusal = json!({"reason": told["reason"]});
    for (name, of_contract) in
        [("field", "field"), ("message", "message"), ("retry_after", "retry-after")]
    {
        if let Some(it) = told.get(of_contract) {
            refusal[name] = it.clone();
        }
    }
    refusal
}

/// Reason and field always; the rest where it is expected.
fn spoken(found: &Json, expected: Option<&Json>) -> Json {
    named_too(found, &["reason", "field"], &["message", "retry_after"], expected)
}

fn named_too(found: &Json, always: &[&str], asked: &[&str], expected: Option<&Json>) -> Json {
    let wanted =
        |name: &&&str| expected.is_some_and(|it| it.get(**name).is_some_and(|it| !it.is_null()));
    let names = always.iter().chain(asked.iter().filter(wanted));
    let named = names.filter_map(|name| Some(((*name).to_owned(), found.get(*name)?.clone())));
    Json::Object(named.collect())
}

fn state(done: &Json) -> Json {
    let mut state = json!({"secrets": done["secrets"]});
    for (name, of_contract) in [
        ("attributes", "attributes"),
        ("renew_after", "renew-after"),
        ("expires_after", "expires-after"),
    ] {
        if let Some(it) = done.get(of_contract) {
            state[name] = it.clone();
        }
    }
    state
}

fn pairs(headers: &[(String, String)]) -> Json {
    headers.iter().map(|(name, value)| json!([name, value])).collect()
}

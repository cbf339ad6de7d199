//! The words in which a case and a run are held against each other: each in one form, so that what is
//! the same is equal, and of what is found only as much as is named.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::witness::bytes;
use serde_json::{Map, Value as Json, json};

use crate::case::Asked;

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
pub(super) fn normal(name: &str, expected: &Json) -> Json {
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
    if let Some(text) = json.as_str() {
        return bytes(text.as_bytes());
    }
    let base64 = json.get("base64").and_then(Json::as_str);
    match base64.and_then(|text| STANDARD.decode(text).ok()) {
        Some(raw) => bytes(&raw),
        None => json.clone(),
    }
}

pub(super) fn edits(ready: Option<&Json>) -> Json {
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
    if edit[0] == "set-body" {
        edit[1] = normal_bytes(&edit[1]);
    }
}

/// A refusal as the contract has it, with the names of this format.
pub(super) fn refusal(told: &Json) -> Json {
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
pub(super) fn spoken(found: &Json, expected: Option<&Json>) -> Json {
    named_too(found, &["reason", "field"], &["message", "retry_after"], expected)
}

pub(super) fn named_too(
    found: &Json,
    always: &[&str],
    asked: &[&str],
    expected: Option<&Json>,
) -> Json {
    let wanted =
        |name: &&&str| expected.is_some_and(|it| it.get(**name).is_some_and(|it| !it.is_null()));
    let names = always.iter().chain(asked.iter().filter(wanted));
    let named = names.filter_map(|name| Some(((*name).to_owned(), found.get(*name)?.clone())));
    Json::Object(named.collect())
}

pub(super) fn state(done: &Json) -> Json {
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

pub(super) fn pairs(headers: &[(String, String)]) -> Json {
    headers.iter().map(|(name, value)| json!([name, value])).collect()
}

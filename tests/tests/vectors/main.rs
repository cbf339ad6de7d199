//! Shared vectors, run natively, as plain functions; the kit runs the same files against the built
//! components (`tests/tests/kit`). What goes beyond one plugin is run through the whole library.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "what a test cannot set up is a failure of the test"
)]

mod mutations;
mod native;
mod providers;

use serde_json::Value as Json;

/// The cases of one file under `tests/vectors`, each with the values that the file gives to all.
fn cases(path: &str) -> Vec<Json> {
    let file = countersign_tests::json(&format!("tests/vectors/{path}"));
    let mut cases = file.get("cases").unwrap_or(&file).as_array().expect("a list").clone();
    for case in &mut cases {
        for (name, text) in file["values"].as_object().into_iter().flatten() {
            if case["values"].get(name).is_none() {
                case["values"][name] = text.clone();
            }
        }
    }
    assert!(!cases.is_empty());
    cases
}

/// The values of a case as a host hands them over: those of its state too, in the order of their
/// names.
fn values(case: &Json) -> Vec<(String, String)> {
    let texts = |json: &Json, root: &str| -> Vec<(String, String)> {
        let object = json.as_object().into_iter().flatten();
        let text = |it: &Json| it.as_str().expect("text").to_owned();
        object.map(|(name, it)| (format!("{root}{name}"), text(it))).collect()
    };
    let state = &case["state"];
    let mut values = texts(&case["values"], "");
    values.extend(texts(&state["secrets"], "state/"));
    values.extend(texts(&state["attributes"], "state/"));
    if let Some(token) = state["secrets"]["access_token"].as_str() {
        values.push(("account/token".to_owned(), token.to_owned()));
    }
    if let Some(until) = state["expires_at"].as_u64() {
        values.push(("state/expires-at".to_owned(), until.to_string()));
    }
    values.sort();
    values
}

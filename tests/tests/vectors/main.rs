//! Shared vectors: the same cases run natively, as plain functions, and through the sandbox against
//! the built components.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "what a test cannot set up is a failure of the test"
)]

mod documents;
mod mutations;
mod native;
mod providers;
mod sandboxed;

use serde_json::Value as Json;

/// The cases of one file under `tests/vectors`.
fn cases(path: &str) -> Vec<Json> {
    let cases = countersign_tests::json(&format!("tests/vectors/{path}"));
    let cases = cases.as_array().expect("a list").clone();
    assert!(!cases.is_empty());
    cases
}

/// The values of a case, by name.
fn values(case: &Json) -> Vec<(&str, &str)> {
    let values = case["values"].as_object().expect("values");
    values.iter().map(|(name, text)| (name.as_str(), text.as_str().expect("text"))).collect()
}

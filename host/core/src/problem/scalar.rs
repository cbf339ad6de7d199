//! The scalars of a JSON document: strings as they are, numbers and booleans as their JSON text,
//! null left out.

use serde_json::Value as Json;

/// The kind of a value, as a phrase that goes into a problem in its place.
pub(crate) fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

/// The text of a scalar; `None` for null, lists and objects.
pub(crate) fn scalar(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Bool(_) | Json::Number(_) => Some(json.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// Hands every scalar within `json` to `visit`, under `name` and its JSON Pointer (RFC 6901): a
/// `/` within a key is written `~1`, a `~` is written `~0`.
pub(crate) fn flatten(name: &str, json: &Json, visit: &mut impl FnMut(String, String)) {
    match json {
        Json::Array(list) => {
            for (index, item) in list.iter().enumerate() {
                flatten(&format!("{name}/{index}"), item, visit);
            }
        }
        Json::Object(object) => {
            for (key, item) in object {
                let key = key.replace('~', "~0").replace('/', "~1");
                flatten(&format!("{name}/{key}"), item, visit);
            }
        }
        _ => {
            if let Some(text) = scalar(json) {
                visit(name.to_owned(), text);
            }
        }
    }
}

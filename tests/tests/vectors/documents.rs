//! From named values to the documents that give a host those values.

use std::sync::Arc;

use countersign::Subject;
use countersign_tests::subject;
use serde_json::{Value as Json, json};

/// What every flow's vector has besides its own values.
pub(crate) const FLOW_VALUES: &[(&str, &str)] = &[
    ("connection/client_id", "id"),
    ("connection/client_secret", "se&cret"),
    ("pattern/oauth_config/token_uri", "https://as.example/token"),
];

/// A subject whose values are these. Attributes of the state alone cannot be given.
pub(crate) fn subject_of(auth_type: &str, values: &[(&str, &str)]) -> Arc<Subject> {
    let mut pattern = json!({"type": auth_type});
    let mut connection = json!({});
    let mut details = json!({});
    let mut token = json!({});
    let mut expires = Json::Null;
    for (name, text) in values {
        let (root, rest) = name.split_once('/').expect("a root");
        match (root, rest) {
            ("pattern", _) => put(&mut pattern, rest, text),
            ("connection", _) => connection[rest] = (*text).into(),
            ("state", "expires-at") => {
                let state = countersign::account::State {
                    expires_at: Some(text.parse().expect("milliseconds")),
                    ..Default::default()
                };
                expires = state.to_json(false)["expires_at"].clone();
            }
            ("state", _) => token[rest] = (*text).into(),
            ("account", "token") if auth_type == "OAUTH" => token["access_token"] = (*text).into(),
            ("account", _) => details[rest] = (*text).into(),
            _ => panic!("{name}"),
        }
    }
    let provider = json!({
        "display_name": "Vector", "proxy_url": "https://api.example.com", "proxy_enabled": true,
        "auth_patterns": [pattern],
    });
    let account = if auth_type == "OAUTH" {
        let mut authorization = json!({"oauth_token": token});
        if !expires.is_null() {
            authorization["token_expires_at"] = expires;
        }
        json!({"identifier": "u", "authorization_details": authorization, "api_config": details})
    } else {
        json!({"identifier": "u", "authorization_details": {"static_auth": {"details": details}}})
    };
    subject(&provider, &connection, &account)
}

/// Sets the scalar at a JSON Pointer, and makes the lists and objects on the way.
fn put(json: &mut Json, pointer: &str, text: &str) {
    let (key, rest) =
        pointer.split_once('/').map_or((pointer, None), |(key, rest)| (key, Some(rest)));
    let below = if let Ok(index) = key.parse::<usize>() {
        if json.is_null() {
            *json = json!([]);
        }
        let list = json.as_array_mut().expect("a list");
        list.resize(list.len().max(index + 1), Json::Null);
        &mut list[index]
    } else {
        if json.is_null() {
            *json = json!({});
        }
        &mut json[key]
    };
    match rest {
        Some(rest) => put(below, rest, text),
        None if text == "true" => *below = true.into(),
        None => *below = text.into(),
    }
}

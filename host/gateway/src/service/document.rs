//! An account's document: what its holder typed, as the management API writes it.

use serde_json::{Map, Value as Json, json};

/// Puts a member in place, unless there is nothing in it.
pub(super) fn put(document: &mut Map<String, Json>, key: &str, value: Json) {
    if !value.is_null() && value != json!({}) {
        document.insert(key.to_owned(), value);
    }
}

/// Each member in place of the old one; null takes one away. `path_variables` likewise.
pub(super) fn merge(document: &mut Map<String, Json>, key: &str, value: Json) {
    let Json::Object(members) = value else { return put(document, key, value) };
    let kept = document.entry(key).or_insert_with(|| json!({}));
    if !kept.is_object() {
        *kept = json!({});
    }
    let Json::Object(kept) = kept else { return };
    for (name, value) in members {
        if value.is_null() {
            kept.remove(&name);
        } else if value.is_object() {
            merge(kept, &name, value);
        } else {
            kept.insert(name, value);
        }
    }
}

/// Numbers that are whole, written so: a `Struct` of protobuf knows doubles alone, and `1.0` would
/// go into a header or a path.
pub(super) fn whole(mut json: Json) -> Json {
    make_whole(&mut json);
    json
}

fn make_whole(json: &mut Json) {
    // Beyond 2^53 a double is whole by what it cannot say.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match json {
        Json::Number(number) => {
            let float = number.as_f64().filter(|_| number.is_f64());
            if let Some(float) = float.filter(|it| it.fract() == 0.0 && it.abs() < EXACT)
                && let Ok(number) = serde_json::from_str(&format!("{:.0}", float + 0.0))
            {
                *json = number;
            }
        }
        Json::Array(list) => list.iter_mut().for_each(make_whole),
        Json::Object(members) => members.values_mut().for_each(make_whole),
        Json::Null | Json::Bool(_) | Json::String(_) => {}
    }
}

/// The document without the tokens, which are the account's state.
pub(super) fn without_tokens(mut document: Map<String, Json>) -> Map<String, Json> {
    let token = document.get_mut("authorization_details").and_then(|it| it.get_mut("oauth_token"));
    if let Some(Json::Object(token)) = token {
        token.retain(|name, _| name == "scopes" || name == "domain");
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(json: Json) -> Map<String, Json> {
        let Json::Object(object) = json else { panic!("no object") };
        object
    }

    #[test]
    fn members_are_replaced_one_by_one_and_null_takes_one_away() {
        let mut document = object(json!({"api_config": {
            "domain": "a", "version": "1", "path_variables": {"tenant": "x", "space": "y"}}}));
        let config = json!({"version": null, "new": 1, "path_variables": {"tenant": "z"}});
        merge(&mut document, "api_config", config);
        let expected = json!({"api_config": {
            "domain": "a", "path_variables": {"tenant": "z", "space": "y"}, "new": 1}});
        assert_eq!(Json::Object(document.clone()), expected);
        merge(&mut document, "api_config", Json::Null);
        assert_eq!(Json::Object(document), expected, "null as a whole changes nothing");
    }

    #[test]
    fn whole_numbers_are_written_without_a_fraction() {
        let json = json!({"a": [1.0, -2.0, 1.5, 1e300, 7], "b": {"c": -0.0}});
        let text = r#"{"a":[1,-2,1.5,1e+300,7],"b":{"c":0}}"#;
        assert_eq!(whole(json).to_string(), text);
    }

    #[test]
    fn a_document_is_kept_without_its_tokens() {
        let document = object(json!({"authorization_details": {"oauth_token": {
            "access_token": "t", "refresh_token": "r", "id_token": "i", "scopes": ["a"],
            "domain": "d"}}}));
        let kept = json!({"authorization_details": {"oauth_token": {
            "scopes": ["a"], "domain": "d"}}});
        assert_eq!(Json::Object(without_tokens(document)), kept);
        let typed = json!({"authorization_details": {"static_auth": {"details": {"token": "t"}}}});
        assert_eq!(Json::Object(without_tokens(object(typed.clone()))), typed);
    }
}

//! Secrets that come up within a flow, before any state holds them.
//!
//! A token server's answer and a user's callback bring tokens and codes that no value has yet. They
//! are learnt by the masker before the plugin sees them, so that a plugin that repeats an answer in
//! a message or a log line does not show them. By name, so this is a net and not a proof.

use serde_json::Value as Json;

use crate::contract::flow::Event;
use crate::fields::names_a_secret;
use crate::secret::{Masker, Secret};

/// Names of secrets that do not sound like one.
const ALSO: [&str; 4] = ["code", "device_code", "user_code", "assertion"];
/// Shorter text is a word or a number; masking it would cover half of every message.
const SHORTEST: usize = 8;
/// Levels of JSON that are looked into. Token answers have one or two.
const DEEPEST: usize = 8;

pub(super) fn learn(masker: &mut Masker, event: &Event) {
    match event {
        Event::Response(reply) => {
            let Ok(text) = std::str::from_utf8(&reply.body) else { return };
            if let Ok(json) = serde_json::from_str(text) {
                walk(masker, "", &json, DEEPEST);
            } else {
                // GitHub and others answer in a form.
                for (name, value) in url::form_urlencoded::parse(reply.body.as_slice()) {
                    note(masker, &name, &value);
                }
            }
        }
        Event::Callback(parameters) => {
            for (name, value) in parameters {
                note(masker, name, value);
            }
        }
        Event::Failed(_) | Event::Elapsed => {}
    }
}

fn walk(masker: &mut Masker, name: &str, json: &Json, left: usize) {
    match json {
        Json::String(text) => note(masker, name, text),
        Json::Array(items) if left > 0 => {
            for item in items {
                walk(masker, name, item, left - 1);
            }
        }
        Json::Object(members) if left > 0 => {
            for (name, member) in members {
                walk(masker, name, member, left - 1);
            }
        }
        _ => {}
    }
}

fn note(masker: &mut Masker, name: &str, text: &str) {
    if text.len() >= SHORTEST && (names_a_secret(name) || ALSO.contains(&name)) {
        masker.learn(&Secret::from(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::types::HttpResponse;

    #[test]
    fn tokens_of_an_answer_and_codes_of_a_callback_are_masked_from_then_on() {
        let reply = |body: &str| {
            Event::Response(HttpResponse { status: 200, headers: vec![], body: body.into() })
        };
        for event in [
            reply(r#"{"data": [{"access_token": "canary-12345"}], "scope": "everything"}"#),
            reply("access_token=canary-12345&scope=everything"),
            Event::Callback(vec![("code".to_owned(), "canary-12345".to_owned())]),
        ] {
            let mut masker = Masker::default();
            learn(&mut masker, &event);
            assert!(masker.finds("unexpected: canary-12345"));
            assert!(!masker.finds("everything is in scope"));
        }
    }
}

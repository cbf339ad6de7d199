//! What `inject` answers: the request that would be sent, or why none would be.

use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::account::State;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value as Json, json};

use crate::failure::Failure;
use crate::mask::{Mask, Shown};
use crate::script::Fetch;

/// The outcome, the fetches that came first, and the state where a flow changed it.
pub(crate) struct Answer {
    pub(crate) outcome: Result<Fetch, Failure>,
    pub(crate) fetches: Vec<Fetch>,
    pub(crate) state: Option<Arc<State>>,
    pub(crate) mask: Mask,
}

impl Answer {
    /// An answer to what could not even be read.
    pub(crate) fn failed(failure: Failure) -> Self {
        Self { outcome: Err(failure), fetches: Vec::new(), state: None, mask: Mask::default() }
    }

    /// The shape of docs/schema/inject-answer.json.
    pub(crate) fn to_json(&self) -> Json {
        let mut json = match &self.outcome {
            Ok(request) => message(request, &self.mask),
            Err(failure) => json!({"error": failure.to_json()}),
        };
        if !self.fetches.is_empty() {
            let fetches = self.fetches.iter().map(|fetch| message(fetch, &self.mask));
            json["fetches"] = fetches.collect();
        }
        if let (Some(state), true) = (&self.state, self.outcome.is_ok()) {
            json["state"] = self.state_json(state);
        }
        json
    }

    /// The same for people; the failure is not among it.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        for (nth, fetch) in self.fetches.iter().enumerate() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "# fetch {}", nth + 1);
            write_message(&mut text, fetch, &self.mask);
        }
        if let Ok(request) = &self.outcome {
            if !self.fetches.is_empty() {
                text.push_str("# request\n");
            }
            write_message(&mut text, request, &self.mask);
            if let Some(state) = &self.state {
                let _ = writeln!(text, "# state\n{:#}", self.state_json(state));
            }
        }
        text
    }

    fn state_json(&self, state: &State) -> Json {
        let mut json = state.to_json(self.mask.reveals());
        // Attributes are public, but may repeat what is not.
        if let Some(attributes) = json["attributes"].as_object_mut() {
            for value in attributes.values_mut() {
                if let Some(text) = value.as_str() {
                    *value = self.mask.text(text).into();
                }
            }
        }
        json
    }
}

fn message(message: &Fetch, mask: &Mask) -> Json {
    let headers: Vec<(String, String)> = headers(&message.headers, mask).collect();
    let mut json = json!({
        "method": message.method.as_str(),
        "url": mask.text(&message.uri.to_string()),
        "headers": headers,
    });
    if !message.body.is_empty() {
        json["body"] = match mask.bytes(&message.body) {
            Shown::Text(text) => json!({"text": text}),
            Shown::Bytes(bytes) => json!({"base64": STANDARD.encode(bytes)}),
        };
    }
    if let Some(certificate) = message.route.certificate() {
        json["client_certificate"] = json!(certificate.names());
    }
    if message.route.own_connection().is_some() {
        json["own_connection"] = true.into();
    }
    json
}

fn write_message(text: &mut String, message: &Fetch, mask: &Mask) {
    let url = mask.text(&message.uri.to_string());
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{} {url}", message.method);
    if let Some(certificate) = message.route.certificate() {
        let [chain, key] = certificate.names();
        let _ = writeln!(text, "# with the client certificate of {chain} and {key}");
    }
    if message.route.own_connection().is_some() {
        let _ = writeln!(text, "# on a connection of its own");
    }
    for (name, value) in headers(&message.headers, mask) {
        let _ = writeln!(text, "{name}: {value}");
    }
    if !message.body.is_empty() {
        let _ = match mask.bytes(&message.body) {
            Shown::Text(body) => writeln!(text, "\n{body}"),
            Shown::Bytes(bytes) => writeln!(text, "\n({} bytes that are no text)", bytes.len()),
        };
    }
    text.push('\n');
}

fn headers<'a>(
    headers: &'a HeaderMap,
    mask: &'a Mask,
) -> impl Iterator<Item = (String, String)> + 'a {
    headers.iter().map(|(name, value): (&HeaderName, &HeaderValue)| {
        (name.to_string(), mask.header(name, value))
    })
}

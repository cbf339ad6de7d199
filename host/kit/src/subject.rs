//! From a case's named values to the subject of a request.
//!
//! The values are laid over documents that say as little as they can, so that no document's grammar
//! stands between a case and the plugin. What the documents must say is what a host itself goes by:
//! where requests go, the domains that are listed, attributes, and placeholders of URLs.

use std::collections::BTreeMap;
use std::sync::Arc;

use countersign::Subject;
use countersign::account::{Account, State};
use countersign::connection::Connection;
use countersign::fields::names_a_secret;
use countersign::provider::{Provider, SelectError};
use countersign::secret::Secret;
use countersign::values::Values;
use serde_json::{Value as Json, json};

use crate::case::{Documents, Inputs, Kept};
use crate::reading::Members;

/// Where requests go, where a case does not say.
const PROXY_URL: &str = "https://api.example.com";

/// The documents behind a case's values; `None`, with what is wrong noted, where they make none.
pub(crate) fn documents(
    auth_type: &str,
    values: &BTreeMap<String, String>,
    case: &Members<'_>,
) -> Option<Documents> {
    let mut pattern = json!({"type": auth_type});
    let mut provider = json!({"display_name": "Case", "proxy_enabled": true});
    let proxy_url = values.get("provider/proxy_url").map_or(PROXY_URL, String::as_str);
    provider["proxy_url"] = proxy_url.into();
    for (json, root) in [(&mut provider, "provider"), (&mut pattern, "pattern")] {
        listed(json, root, "allowed_proxy_domains", values);
    }
    listed(&mut pattern, "pattern", "attributes", values);
    let mut filled = proxy_url.contains("{{");
    for (name, text) in values.iter().filter(|(_, text)| text.contains("{{")) {
        let endpoint = name.strip_prefix("pattern/oauth_config/").filter(|it| !it.contains('/'));
        if let Some(endpoint) = endpoint {
            filled = true;
            pattern["oauth_config"][endpoint] = text.as_str().into();
        }
    }
    let mut config = pattern["oauth_config"].take();
    listed(&mut config, "pattern/oauth_config", "attributes", values);
    match config {
        Json::Null => drop(pattern.as_object_mut().and_then(|it| it.remove("oauth_config"))),
        config => pattern["oauth_config"] = config,
    }
    if filled {
        for list in ["fields", "account_fields"] {
            fields(&mut pattern, list, values);
        }
    }
    provider["auth_patterns"] = json!([pattern]);
    match (Provider::parse(&provider), Connection::parse(&json!({}))) {
        (Ok(provider), Ok(connection)) => {
            Some(Documents(Some((Arc::new(provider), Arc::new(connection)))))
        }
        (Err(problems), _) | (_, Err(problems)) => {
            for problem in problems.iter() {
                case.flaw("values", format!("make no provider: {problem}"));
            }
            None
        }
    }
}

/// `root/name/0`, `root/name/1`, … as a list.
fn listed(json: &mut Json, root: &str, name: &str, values: &BTreeMap<String, String>) {
    let texts: Vec<&String> =
        (0..).map_while(|nth| values.get(&format!("{root}/{name}/{nth}"))).collect();
    if !texts.is_empty() {
        json[name] = json!(texts);
    }
}

/// Declares what a placeholder may be filled with. Nothing is required: that is the plugin's to
/// say.
fn fields(pattern: &mut Json, list: &str, values: &BTreeMap<String, String>) {
    let at = |nth: usize, name: &str| values.get(&format!("pattern/{list}/{nth}/{name}"));
    let fields = (0..).map_while(|nth| {
        let mut field = json!({"field_name": at(nth, "field_name")?});
        if let Some(narrowing) = at(nth, "pattern") {
            field["pattern"] = narrowing.as_str().into();
        }
        Some(field)
    });
    let fields: Vec<Json> = fields.collect();
    if !fields.is_empty() {
        pattern[list] = fields.into();
    }
}

/// A subject of its own for each run: nothing is remembered from the last.
pub(crate) fn subject(inputs: &Inputs) -> Option<Result<Subject, SelectError>> {
    let (provider, connection) = inputs.documents.0.clone()?;
    let account = Account::parse(&json!({"identifier": "case"})).ok()?;
    let subject = Subject::new("", provider, connection, Arc::new(account));
    Some(subject.map(|subject| subject.with_values(values(&inputs.values))))
}

/// The values with what is secret among them.
pub(crate) fn values(given: &BTreeMap<String, String>) -> Values {
    let mut values = Values::default();
    for (name, text) in given.iter().filter(|(name, _)| !name.starts_with("grant/")) {
        if is_secret(name) {
            values.set_secret(name, Secret::new(text.clone()));
        } else {
            values.set(name, text);
        }
    }
    values
}

/// The same, with what the states hold.
pub(crate) fn all_values(inputs: &Inputs) -> Values {
    let mut all = values(&inputs.values);
    for (root, kept) in [("state", &inputs.state), ("shared", &inputs.shared)] {
        for (name, text) in kept.iter().flat_map(|kept| kept.attributes.iter().chain(&kept.secrets))
        {
            all.set_secret(format!("{root}/{name}"), Secret::new(text.clone()));
        }
    }
    all
}

/// Whether a host holds the value of this name to be secret: all that an account holder typed, and
/// of a connection what sounds like it.
pub(crate) fn is_secret(name: &str) -> bool {
    match name.split_once('/') {
        Some(("account", _)) | None => true,
        Some(("connection", rest)) => names_a_secret(rest),
        Some(_) => false,
    }
}

/// What is called a wish of a grant.
pub(crate) fn wishes(given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let wish = |(name, text): (&String, &String)| {
        Some((name.strip_prefix("grant/")?.to_owned(), text.clone()))
    };
    given.iter().filter_map(wish).collect()
}

pub(crate) fn state(kept: &Kept) -> State {
    let secret = |(name, text): (&String, &String)| (name.clone(), Secret::new(text.clone()));
    State {
        secrets: kept.secrets.iter().map(secret).collect(),
        attributes: kept.attributes.clone(),
        renew_at: kept.renew_at,
        expires_at: kept.expires_at,
        version: 0,
    }
}

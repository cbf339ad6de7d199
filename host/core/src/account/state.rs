//! What is kept of a flow's last `done`: per account, or per connection for `setup`.
//!
//! Times are absolute here; a plugin gives seconds from when its fetch was sent, and whoever sent
//! it adds them up.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

use crate::{
    problem::{Problems, Reader, kind, scalar},
    secret::{MASK, Secret},
};

/// Secrets, public attributes, and when they end. No `Debug`.
#[derive(Clone, Default)]
pub struct State {
    /// Tokens and keys; masked wherever they turn up.
    pub secrets: BTreeMap<String, Secret>,
    /// Public, and usable in `proxy_url`: an instance URL, a tenant, `scope`.
    pub attributes: BTreeMap<String, String>,
    /// Unix milliseconds from which the host renews ahead of use.
    pub renew_at: Option<u64>,
    /// Unix milliseconds from which it must not be used.
    pub expires_at: Option<u64>,
    /// Another one each time it is replaced, and never one that it had before.
    pub version: u64,
}

impl State {
    /// Reads `{"secrets": {…}, "attributes": {…}, "renew_at"?, "expires_at"?, "version"?}`, times
    /// in RFC 3339.
    pub fn parse(json: &Json) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let state = read(json, &mut problems);
        state.filter(|_| !problems.has_errors()).ok_or(problems)
    }

    /// What [`State::parse`] reads; each secret as [`MASK`], unless `reveal`.
    pub fn to_json(&self, reveal: bool) -> Json {
        let shown = |secret: &Secret| if reveal { secret.expose() } else { MASK }.to_owned();
        let secrets: BTreeMap<_, _> = self.secrets.iter().map(|(n, s)| (n, shown(s))).collect();
        let mut state = json!({"secrets": secrets, "attributes": self.attributes});
        for (name, time) in [("renew_at", self.renew_at), ("expires_at", self.expires_at)] {
            if let Some(time) = time.and_then(to_text) {
                state[name] = time.into();
            }
        }
        state["version"] = self.version.into();
        state
    }

    /// Whether it is the same but for its version.
    pub(crate) fn holds_the_same(&self, other: &Self) -> bool {
        let equal = |(name, secret): (&String, &Secret)| {
            other.secrets.get(name).is_some_and(|it| it.expose() == secret.expose())
        };
        self.secrets.len() == other.secrets.len()
            && self.secrets.iter().all(equal)
            && self.attributes == other.attributes
            && (self.renew_at, self.expires_at) == (other.renew_at, other.expires_at)
    }

    /// Whether it must not be used at `now`, in Unix milliseconds.
    pub fn is_expired(&self, now: u64) -> bool {
        self.expires_at.is_some_and(|time| time <= now)
    }
}

fn read(json: &Json, problems: &mut Problems) -> Option<State> {
    let mut reader = Reader::open(json, String::new(), problems)?;
    let [secrets, attributes] = ["secrets", "attributes"].map(|key| {
        let object = reader.object(key);
        entries(object, key, reader.problems)
    });
    let [renew_at, expires_at] = ["renew_at", "expires_at"].map(|key| {
        let text = reader.text(key);
        text.and_then(|text| time(key, text, reader.problems))
    });
    let version = reader.json("version").map_or(Some(0), Json::as_u64);
    if version.is_none() {
        reader.problems.error("version", "is not a whole number", "leave it out to start at 0");
    }
    reader.warn_of_the_rest(&[]);
    let secrets = secrets.into_iter().map(|(name, text)| (name, Secret::new(text))).collect();
    Some(State { secrets, attributes, renew_at, expires_at, version: version? })
}

/// The tokens that an account came with. `None` where there are none: such an account has yet to
/// be authorized.
pub(super) fn read_token(
    json: &Json,
    expires_at: Option<&str>,
    values: &mut BTreeMap<String, Secret>,
    problems: &mut Problems,
) -> Option<State> {
    const PATH: &str = "authorization_details.oauth_token";
    let expires_at =
        expires_at.and_then(|text| time("authorization_details.token_expires_at", text, problems));
    let mut reader = Reader::open(json, PATH.to_owned(), problems)?;
    let mut state = State { expires_at, ..State::default() };
    let scopes = reader.texts("scopes");
    if !scopes.is_empty() {
        state.attributes.insert("scope".to_owned(), scopes.join(" "));
    }
    let domain = reader.text("domain").filter(|domain| !domain.is_empty());
    if let Some(domain) = domain {
        values.insert("domain".to_owned(), domain.into());
    }
    let rest: Vec<_> = reader.rest().collect();
    for (key, json) in rest {
        match scalar(json) {
            Some(text) if text.chars().any(char::is_control) => {
                let path = reader.at(key);
                reader.problems.error(path, "holds a control character", "give it on one line");
            }
            Some(text) if text.is_empty() => {}
            Some(text) if key == "token_type" => {
                state.attributes.insert(key.to_owned(), text);
            }
            Some(text) => {
                state.secrets.insert(key.to_owned(), Secret::new(text));
            }
            None if json.is_null() => {}
            None => {
                let path = reader.at(key);
                let what = format!("is {} where text is expected", kind(json));
                reader.problems.error(path, what, "give one value");
            }
        }
    }
    (!state.secrets.is_empty()).then_some(state)
}

fn entries(
    object: Option<&Map<String, Json>>,
    key: &str,
    problems: &mut Problems,
) -> BTreeMap<String, String> {
    let mut entries = BTreeMap::new();
    for (name, json) in object.into_iter().flatten() {
        if let Some(text) = scalar(json) {
            entries.insert(name.clone(), text);
        } else {
            let what = format!("is {} where text is expected", kind(json));
            problems.error(crate::problem::place(key, name), what, "give one value");
        }
    }
    entries
}

/// Milliseconds since 1970; what lies before is as expired as 1970 itself.
fn time(path: &str, text: &str, problems: &mut Problems) -> Option<u64> {
    let Ok(timestamp) = text.parse::<Timestamp>() else {
        problems.error(path, "is not a time", "write RFC 3339: 2026-01-31T12:00:00Z");
        return None;
    };
    Some(u64::try_from(timestamp.as_millisecond()).unwrap_or(0))
}

fn to_text(millis: u64) -> Option<String> {
    let timestamp = Timestamp::from_millisecond(i64::try_from(millis).ok()?).ok()?;
    Some(timestamp.to_string())
}

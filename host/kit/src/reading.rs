//! Reads what an author wrote: strictly, and with every flaw at once.
//!
//! A member that is not known, or is not of its kind, is noted with its place, which is a JSON
//! Pointer, and counts as absent; so does `null`. Names are quoted, and so is nothing else.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};

/// Something wrong with a file of cases. Whoever wrote it must act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Where, as a JSON Pointer; empty for the document itself.
    pub place: String,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.place.is_empty() { "the file" } else { &self.place };
        write!(f, "{place} {}", self.what)
    }
}

/// All of them, in the order in which they were found.
#[derive(Default)]
pub(crate) struct Flaws(RefCell<Vec<Flaw>>);

impl Flaws {
    pub(crate) fn note(&self, place: impl Into<String>, what: impl Into<String>) {
        self.0.borrow_mut().push(Flaw { place: place.into(), what: what.into() });
    }

    pub(crate) fn into_list(self) -> Vec<Flaw> {
        self.0.into_inner()
    }
}

/// An object whose members are all known.
pub(crate) struct Members<'a> {
    map: &'a Map<String, Json>,
    place: String,
    flaws: &'a Flaws,
}

/// A pair of a name and a value; the value may be left open.
pub(crate) type Pair<'a> = (&'a str, Option<&'a str>);

impl<'a> Members<'a> {
    /// `None` where it is no object; members that are not among `known` are noted.
    pub(crate) fn open(
        json: &'a Json,
        place: &str,
        known: &[&str],
        flaws: &'a Flaws,
    ) -> Option<Self> {
        let Some(map) = json.as_object() else {
            flaws.note(place, format!("is {} where an object is expected", kind(json)));
            return None;
        };
        for name in map.keys().filter(|name| !known.contains(&name.as_str())) {
            let what = format!("is not known here; there are: {}", known.join(", "));
            flaws.note(below(place, name), what);
        }
        Some(Self { map, place: place.to_owned(), flaws })
    }

    /// The place of a member.
    pub(crate) fn at(&self, name: &str) -> String {
        below(&self.place, name)
    }

    pub(crate) fn flaws(&self) -> &'a Flaws {
        self.flaws
    }

    pub(crate) fn flaw(&self, name: &str, what: impl Into<String>) {
        self.flaws.note(self.at(name), what);
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.json(name).is_some()
    }

    pub(crate) fn json(&self, name: &str) -> Option<&'a Json> {
        self.map.get(name).filter(|json| !json.is_null())
    }

    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.read(name, "text", Json::as_str)
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.read(name, "a whole number", Json::as_u64)
    }

    /// The same where it has to fit.
    pub(crate) fn number_within<T: TryFrom<u64>>(&self, name: &str, range: &str) -> Option<T> {
        self.read(name, range, |json| T::try_from(json.as_u64()?).ok())
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.read(name, "true or false", Json::as_bool).unwrap_or_default()
    }

    pub(crate) fn list(&self, name: &str) -> Option<&'a [Json]> {
        self.read(name, "a list", |json| json.as_array().map(Vec::as_slice))
    }

    pub(crate) fn members(&self, name: &str, known: &[&str]) -> Option<Self> {
        Self::open(self.json(name)?, &self.at(name), known, self.flaws)
    }

    /// `{name: text}`, in the file's order.
    pub(crate) fn table(&self, name: &str) -> Option<Vec<(&'a str, &'a str)>> {
        let map = self.read(name, "an object of texts", Json::as_object)?;
        let mut table = Vec::new();
        for (key, json) in map {
            if let Some(text) = json.as_str() {
                table.push((key.as_str(), text));
            } else {
                let what = format!("is {} where text is expected", kind(json));
                self.flaws.note(below(&self.at(name), key), what);
            }
        }
        Some(table)
    }

    /// The same, by name.
    pub(crate) fn texts(&self, name: &str) -> BTreeMap<String, String> {
        let table = self.table(name).unwrap_or_default();
        table.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
    }

    /// `[[name, value]…]`, where a value may be `null`.
    pub(crate) fn pairs(&self, name: &str) -> Vec<Pair<'a>> {
        let pair = |json: &'a Json| match json.as_array()?.as_slice() {
            [name, Json::Null] => Some((name.as_str()?, None)),
            [name, value] => Some((name.as_str()?, Some(value.as_str()?))),
            _ => None,
        };
        let whole = |json: &'a Json| json.as_array()?.iter().map(pair).collect::<Option<Vec<_>>>();
        self.read(name, "a list of [name, value]", whole).unwrap_or_default()
    }

    /// Text, or `{"base64": text}`.
    pub(crate) fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        self.read(name, "text or {\"base64\": text}", |json| match json {
            Json::String(text) => Some(text.as_bytes().to_vec()),
            Json::Object(map) if map.len() == 1 => {
                STANDARD.decode(map.get("base64")?.as_str()?).ok()
            }
            _ => None,
        })
    }

    fn read<T>(
        &self,
        name: &str,
        wanted: &str,
        read: impl FnOnce(&'a Json) -> Option<T>,
    ) -> Option<T> {
        let json = self.json(name)?;
        let found = read(json);
        if found.is_none() {
            self.flaw(name, format!("is {} where {wanted} is expected", kind(json)));
        }
        found
    }
}

/// The place of a member (RFC 6901).
pub(crate) fn below(place: &str, name: &str) -> String {
    format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_flaw_is_told_at_once_with_its_place() {
        let json = json!({"now": "soon", "tpyo": 1, "a/b": 2, "body": {"base64": "%"},
            "headers": [["a"]]});
        let flaws = Flaws::default();
        let members = Members::open(&json, "/cases/0", &["now", "body", "headers"], &flaws);
        let members = members.unwrap();
        assert_eq!(members.number("now"), None);
        assert_eq!(members.bytes("body"), None);
        assert!(members.pairs("headers").is_empty());
        let told: Vec<String> = flaws.into_list().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "/cases/0/tpyo is not known here; there are: now, body, headers",
                "/cases/0/a~1b is not known here; there are: now, body, headers",
                "/cases/0/now is a text where a whole number is expected",
                "/cases/0/body is an object where text or {\"base64\": text} is expected",
                "/cases/0/headers is a list where a list of [name, value] is expected",
            ]
        );
    }
}

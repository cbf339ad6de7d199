//! Takes a JSON object apart key by key, and notes what is not as expected.
//!
//! A reader never stops at the first problem: what cannot be read comes back as `None` or empty,
//! with an error noted, so that one pass finds them all. Whoever started the pass looks at
//! [`Problems::has_errors`] before using what came back.

use serde_json::{Map, Value as Json};

use super::{Problems, UNKNOWN_KEY, kind};

/// One object of a document, its place, and the keys asked for so far.
pub(crate) struct Reader<'a, 'p> {
    object: &'a Map<String, Json>,
    path: String,
    asked: Vec<&'static str>,
    pub(crate) problems: &'p mut Problems,
}

/// The place of `key` within `path`. Whoever wrote the document chose the key, and whoever reads
/// the problem may sit at a terminal, so control characters are escaped.
pub(crate) fn place(path: &str, key: &str) -> String {
    let key = key.escape_debug();
    if path.is_empty() { key.to_string() } else { format!("{path}.{key}") }
}

impl<'a, 'p> Reader<'a, 'p> {
    /// A reader of `json`, or `None` where it is not an object.
    pub(crate) fn open(json: &'a Json, path: String, problems: &'p mut Problems) -> Option<Self> {
        let Some(object) = json.as_object() else {
            let what = format!("is {} where an object is expected", kind(json));
            problems.error(path, what, "write an object: { \"key\": \"value\" }");
            return None;
        };
        Some(Self { object, path, asked: Vec::new(), problems })
    }

    /// The place of one of its keys.
    pub(crate) fn at(&self, key: &str) -> String {
        place(&self.path, key)
    }

    /// Whatever stands under `key`; null counts as absent.
    pub(crate) fn json(&mut self, key: &'static str) -> Option<&'a Json> {
        self.asked.push(key);
        self.object.get(key).filter(|json| !json.is_null())
    }

    /// Text, where it is there.
    pub(crate) fn text(&mut self, key: &'static str) -> Option<&'a str> {
        let json = self.json(key)?;
        let text = json.as_str();
        if text.is_none() {
            self.unexpected(key, json, "text");
        }
        text
    }

    /// Text that must be there and not be blank. `fix` says what belongs there.
    pub(crate) fn needed_text(&mut self, key: &'static str, fix: &str) -> Option<&'a str> {
        let json = self.needed(key, fix)?;
        match json.as_str() {
            Some(text) if text.trim().is_empty() => {
                self.problems.error(self.at(key), "is empty", fix);
                None
            }
            Some(text) => Some(text),
            None => {
                self.unexpected(key, json, "text");
                None
            }
        }
    }

    /// True or false, where it is there.
    pub(crate) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let json = self.json(key)?;
        let flag = json.as_bool();
        if flag.is_none() {
            self.unexpected(key, json, "true or false");
        }
        flag
    }

    /// True or false, which must be there.
    pub(crate) fn needed_flag(&mut self, key: &'static str, fix: &str) -> Option<bool> {
        self.needed(key, fix)?;
        self.flag(key)
    }

    /// A list, empty where it is not there.
    pub(crate) fn list(&mut self, key: &'static str) -> &'a [Json] {
        match self.json(key) {
            None => &[],
            Some(Json::Array(list)) => list,
            Some(other) => {
                self.unexpected(key, other, "a list");
                &[]
            }
        }
    }

    /// A list of texts, empty where it is not there.
    pub(crate) fn texts(&mut self, key: &'static str) -> Vec<&'a str> {
        let list = self.list(key);
        let mut texts = Vec::with_capacity(list.len());
        for (index, json) in list.iter().enumerate() {
            match json.as_str() {
                Some(text) => texts.push(text),
                None => self.unexpected(&format!("{key}[{index}]"), json, "text"),
            }
        }
        texts
    }

    /// An object, where it is there.
    pub(crate) fn object(&mut self, key: &'static str) -> Option<&'a Map<String, Json>> {
        let json = self.json(key)?;
        let object = json.as_object();
        if object.is_none() {
            self.unexpected(key, json, "an object");
        }
        object
    }

    /// What stands under a key that must be there.
    pub(crate) fn needed(&mut self, key: &'static str, fix: &str) -> Option<&'a Json> {
        let json = self.json(key);
        if json.is_none() {
            self.problems.error(self.at(key), "is missing", fix);
        }
        json
    }

    /// Keys that are there and that nobody asked for.
    pub(crate) fn rest(&self) -> impl Iterator<Item = (&'a str, &'a Json)> + use<'a> {
        let asked = self.asked.clone();
        self.object
            .iter()
            .map(|(key, json)| (key.as_str(), json))
            .filter(move |(key, _)| !asked.contains(key))
    }

    /// Warns of every key that nobody asked for and that is not among `known`.
    pub(crate) fn warn_of_the_rest(self, known: &[&str]) {
        for (key, _) in self.rest() {
            if !known.contains(&key) {
                self.problems.warn(
                    place(&self.path, key),
                    UNKNOWN_KEY,
                    "check its spelling; it is kept as it stands, and has no effect of its own",
                );
            }
        }
    }

    fn unexpected(&mut self, key: &str, found: &Json, expected: &str) {
        let what = format!("is {} where {expected} is expected", kind(found));
        self.problems.error(self.at(key), what, format!("write {expected}"));
    }
}

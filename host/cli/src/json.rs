//! Reading the JSON documents that people write: strict about keys, and never quoting a value.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value as Json};

use crate::codes;
use crate::failure::Failure;

/// The file's bytes; those of standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    read.map_err(|cause| {
        Failure::new(codes::FILE_UNREADABLE, format!("{}: {cause}", path.display()))
    })
}

/// The file's JSON.
pub(crate) fn file(path: &Path) -> Result<Json, Failure> {
    parse(&read(path)?, &path.display().to_string())
}

/// JSON text. The parser's own message may quote the text, so only the place is passed on.
pub(crate) fn parse(bytes: &[u8], what: &str) -> Result<Json, Failure> {
    serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let message = format!("{what} is not JSON: line {line}, column {column}");
        Failure::new(codes::CASE_INVALID, message)
    })
}

/// An object of a case, whose keys are all known.
pub(crate) struct Object<'a> {
    path: String,
    map: &'a Map<String, Json>,
}

impl<'a> Object<'a> {
    pub(crate) fn open(json: &'a Json, path: &str, known: &[&str]) -> Result<Self, Failure> {
        let map = json.as_object().ok_or_else(|| invalid(path, "is not a JSON object"))?;
        let object = Self { path: path.to_owned(), map };
        match map.keys().find(|key| !known.contains(&key.as_str())) {
            // The key itself is not quoted: in a document without its quotes it may be a value.
            Some(_) => {
                let what = format!("has an unknown key; there are: {}", known.join(", "));
                Err(invalid(path, &what))
            }
            None => Ok(object),
        }
    }

    /// The value; `null` counts as not there.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Json> {
        self.map.get(key).filter(|json| !json.is_null())
    }

    pub(crate) fn need(&self, key: &str) -> Result<&'a Json, Failure> {
        self.get(key).ok_or_else(|| invalid(&self.at(key), "is missing"))
    }

    pub(crate) fn text(&self, key: &str) -> Result<Option<&'a str>, Failure> {
        let text = |json: &'a Json| json.as_str().ok_or_else(|| self.wrong(key, "text"));
        self.get(key).map(text).transpose()
    }

    pub(crate) fn list(&self, key: &str) -> Result<&'a [Json], Failure> {
        match self.get(key) {
            None => Ok(&[]),
            Some(json) => Ok(json.as_array().ok_or_else(|| self.wrong(key, "a list"))?.as_slice()),
        }
    }

    /// `[[name, value]…]`.
    pub(crate) fn pairs(&self, key: &str) -> Result<Vec<(&'a str, &'a str)>, Failure> {
        let pair = |json: &'a Json| match json.as_array()?.as_slice() {
            [name, value] => Some((name.as_str()?, value.as_str()?)),
            _ => None,
        };
        let list = self.list(key)?.iter().map(pair).collect::<Option<Vec<_>>>();
        list.ok_or_else(|| self.wrong(key, "a list of [name, value]"))
    }

    /// `{"text"}` or `{"base64"}`.
    pub(crate) fn body(&self, key: &str) -> Result<Option<Bytes>, Failure> {
        let Some(json) = self.get(key) else { return Ok(None) };
        let body = Object::open(json, &self.at(key), &["text", "base64"])?;
        match (body.text("text")?, body.text("base64")?) {
            (Some(text), None) => Ok(Some(Bytes::copy_from_slice(text.as_bytes()))),
            (None, Some(text)) => match STANDARD.decode(text) {
                Ok(bytes) => Ok(Some(bytes.into())),
                Err(_) => Err(invalid(&body.at("base64"), "is not base64")),
            },
            _ => Err(self.wrong(key, "{\"text\"} or {\"base64\"}")),
        }
    }

    pub(crate) fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn wrong(&self, key: &str, wanted: &str) -> Failure {
        invalid(&self.at(key), &format!("is not {wanted}"))
    }
}

/// What is wrong with the case, and where; an empty path is the case itself.
pub(crate) fn invalid(path: &str, what: &str) -> Failure {
    if path.is_empty() {
        Failure::new(codes::CASE_INVALID, format!("the case {what}"))
    } else {
        Failure::new(codes::CASE_INVALID, format!("`{path}` {what}")).at(path)
    }
}

//! One input of an auth pattern: a value that an account holder types.
//!
//! A [`Field`] has a name that can be part of a value name, and a placement that the host lets a
//! payload choose.

use serde_json::Value as Json;

use super::header;
use crate::{
    fields::names_a_secret,
    problem::{Problems, Reader},
    target::Pattern,
};

/// Longer ones are a program, not a description of a value.
const LONGEST_PATTERN: usize = 512;

/// Keys that say how a form shows the field.
const PRESENTATION: &[&str] = &["description", "placeholder", "options", "default"];

/// One input that is collected for an account.
#[derive(Clone, Debug)]
pub struct Field {
    name: String,
    label: Option<String>,
    input_type: Option<String>,
    hint: Option<String>,
    required: bool,
    is_path_param: bool,
    pattern: Option<Pattern>,
    header_name: Option<String>,
    query_name: Option<String>,
    cookie_name: Option<String>,
}

impl Field {
    /// `field_name`: the key under which an account gives the value.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a form calls it.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// How a form asks for it: `text`, `password`, `select`, `textarea` or another.
    pub fn input_type(&self) -> Option<&str> {
        self.input_type.as_deref()
    }

    /// Help for whoever fills it in.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Whether an account without it cannot be used.
    pub fn required(&self) -> bool {
        self.required
    }

    /// Whether an account gives it in `path_variables`.
    pub fn is_path_param(&self) -> bool {
        self.is_path_param
    }

    /// The header that a plugin puts it in.
    pub fn header_name(&self) -> Option<&str> {
        self.header_name.as_deref()
    }

    /// The query parameter that a plugin puts it in.
    pub fn query_name(&self) -> Option<&str> {
        self.query_name.as_deref()
    }

    /// The cookie that a plugin puts it in.
    pub fn cookie_name(&self) -> Option<&str> {
        self.cookie_name.as_deref()
    }

    /// Whether the whole of `value` matches the field's `pattern`; any value does without one.
    pub fn accepts(&self, value: &str) -> bool {
        self.pattern.as_ref().is_none_or(|pattern| pattern.matches(value))
    }

    /// What the whole value must match.
    pub fn pattern(&self) -> Option<&Pattern> {
        self.pattern.as_ref()
    }

    /// Whether its value may hold line breaks: a PEM key, a JSON file.
    pub fn is_multiline(&self) -> bool {
        self.input_type() == Some("textarea")
    }

    /// Whether its value must not leave by any way but the plugin's: typed as a password, or named
    /// like a credential.
    pub fn is_secret(&self) -> bool {
        self.input_type() == Some("password") || names_a_secret(&self.name)
    }
}

/// Reads one; `None`, with the problems noted, where it has no usable name.
pub(super) fn read(json: &Json, path: String, problems: &mut Problems) -> Option<Field> {
    let mut reader = Reader::open(json, path, problems)?;
    let name = reader.needed_text("field_name", "name the value: `token`, `api_key`, `domain`");
    let name = name.filter(|name| check_name(name, &mut reader));
    let label = reader.text("label").map(str::to_owned);
    let input_type = reader.text("input_type").map(str::to_owned);
    let hint = reader.text("hint").map(str::to_owned);
    let required = reader.flag("required").unwrap_or(false);
    let is_path_param = reader.flag("is_path_param").unwrap_or(false);
    let pattern = pattern(&mut reader);
    let header_name = reader.text("header_name");
    if let Some(name) = header_name {
        let path = reader.at("header_name");
        header::check_name(&path, name, reader.problems);
    }
    let query_name = reader.text("query_name");
    if query_name.is_some_and(|name| name.is_empty() || name.chars().any(char::is_control)) {
        let path = reader.at("query_name");
        reader.problems.error(
            path,
            "is empty or holds a control character",
            "name the query parameter",
        );
    }
    let cookie_name = reader.text("cookie_name");
    if cookie_name.is_some_and(|name| http::Method::from_bytes(name.as_bytes()).is_err()) {
        let path = reader.at("cookie_name");
        reader.problems.error(
            path,
            "is not a valid cookie name",
            "use letters, digits, hyphens and underscores",
        );
    }
    reader.warn_of_the_rest(PRESENTATION);
    Some(Field {
        name: name?.to_owned(),
        label,
        input_type,
        hint,
        required,
        is_path_param,
        pattern,
        header_name: header_name.map(str::to_owned),
        query_name: query_name.map(str::to_owned),
        cookie_name: cookie_name.map(str::to_owned),
    })
}

/// Whether a field can be called so: the name becomes part of a value name and of a placeholder.
pub(crate) fn usable_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

fn check_name(name: &str, reader: &mut Reader<'_, '_>) -> bool {
    if usable_name(name) {
        return true;
    }
    let path = reader.at("field_name");
    reader.problems.error(
        path,
        "holds a character that a name cannot have",
        "use ASCII letters, digits, underscores, hyphens and dots",
    );
    false
}

fn pattern(reader: &mut Reader<'_, '_>) -> Option<Pattern> {
    let text = reader.text("pattern")?;
    let compiled = (text.len() <= LONGEST_PATTERN).then(|| Pattern::compile(text).ok()).flatten();
    if compiled.is_none() {
        let path = reader.at("pattern");
        reader.problems.error(
            path,
            "is not a regular expression that can be used",
            "write one in the syntax of the Rust regex crate, of at most 512 bytes; it is matched \
             against the whole value",
        );
    }
    compiled
}

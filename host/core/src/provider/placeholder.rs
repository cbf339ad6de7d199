//! Text with `{{name}}` in it, and whether whoever uses it declares those names.
//!
//! A name is filled from the account's fields or from an attribute of its state; one with a slash
//! is a full value name (`connection/tenant`), which only a fixed header may use. Filling is one
//! pass: what a value holds is never looked at again.

use super::AuthPattern;
use crate::problem::Problems;
use crate::target::Template;

/// Text cut up at its placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    parts: Vec<Part>,
}

/// A stretch of text, or a name to be filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Literal(String),
    Name(String),
}

/// Braces that are not a placeholder.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl Text {
    /// Cuts `text` up.
    pub(crate) fn parse(text: &str) -> Result<Self, Malformed> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, from_name)) = rest.split_once("{{") {
            let (name, after) = from_name.split_once("}}").ok_or(Malformed)?;
            if !is_name(name) || literal.contains("}}") {
                return Err(Malformed);
            }
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            parts.push(Part::Name(name.to_owned()));
            rest = after;
        }
        if rest.contains("}}") {
            return Err(Malformed);
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// Its parts, in order.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The names in it, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Name(name) => Some(name.as_str()),
        })
    }
}

/// Notes each placeholder of a URL that some pattern using it does not declare.
pub(super) fn check<'a>(
    path: &str,
    template: &Template,
    patterns: impl IntoIterator<Item = &'a Option<AuthPattern>>,
    problems: &mut Problems,
) {
    for pattern in patterns.into_iter().flatten() {
        for name in template.names().filter(|name| !pattern.declares(name)) {
            undeclared(path, name, pattern, problems);
        }
    }
}

pub(super) fn malformed(path: &str, problems: &mut Problems) {
    problems.error(
        path,
        "holds braces that are not a placeholder",
        "write {{name}}, without blanks, and close every pair",
    );
}

pub(super) fn undeclared(path: &str, name: &str, by: &AuthPattern, problems: &mut Problems) {
    problems.error(
        path,
        format!("uses {{{{{name}}}}}, which {} does not declare", by.path()),
        format!(
            "add a field with field_name `{name}` to its fields or account_fields, or list the \
             name in its `attributes` where the state holds it"
        ),
    );
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./~".contains(&byte))
}

#[cfg(test)]
mod tests;

//! What is wrong with a document that somebody wrote: every problem at once, each with its place
//! and its cure.
//!
//! A problem's text holds names, places and kinds of value, never a value: a payload or an account
//! is the likeliest place for a secret in the wrong field.

mod reader;
mod scalar;

pub(crate) use reader::{Reader, place};
pub(crate) use scalar::{flatten, kind, scalar};

use std::fmt;

/// Whether the document can be used all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It cannot be used.
    Error,
    /// It can, but its author probably meant something else.
    Warning,
}

/// One thing wrong, for whoever wrote the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: `auth_patterns[0].fields[1].field_name`; empty for the document itself.
    pub path: String,
    /// Whether the document can be used all the same.
    pub severity: Severity,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub fix: String,
}

/// What is said of a key that nothing in this host reads. A plugin may read it all the same: its
/// needs say so.
const UNKNOWN_KEY: &str = "is not a key that this host knows";

impl Problem {
    /// Whether it is a key that the host itself does not know.
    pub fn is_unknown_key(&self) -> bool {
        self.severity == Severity::Warning && self.what == UNKNOWN_KEY
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}; {}", self.what, self.fix)
    }
}

/// Every problem of one document, warnings included, in the order in which they were found.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct Problems {
    list: Vec<Problem>,
}

impl Problems {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }

    /// Whether the document cannot be used.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|problem| problem.severity == Severity::Error)
    }

    pub(crate) fn error(
        &mut self,
        path: impl Into<String>,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.add(Severity::Error, path.into(), what.into(), fix.into());
    }

    pub(crate) fn warn(
        &mut self,
        path: impl Into<String>,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.add(Severity::Warning, path.into(), what.into(), fix.into());
    }

    pub(crate) fn into_list(self) -> Vec<Problem> {
        self.list
    }

    fn add(&mut self, severity: Severity, path: String, what: String, fix: String) {
        self.list.push(Problem { path, severity, what, fix });
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.list.iter().enumerate() {
            let separator = if position == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

//! Why a caller does not get what it asks for.

mod library;

use std::fmt;
use std::time::Duration;

use countersign::problem::{Problems, Severity};
use countersign::refusal::Refusal;
use countersign_vault::{Affected, VaultError};
use http::HeaderValue;

/// What went wrong, by what the caller can do about it. The words are those that gRPC and the
/// management API share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The document is wrong; [`Fault::fields`] says where.
    Invalid,
    /// There is nothing of that name.
    NotFound,
    /// The name is taken.
    Exists,
    /// Somebody else was quicker: read again.
    Overtaken,
    /// As things are it cannot be done: something is still used, or has to be confirmed.
    Precondition,
    /// The caller may not.
    Forbidden,
    /// There is no such method here; [`Fault::allow`] says which there are.
    Method,
    /// It is not written in a form that is read here.
    MediaType,
    /// It is longer than what is taken.
    TooLarge,
    /// It is not known who asks.
    Unauthenticated,
    /// Too much at once: later.
    TooMany,
    /// Later, perhaps.
    Unavailable,
    /// The upstream cannot be reached, or does not keep to its protocol.
    Upstream,
    /// It took too long.
    Deadline,
    /// Something here, or a plugin, is broken.
    Internal,
}

/// One thing that is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFault {
    /// Where: `auth_patterns[0].type`; empty for the document itself.
    pub field: String,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub fix: String,
}

/// Why a caller does not get what it asks for. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Fault {
    /// What the caller can do about it.
    pub kind: Kind,
    /// A stable word for programs.
    pub code: &'static str,
    /// A sentence for people.
    pub message: String,
    /// Every problem of the document.
    pub fields: Vec<FieldFault>,
    /// Whose secrets a change would take to new origins.
    pub affected: Option<Box<Affected>>,
    /// When it makes sense to try again, where something says so.
    pub retry_after: Option<Duration>,
    /// The methods that there are, of [`Kind::Method`]: `GET,HEAD`.
    pub allow: Option<Box<HeaderValue>>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for (nth, FieldFault { field, what, fix }) in self.fields.iter().enumerate() {
            let joint = if nth == 0 { ": " } else { "; " };
            let blank = if field.is_empty() { "" } else { " " };
            write!(f, "{joint}{field}{blank}{what} ({fix})")?;
        }
        Ok(())
    }
}

impl Fault {
    pub(crate) fn new(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            code,
            message: message.into(),
            fields: Vec::new(),
            affected: None,
            retry_after: None,
            allow: None,
        }
    }

    /// One field is wrong.
    pub(crate) fn field(field: &str, what: &str, fix: &str) -> Self {
        Self::of_fields(vec![FieldFault::new(field, what, fix)])
    }

    /// These fields are wrong; there is at least one.
    pub(crate) fn of_fields(fields: Vec<FieldFault>) -> Self {
        let message = "the request is not valid";
        Self { fields, ..Self::new(Kind::Invalid, "invalid_request", message) }
    }

    /// The same, and when it makes sense to try again.
    pub(crate) fn after(self, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..self }
    }

    /// Not with this method, but with these.
    pub(crate) fn method(allow: &str) -> Self {
        let message = format!("this path takes {allow} only");
        let allow = HeaderValue::from_str(allow).ok().map(Box::new);
        Self { allow, ..Self::new(Kind::Method, "method_not_allowed", message) }
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(Kind::NotFound, "not_found", format!("there is no {what} of that name"))
    }
}

/// What came of judging a document that has these faults already.
pub(crate) fn beside<T>(known: Vec<FieldFault>, judged: Result<T, Fault>) -> Result<T, Fault> {
    match judged {
        judged if known.is_empty() => judged,
        Err(mut fault) if fault.kind == Kind::Invalid => {
            fault.fields.splice(0..0, known);
            Err(fault)
        }
        Ok(_) | Err(_) => Err(Fault::of_fields(known)),
    }
}

impl FieldFault {
    pub(crate) fn new(
        field: impl Into<String>,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { field: field.into(), what: what.into(), fix: fix.into() }
    }

    /// The errors of a document, each below `place`.
    pub(crate) fn of(problems: &Problems, place: &str) -> Vec<Self> {
        let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
        errors
            .map(|problem| {
                let joint = if place.is_empty() || problem.path.is_empty() { "" } else { "." };
                let field = [place, joint, &problem.path].concat();
                Self::new(field, problem.what.as_str(), problem.fix.as_str())
            })
            .collect()
    }

    /// What a plugin says of the values.
    pub(crate) fn of_refusal(refusal: &Refusal) -> Self {
        let field = refusal.field.clone().unwrap_or_default();
        let what = format!("is refused by the plugin: {}", refusal.message);
        Self::new(field, what, "give the value that the plugin needs")
    }
}

impl From<VaultError> for Fault {
    fn from(error: VaultError) -> Self {
        let message = error.to_string();
        match error {
            VaultError::Missing { .. } => Self::new(Kind::NotFound, "not_found", message),
            VaultError::Exists { .. } => Self::new(Kind::Exists, "already_exists", message),
            VaultError::Overtaken { .. } => Self::new(Kind::Overtaken, "overtaken", message),
            VaultError::InUse { .. } => Self::new(Kind::Precondition, "in_use", message),
            VaultError::NotGiven { .. } => Self::new(Kind::Precondition, "not_given", message),
            VaultError::Name { .. } => Self::field("name", &message, "choose another"),
            VaultError::NewOrigins(affected) => Self {
                affected: Some(affected),
                ..Self::new(Kind::Overtaken, "new_origins", message)
            },
            error => {
                // The operator's to mend, and nothing that a caller could read something from.
                tracing::error!(%error, "the vault failed");
                Self::new(Kind::Unavailable, "vault_unavailable", "the vault is unavailable")
            }
        }
    }
}

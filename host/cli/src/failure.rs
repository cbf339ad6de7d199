//! Why a command did not do what it was asked.

use std::error::Error as _;
use std::fmt::Write as _;

use countersign::code::Code;
use countersign::problem::{Problem, Problems, Severity};
use serde_json::{Value as Json, json};

use crate::codes;
use crate::mask::Mask;

/// A code, with what happened in this case. Holds no secret that the library knows of.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    code: Code,
    field: Option<String>,
    message: String,
    fix: String,
    actor: &'static str,
    /// What a gateway told of it: its own code, the request's id, all fields.
    gateway: Option<Box<Json>>,
    /// Whoever read our output has had enough: nothing to report, and no failure.
    reader_gone: bool,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            field: None,
            message: message.into(),
            fix: code.fix().to_owned(),
            actor: code.actor(),
            gateway: None,
            reader_gone: false,
        }
    }

    pub(crate) fn at(self, field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..self }
    }

    /// The same, with what the gateway told of it.
    pub(crate) fn told_by_gateway(self, told: Json) -> Self {
        Self { gateway: Some(Box::new(told)), ..self }
    }

    /// The same, of this file.
    pub(crate) fn about(self, file: &str) -> Self {
        Self { message: format!("{file}: {}", self.message), ..self }
    }

    /// A document with problems: all of them are listed, the first one's place and cure stand out.
    pub(crate) fn document(code: Code, problems: &Problems) -> Self {
        let errors: Vec<&Problem> =
            problems.iter().filter(|it| it.severity == Severity::Error).collect();
        let all: Vec<String> = errors
            .iter()
            .map(|it| {
                if it.path.is_empty() {
                    it.what.clone()
                } else {
                    format!("{} {}", it.path, it.what)
                }
            })
            .collect();
        let mut failure = Self::new(code, all.join("; "));
        if let Some(first) = errors.first() {
            failure.field = Some(first.path.clone()).filter(|path| !path.is_empty());
            failure.fix.clone_from(&first.fix);
        }
        failure
    }

    /// The same, where more is known of what is to be done than the code says.
    pub(crate) fn with_fix(self, fix: String) -> Self {
        Self { fix, ..self }
    }

    /// The same, where it is known who has to do it.
    pub(crate) fn for_whom(self, actor: &'static str) -> Self {
        Self { actor, ..self }
    }

    /// The same, with more that can be done about it.
    pub(crate) fn with_hint(self, hint: &str) -> Self {
        Self { fix: format!("{} {hint}", self.fix), ..self }
    }

    pub(crate) fn code(&self) -> Code {
        self.code
    }

    pub(crate) fn reader_gone() -> Self {
        Self { reader_gone: true, ..Self::new(codes::OUTPUT_FAILED, "the reader is gone") }
    }

    pub(crate) fn is_reader_gone(&self) -> bool {
        self.reader_gone
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn fix(&self) -> &str {
        &self.fix
    }

    /// The same, with every secret that `mask` knows covered.
    pub(crate) fn masked(self, mask: &Mask) -> Self {
        Self { message: mask.text(&self.message), ..self }
    }

    /// As lines for people.
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("error[{}]: {}\n", self.code.as_str(), self.message);
        if let Some(field) = &self.field {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  field: {field}");
        }
        let _ = writeln!(text, "  fix:   {} ({})", self.fix, self.actor);
        if let Some(id) = self.gateway.as_ref().and_then(|it| it["request_id"].as_str()) {
            let _ = writeln!(text, "  request id: {id}");
        }
        text
    }

    /// As an answer of `inject` has it.
    pub(crate) fn to_json(&self) -> Json {
        let mut json = json!({"code": self.code.as_str()});
        if let Some(field) = &self.field {
            json["field"] = field.as_str().into();
        }
        json["message"] = self.message.as_str().into();
        if let Some(told) = &self.gateway {
            json["gateway"] = Json::clone(told);
        }
        json
    }
}

impl From<countersign::Error> for Failure {
    fn from(error: countersign::Error) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            source = cause.source();
        }
        Self { field: error.field().map(ToOwned::to_owned), ..Self::new(error.kind(), message) }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(codes::HOST_UNUSABLE, format!("{error:#}"))
    }
}

//! The one place that writes to standard output and standard error.
//!
//! A reader that goes away (`| head`) ends the command without a word and without failure, as it
//! does for other tools.

use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;

use serde_json::{Value as Json, json};

use crate::codes;
use crate::failure::Failure;

/// Where a command's results and errors go.
pub(crate) struct Output {
    json: bool,
}

impl Output {
    /// Errors are written as JSON where `json`.
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Writes to standard output at once.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => Failure::reader_gone(),
            kind => Failure::new(codes::OUTPUT_FAILED, kind.to_string()),
        })
    }

    /// The same for text.
    pub(crate) fn text(&self, text: &str) -> Result<(), Failure> {
        self.bytes(text.as_bytes())
    }

    /// A document, in lines for people.
    pub(crate) fn json(&self, json: &Json) -> Result<(), Failure> {
        self.text(&format!("{json:#}\n"))
    }

    /// Says why the command ends, on standard error.
    pub(crate) fn fail(&self, failure: &Failure) -> ExitCode {
        if failure.is_reader_gone() {
            return ExitCode::SUCCESS;
        }
        let text = if self.json {
            format!("{}\n", json!({"error": failure.to_json()}))
        } else {
            failure.to_text()
        };
        // Nowhere is left to report that this fails.
        let _ = io::stderr().lock().write_all(text.as_bytes());
        ExitCode::FAILURE
    }
}

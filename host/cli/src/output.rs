//! The one place that writes to standard output and standard error.
//!
//! A reader that goes away (`| head`) ends the command without a word and without failure, as it
//! does for other tools.

use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::process::ExitCode;

use serde_json::{Value as Json, json};

use crate::codes;
use crate::failure::Failure;
use crate::terminal::{plain, plain_json};

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
    #[expect(clippy::unused_self, reason = "to have an output is the leave to write")]
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => Failure::reader_gone(),
            kind => Failure::new(codes::OUTPUT_FAILED, kind.to_string()),
        })
    }

    /// The same for text, of which a terminal does nothing but show it.
    pub(crate) fn text(&self, text: &str) -> Result<(), Failure> {
        self.bytes(plain(text).as_bytes())
    }

    /// A document, in lines for people.
    pub(crate) fn json(&self, json: &Json) -> Result<(), Failure> {
        self.bytes(plain_json(&format!("{json:#}\n")).as_bytes())
    }

    /// A document in one line, for programs.
    pub(crate) fn json_line(&self, json: &Json) -> Result<(), Failure> {
        self.bytes(plain_json(&format!("{json}\n")).as_bytes())
    }

    /// What was done: a sentence for people, a document for programs.
    pub(crate) fn done(&self, what: &str, document: &Json, json: bool) -> Result<(), Failure> {
        if json { self.json(document) } else { self.text(&format!("{what}\n")) }
    }

    /// Whether somebody looks, and wants colours (<https://no-color.org>).
    #[expect(clippy::unused_self, reason = "to have an output is the leave to write")]
    pub(crate) fn is_coloured(&self) -> bool {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|it| !it.is_empty());
        !unwanted && io::stdout().is_terminal()
    }

    /// How far something has come: one line on standard error, written over, where somebody looks.
    #[expect(clippy::unused_self, reason = "to have an output is the leave to write")]
    pub(crate) fn progress(&self, what: &str, done: u64, total: u64) {
        let mut err = io::stderr().lock();
        if err.is_terminal() {
            let end = if done >= total { "\n" } else { "" };
            // What it tells is told again at the end.
            let _ = write!(err, "\r{what}: {done} of {total}{end}");
            let _ = err.flush();
        }
    }

    /// A line beside the results, on standard error.
    #[expect(clippy::unused_self, reason = "to have an output is the leave to write")]
    pub(crate) fn note(&self, what: &str) {
        // Nowhere is left to report that this fails.
        let _ = io::stderr().lock().write_all(plain(&format!("{what}\n")).as_bytes());
    }

    /// Says why the command ends, on standard error.
    pub(crate) fn fail(&self, failure: &Failure) -> ExitCode {
        if failure.is_reader_gone() {
            return ExitCode::SUCCESS;
        }
        let text = if self.json {
            plain_json(&format!("{}\n", json!({"error": failure.to_json()}))).into_owned()
        } else {
            plain(&failure.to_text()).into_owned()
        };
        // Nowhere is left to report that this fails.
        let _ = io::stderr().lock().write_all(text.as_bytes());
        ExitCode::FAILURE
    }
}

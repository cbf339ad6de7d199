//! Asking whoever sits at the terminal before something is done that cannot be undone.

use std::io::{IsTerminal as _, Write as _};

use crate::codes;
use crate::failure::Failure;

/// Asks, unless `yes` is said already. On `Err` nobody said yes, and `undone` says what was not done;
/// where nobody sits at a terminal, nobody does.
pub(crate) fn demand(yes: bool, question: &str, undone: &str) -> Result<(), Failure> {
    if yes || said_yes(question) {
        return Ok(());
    }
    let what = format!("{undone}, because nobody said yes");
    Err(Failure::new(codes::NOT_CONFIRMED, what))
}

fn said_yes(question: &str) -> bool {
    if !std::io::stdin().is_terminal() {
        return false;
    }
    let mut err = std::io::stderr().lock();
    let _ = write!(err, "{question} [y/N] ");
    let _ = err.flush();
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).is_ok()
        && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

//! Asking whoever sits at the terminal before something is done that cannot be undone.

use std::io::{BufRead, IsTerminal as _, Write};

use crate::codes;
use crate::failure::Failure;
use crate::terminal::plain;

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
    ask(question, &mut std::io::stderr().lock(), &mut std::io::stdin().lock())
}

/// Whether the one line that is answered says yes. Anything else is no, and so is no answer.
fn ask(question: &str, shown: &mut impl Write, answered: &mut impl BufRead) -> bool {
    let _ = write!(shown, "{} [y/N] ", plain(question));
    let _ = shown.flush();
    let mut answer = String::new();
    answered.read_line(&mut answer).is_ok()
        && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_yes_is_one() {
        for (answer, yes) in [
            ("y\n", true),
            (" YES \r\n", true),
            ("y", true),
            ("n\n", false),
            ("\n", false),
            ("", false),
            ("yep\n", false),
            ("\ny\n", false),
        ] {
            let mut shown = Vec::new();
            assert_eq!(ask("Delete it?", &mut shown, &mut answer.as_bytes()), yes, "{answer:?}");
            assert_eq!(shown, b"Delete it? [y/N] ");
        }
        assert!(!ask("Delete it?", &mut Vec::new(), &mut &b"\xffy\n"[..]), "no text at all");
    }
}

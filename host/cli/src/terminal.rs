//! Text as a terminal may be given it.
//!
//! What is printed holds words of others: identifiers that end users chose, messages of a gateway or a
//! plugin. None of it moves the cursor, sets a title or turns a line around: control characters and
//! those that change the direction of text are written as escapes. Line ends and tabs stay, and so do
//! the few colours that the command itself uses.

use std::borrow::Cow;
use std::fmt::Write as _;

pub(crate) const RED: &str = "\x1b[31m";
pub(crate) const GREEN: &str = "\x1b[32m";
pub(crate) const CYAN: &str = "\x1b[36m";
/// Back to what it was.
pub(crate) const END: &str = "\x1b[0m";

const COLOURS: [&str; 4] = [RED, GREEN, CYAN, END];

/// The same text, harmless.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(is_active) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find(is_active) {
        shown.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = colour(rest).unwrap_or_else(|| rest.chars().next().map_or(1, char::len_utf8));
        let (active, after) = rest.split_at(length);
        match colour(active) {
            Some(_) => shown.push_str(active),
            None => shown.extend(active.chars().flat_map(char::escape_unicode)),
        }
        rest = after;
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

/// The same of a JSON document, which means what it meant: there it is within strings alone.
pub(crate) fn plain_json(text: &str) -> Cow<'_, str> {
    if !text.contains(is_active) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for it in text.chars() {
        if is_active(it) {
            // All of them are of the basic plane (RFC 8259, section 7).
            let _ = write!(shown, "\\u{:04x}", u32::from(it));
        } else {
            shown.push(it);
        }
    }
    Cow::Owned(shown)
}

fn is_active(it: char) -> bool {
    let turns = matches!(it, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (it.is_control() && !matches!(it, '\n' | '\t'))
}

/// How long the colour is that stands at the beginning.
fn colour(text: &str) -> Option<usize> {
    COLOURS.iter().find(|colour| text.starts_with(**colour)).map(|colour| colour.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_written_as_an_escape() {
        for (text, shown) in [
            ("plain, ünïcode\n\tand lines", "plain, ünïcode\n\tand lines"),
            ("\u{1b}[31mred\u{1b}[0m", "\u{1b}[31mred\u{1b}[0m"),
            ("\u{1b}[8mhidden", "\\u{1b}[8mhidden"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("\u{1b}[3", "\\u{1b}[3"),
            ("over\rwritten", "over\\u{d}written"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("abc\u{202e}cba\u{2066}", "abc\\u{202e}cba\\u{2066}"),
            ("\0\u{7f}", "\\u{0}\\u{7f}"),
        ] {
            assert_eq!(plain(text), shown);
        }
    }

    #[test]
    fn a_document_means_what_it_meant() {
        let document = serde_json::json!({"a\u{202e}b": ["\u{9b}31m", "\u{1b}[31m", "ü\n"]});
        let text = format!("{document:#}\n");
        let shown = plain_json(&text);
        assert!(!shown.contains(is_active) && shown.contains("\\u202e"), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), document);
    }
}

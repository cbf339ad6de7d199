//! What differs between two payloads, line by line for people.

use serde_json::Value as Json;
use similar::TextDiff;

use crate::terminal::{CYAN, END, GREEN, RED};

/// Lines around a change that are shown with it.
const AROUND: usize = 3;

/// The lines that differ, with those around them; empty where nothing does. Members are in the order
/// of the alphabet, since their order means nothing.
pub(super) fn lines(before: Option<&Json>, after: &Json) -> String {
    let sorted = |json: &Json| {
        let mut json = json.clone();
        json.sort_all_objects();
        format!("{json:#}\n")
    };
    let (before, after) = (before.map(sorted).unwrap_or_default(), sorted(after));
    let diff = TextDiff::from_lines(before.as_str(), after.as_str());
    diff.unified_diff().context_radius(AROUND).to_string()
}

/// The same for a terminal.
pub(super) fn coloured(lines: &str) -> String {
    let mut text = String::new();
    for line in lines.lines() {
        let colour = match line.as_bytes().first() {
            Some(b'-') => RED,
            Some(b'+') => GREEN,
            Some(b'@') => CYAN,
            _ => "",
        };
        text.push_str(colour);
        text.push_str(line);
        text.push_str(if colour.is_empty() { "" } else { END });
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_lines_that_differ_are_shown_and_the_order_of_members_is_none() {
        let before = json!({"b": 1, "a": {"y": 1, "x": 2}});
        assert_eq!(lines(Some(&before), &json!({"a": {"x": 2, "y": 1}, "b": 1})), "");
        let text = lines(Some(&before), &json!({"a": {"x": 2, "y": 1}, "b": 2}));
        assert!(text.contains("\n-  \"b\": 1\n+  \"b\": 2\n"), "{text}");
        assert!(coloured(&text).contains("\x1b[31m-  \"b\": 1\x1b[0m\n"));
        assert!(lines(None, &before).contains("\n+  \"b\": 1\n"));
    }
}

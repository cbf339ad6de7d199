//! The settings as a TOML file with their documentation.

use std::fmt::Write as _;

use super::configuration::{Configuration, Row};
use super::reader::variable;

/// Every key with what it means; one that has no value stands as a comment.
pub(super) fn toml(settings: &Configuration) -> String {
    let mut text = String::new();
    for part in settings.parts() {
        comment(&mut text, part.doc);
        if !part.name.is_empty() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "[{}]", part.name);
        }
        text.push('\n');
        for row in part.rows {
            write_row(&mut text, &row);
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn write_row(text: &mut String, row: &Row) {
    let name = row.key.rsplit('.').next().unwrap_or(&row.key);
    comment(text, row.doc);
    let _ = writeln!(text, "# Takes {}.", row.takes);
    let live = if row.live { " A running server takes a new one at SIGHUP." } else { "" };
    let _ = writeln!(text, "# {}.{live}", variable(&row.key));
    let _ = match &row.value {
        Some(value) => writeln!(text, "{name} = {value}\n"),
        None => writeln!(text, "# {name} =\n"),
    };
}

fn comment(text: &mut String, lines: &[&str]) {
    for line in lines {
        let _ = writeln!(text, "#{}", line.trim_end());
    }
}

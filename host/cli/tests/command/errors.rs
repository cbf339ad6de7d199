//! docs/errors.md lists every code there is, and no other.

use std::collections::BTreeSet;

use countersign::code::Code;
use countersign_cli::codes;

use super::repository;

#[test]
fn every_code_is_listed_with_its_cause_who_acts_and_the_fix() {
    let text = std::fs::read_to_string(repository("docs/errors.md")).unwrap();
    let listed: BTreeSet<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
    let rows: BTreeSet<String> = Code::ALL
        .iter()
        .chain(codes::ALL)
        .map(|code| {
            let (word, cause) = (code.as_str(), code.cause());
            format!("| `{word}` | {cause} | {} | {} |", code.actor(), code.fix())
        })
        .collect();
    assert_eq!(rows.len(), Code::ALL.len() + codes::ALL.len(), "a code stands twice");
    let rows: BTreeSet<&str> = rows.iter().map(String::as_str).collect();
    let (missing, extra): (Vec<_>, Vec<_>) =
        (rows.difference(&listed).collect(), listed.difference(&rows).collect());
    assert!(missing.is_empty() && extra.is_empty(), "missing {missing:#?}, extra {extra:#?}");
}

//! The report for people.

use std::fmt::Write as _;

use super::{CaseReport, Report};

/// Cases that are named beside a finding; the rest are counted.
const MOST_NAMED: usize = 3;

impl Report {
    /// What went wrong, place by place, and what it took; short where all is well.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let out = &mut text;
        let mut file = None;
        for case in &self.cases {
            if file != Some(&case.file) {
                file = Some(&case.file);
                let _ = writeln!(out, "{}", case.file.display());
            }
            let word = if case.passed() { "ok  " } else { "FAIL" };
            let _ = writeln!(out, "  {word}  {:<44}  {}", case.name, cost(case));
            for difference in &case.differences {
                for line in difference.to_string().lines() {
                    let _ = writeln!(out, "          {line}");
                }
            }
            let logged = case.log.iter().filter(|_| !case.passed());
            for line in logged.flat_map(|it| it.lines()) {
                let _ = writeln!(out, "          log {line}");
            }
        }
        for (title, list) in [("findings", self.told_findings()), ("notes", self.told_notes())] {
            if !list.is_empty() {
                let _ = writeln!(out, "{title}");
                for told in list {
                    let _ = writeln!(out, "  {told}");
                }
            }
        }
        for name in &self.unknown {
            let _ = writeln!(out, "no case is named `{name}`");
        }
        let _ = writeln!(out, "{}", self.summary());
        text
    }

    fn told_findings(&self) -> Vec<String> {
        let told = self.findings.iter().map(|it| {
            format!("{}: {} ({})\n    mend: {}", it.code, it.what, named(&it.cases), it.mend)
        });
        told.collect()
    }

    fn told_notes(&self) -> Vec<String> {
        let told = self.notes.iter();
        told.map(|it| format!("{}: {} ({})", it.code, it.what, named(&it.cases))).collect()
    }

    /// One line: how many, and the most that one of them took.
    fn summary(&self) -> String {
        if self.cases.is_empty() {
            return format!(
                "{}: there are no cases, and the checks begin with cases: nothing was tested",
                self.component
            );
        }
        let failed = self.cases.iter().filter(|case| !case.passed()).count();
        let mut line = format!(
            "{}: {} passed, {failed} failed, {}",
            self.component,
            self.cases.len() - failed,
            counted(self.findings.len(), "finding")
        );
        if let Some(worst) = self.worst(|cost| cost.instructions) {
            let _ = write!(
                line,
                "; at most {} instructions (`{}`)",
                grouped(worst.cost.instructions),
                worst.name
            );
        }
        if let Some(worst) = self.worst(|cost| cost.memory) {
            let _ = write!(line, ", {} KiB", worst.cost.memory >> 10);
        }
        if let Some(worst) = self.worst(|cost| cost.calls) {
            let _ = write!(line, ", {}", calls(worst));
        }
        line
    }
}

fn cost(case: &CaseReport) -> String {
    format!("{}, {} instructions", calls(case), grouped(case.cost.instructions))
}

fn calls(case: &CaseReport) -> String {
    counted(case.cost.calls, "call")
}

/// `1 call`, `2 calls`.
fn counted(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// `1 234 567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

fn named(cases: &[String]) -> String {
    let first: Vec<String> =
        cases.iter().take(MOST_NAMED).map(|name| format!("`{name}`")).collect();
    let more = cases.len().saturating_sub(MOST_NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", first.join(", "))
}

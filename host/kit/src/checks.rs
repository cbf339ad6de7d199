//! What is checked without being asked.
//!
//! Each check begins with the cases: it reads the calls that they made, or runs them again with one
//! thing changed. What it finds has a stable code, and says how to mend it. A finding is never a
//! matter of what a case expects, so no `--bless` makes one go away.

mod canary;
mod determinism;
mod hostile_replies;
mod hostile_values;
mod moves;
mod needs;
mod remembered;
mod verdict;

use crate::case::{Case, Inputs};
use crate::report::{Finding, Note};
use crate::run::Run;
use crate::stage::Stage;

/// The codes of all findings, each with what the check holds.
pub(crate) const CODES: [(&str, &str); 13] = [
    ("fault", "no call breaks"),
    ("contract", "the plugin keeps to the contract, and asks for nothing that the host refuses"),
    ("outside-needs", "what it asks for is within its needs"),
    ("not-deterministic", "equal inputs give equal outputs"),
    ("remembered-differs", "an answer to be remembered is the same whatever the request"),
    ("remembered-random", "an answer to be remembered holds nothing random"),
    ("secret-in-log", "no secret is in a line of the log"),
    ("secret-in-message", "no secret is in a refusal"),
    ("secret-in-attribute", "no secret is in an attribute of the state"),
    ("secret-in-prompt", "no secret is in what a user is shown"),
    ("secret-in-view", "no secret is in the name of what it wants to see"),
    ("hostile-value", "a hostile value breaks nothing"),
    ("hostile-reply", "a hostile reply breaks nothing"),
];

/// A case, and what came of it.
pub(crate) struct Tried<'a> {
    pub(crate) case: &'a Case,
    pub(crate) run: Run,
}

impl Tried<'_> {
    /// Whether it asked for more than the case has answers to.
    fn lacks_answers(&self) -> bool {
        let Inputs { fetches, replies, .. } = &self.case.inputs;
        let is_sent = self.case.inputs.is_sent();
        self.run.fetched.len() > fetches.len() || is_sent && self.run.sent.len() > replies.len()
    }
}

/// What the checks found and noticed, in the order of their codes.
#[derive(Default)]
pub(crate) struct Checked {
    pub(crate) findings: Vec<Finding>,
    pub(crate) notes: Vec<Note>,
    /// Of each case, in their order, whether its run as it is written is at fault: what it came to is
    /// then nothing to expect.
    pub(crate) faulty: Vec<bool>,
}

impl Checked {
    /// The same thing found with several cases is told once.
    fn find(&mut self, code: &'static str, case: &Case, what: String, mend: impl Into<String>) {
        let same = |it: &&mut Finding| it.code == code && it.what == what;
        if let Some(finding) = self.findings.iter_mut().find(same) {
            if !finding.cases.contains(&case.name) {
                finding.cases.push(case.name.clone());
            }
            return;
        }
        let cases = vec![case.name.clone()];
        self.findings.push(Finding { code, what, mend: mend.into(), cases });
    }

    fn notice(&mut self, code: &'static str, case: &Case, what: String) {
        let same = |it: &&mut Note| it.code == code && it.what == what;
        if let Some(note) = self.notes.iter_mut().find(same) {
            if !note.cases.contains(&case.name) {
                note.cases.push(case.name.clone());
            }
            return;
        }
        self.notes.push(Note { code, what, cases: vec![case.name.clone()] });
    }
}

/// Makes them all.
pub(crate) fn all(stage: &Stage, tried: &[Tried<'_>]) -> Checked {
    let mut checked = Checked::default();
    for tried in tried {
        let is_faulty =
            needs::check(stage, tried, &mut checked) || verdict::check(tried, &mut checked);
        checked.faulty.push(is_faulty || tried.lacks_answers());
    }
    // What breaks as it is written needs no hostile value to break.
    let faults = tried.iter().filter(|it| it.run.fault().is_some());
    let known: Vec<String> = faults.filter_map(|it| verdict::broke(&it.run)).collect();
    for tried in tried {
        if tried.lacks_answers() {
            // It goes no way that the case knows of: only whether it would ever end is told.
            verdict::check_on(stage, tried, &mut checked);
            continue;
        }
        if verdict::broke(&tried.run).is_some() {
            // What is broken as it is tells nothing of what breaks it.
            continue;
        }
        determinism::check(stage, tried, &mut checked);
        moves::check(stage, tried, &mut checked);
        remembered::check(stage, tried, &mut checked);
        canary::check(stage, tried, &mut checked);
        hostile_values::check(stage, tried, &known, &mut checked);
        hostile_replies::check(stage, tried, &known, &mut checked);
    }
    let place = |code: &str| CODES.iter().position(|(known, _)| *known == code);
    checked.findings.sort_by_key(|it| place(it.code));
    checked.notes.sort_by_key(|it| it.code);
    checked
}

/// The same inputs an hour later, with everything that was known in milliseconds an hour later too.
fn later(inputs: &Inputs, millis: u64) -> Inputs {
    let mut later = inputs.clone();
    later.now = later.now.saturating_add(millis);
    for kept in [&mut later.state, &mut later.shared].into_iter().flatten() {
        for time in [&mut kept.renew_at, &mut kept.expires_at].into_iter().flatten() {
            *time = time.saturating_add(millis);
        }
    }
    later
}

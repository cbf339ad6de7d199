//! What a run of the kit has shown.

mod json;
mod junit;
mod text;

use std::path::{Path, PathBuf};

use countersign::registry::GuestInfo;
use countersign::witness::Function;

use crate::bless::Blessed;
use crate::case::Case;
use crate::checks::Checked;
use crate::difference::Difference;
use crate::run::Run;

/// Cases and checks, and whether all is well.
#[derive(Debug)]
#[non_exhaustive]
pub struct Report {
    /// The component's name.
    pub component: String,
    /// Its digest, as the host knows it: SHA-256 in hex.
    pub digest: String,
    /// In the order of their files.
    pub cases: Vec<CaseReport>,
    /// What the checks found: each is to be mended.
    pub findings: Vec<Finding>,
    /// What the checks noticed: each is worth knowing, and none is wrong by itself.
    pub notes: Vec<Note>,
    /// Cases that were asked for by name and are not there.
    pub unknown: Vec<String>,
}

/// One case.
#[derive(Debug)]
#[non_exhaustive]
pub struct CaseReport {
    /// Where it is from.
    pub file: PathBuf,
    /// Its name.
    pub name: String,
    /// Where it runs otherwise than it says; none where it passed.
    pub differences: Vec<Difference>,
    /// The names of the calls that were made, in order.
    pub steps: Vec<&'static str>,
    /// What they logged, as `level: line`, as it was written.
    pub log: Vec<String>,
    /// What it took.
    pub cost: Cost,
    pub(crate) place: String,
    /// What it would expect; `None` where a check finds the run itself at fault.
    pub(crate) blessed: Option<Blessed>,
}

/// What a case took. The counts are the same on every machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cost {
    /// Calls into the plugin.
    pub calls: usize,
    /// How often `authorize` was asked.
    pub rounds: usize,
    /// Instructions of WebAssembly, all calls together.
    pub instructions: u64,
    /// Bytes of linear memory that the largest call had.
    pub memory: usize,
}

/// What a check found: to be mended by whoever wrote the plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// A stable word, listed in docs/plugins/testing.md.
    pub code: &'static str,
    /// What was found.
    pub what: String,
    /// How to mend it.
    pub mend: String,
    /// The cases that it was found with.
    pub cases: Vec<String>,
}

/// What a check noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Note {
    /// A stable word, listed in docs/plugins/testing.md.
    pub code: &'static str,
    /// What was noticed.
    pub what: String,
    /// The cases that it was noticed with.
    pub cases: Vec<String>,
}

impl Report {
    pub(crate) fn new(
        info: &GuestInfo,
        only: &[String],
        cases: Vec<CaseReport>,
        checked: Checked,
    ) -> Self {
        let is_there = |name: &&String| cases.iter().any(|case| case.name == **name);
        Self {
            component: info.name.clone(),
            digest: info.digest.to_string(),
            unknown: only.iter().filter(|name| !is_there(name)).cloned().collect(),
            findings: checked.findings,
            notes: checked.notes,
            cases,
        }
    }

    /// Whether there were cases, each went as it says, and no check found anything.
    pub fn passed(&self) -> bool {
        !self.cases.is_empty()
            && self.unknown.is_empty()
            && self.findings.is_empty()
            && self.cases.iter().all(CaseReport::passed)
    }

    /// Ends a test that it did not pass, with [`Report::to_text`] as its message.
    ///
    /// # Panics
    ///
    /// Where not [`Report::passed`].
    #[track_caller]
    pub fn assert(&self) {
        assert!(self.passed(), "{}", self.to_text());
    }

    /// The case that took the most, by whatever is asked for.
    fn worst<T: Ord>(&self, of: impl Fn(&Cost) -> T) -> Option<&CaseReport> {
        self.cases.iter().max_by_key(|case| of(&case.cost))
    }
}

impl CaseReport {
    pub(crate) fn new(
        file: &Path,
        case: &Case,
        run: &Run,
        differences: Vec<Difference>,
        blessed: Option<Blessed>,
    ) -> Self {
        let calls = &run.calls;
        let asked = calls.iter().filter(|call| call.function == Function::Authorize);
        let cost = Cost {
            calls: calls.len(),
            rounds: asked.count(),
            instructions: calls.iter().map(|call| call.instructions).sum(),
            memory: calls.iter().map(|call| call.memory).max().unwrap_or_default(),
        };
        Self {
            file: file.to_owned(),
            name: case.name.clone(),
            differences,
            steps: run.steps(),
            log: calls
                .iter()
                .flat_map(|call| &call.log)
                .map(|(level, line)| format!("{level}: {line}"))
                .collect(),
            cost,
            place: case.place.clone(),
            blessed,
        }
    }

    /// Whether it went as it says.
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }

    /// Whether its run is one that may be expected: no check found `fault`, `contract` or
    /// `outside-needs` with the case as it is written, and it did not ask for more than the case has
    /// answers to.
    pub fn may_be_blessed(&self) -> bool {
        self.blessed.is_some()
    }
}

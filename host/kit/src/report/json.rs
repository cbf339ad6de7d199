//! The report for programs.

use serde_json::{Value as Json, json};

use super::{CaseReport, Cost, Report};
use crate::difference::Difference;

impl Report {
    /// One document; its members may grow in later releases.
    pub fn to_json(&self) -> Json {
        let findings = self.findings.iter().map(
            |it| json!({"code": it.code, "what": it.what, "mend": it.mend, "cases": it.cases}),
        );
        let notes = self
            .notes
            .iter()
            .map(|it| json!({"code": it.code, "what": it.what, "cases": it.cases}));
        json!({
            "component": {"name": self.component, "digest": format!("sha256:{}", self.digest)},
            "passed": self.passed(),
            "cases": self.cases.iter().map(CaseReport::to_json).collect::<Vec<_>>(),
            "findings": findings.collect::<Vec<_>>(),
            "notes": notes.collect::<Vec<_>>(),
            "unknown": self.unknown,
            "worst": {
                "calls": self.most(|cost| cost.calls),
                "rounds": self.most(|cost| cost.rounds),
                "instructions": self.most(|cost| cost.instructions),
                "memory": self.most(|cost| cost.memory),
            },
        })
    }

    fn most<T: Ord + Default>(&self, of: impl Fn(&Cost) -> T) -> T {
        self.cases.iter().map(|case| of(&case.cost)).max().unwrap_or_default()
    }
}

impl CaseReport {
    fn to_json(&self) -> Json {
        let differences: Vec<Json> = self.differences.iter().map(Difference::to_json).collect();
        json!({
            "file": self.file.display().to_string(),
            "name": self.name,
            "passed": self.passed(),
            "differences": differences,
            "steps": self.steps,
            "log": self.log,
            "calls": self.cost.calls,
            "rounds": self.cost.rounds,
            "instructions": self.cost.instructions,
            "memory": self.cost.memory,
        })
    }
}

//! Equal inputs give equal outputs: each case twice, every call in an instance of its own.

use super::{Checked, Tried};
use crate::run::{Run, words};
use crate::stage::Stage;

pub(super) fn check(stage: &Stage, tried: &Tried<'_>, checked: &mut Checked) {
    let again = stage.run(&tried.case.inputs);
    if let Some(what) = unlike(&tried.run, &again) {
        let mend = "make every answer of the arguments, `context.now` and `context.random` alone";
        checked.find("not-deterministic", tried.case, what, mend);
    }
}

/// Where two runs differ, in words.
fn unlike(first: &Run, again: &Run) -> Option<String> {
    if first.steps() != again.steps() {
        return Some("the same case made other calls when it was run again".to_owned());
    }
    let calls = first.calls.iter().zip(&again.calls).enumerate();
    let mut unlike = calls.filter(|(_, (a, b))| words(a) != words(b));
    let (nth, (call, _)) = unlike.next()?;
    let name = call.function.name();
    Some(format!("call {} (`{name}`) answered otherwise when it was made again", nth + 1))
}

#[cfg(test)]
mod tests {
    use countersign::witness::{Call, Function};
    use serde_json::json;

    use super::*;
    use crate::run::End;

    fn run(answers: &[&str]) -> Run {
        let call = |answer: &&str| Call {
            plugin: "p".into(),
            function: Function::Authorize,
            given: json!({}),
            answer: Ok(json!({"ready": answer})),
            log: Vec::new(),
            instructions: 1,
            memory: 1,
        };
        Run {
            calls: answers.iter().map(call).collect(),
            end: End::Ready,
            fetched: Vec::new(),
            sent: Vec::new(),
            prompts: Vec::new(),
            memo: None,
        }
    }

    /// No plugin can be made to do this in a sandbox that keeps its word, so the check is shown
    /// runs.
    #[test]
    fn another_answer_or_another_call_to_equal_inputs_is_found() {
        assert_eq!(unlike(&run(&["a", "b"]), &run(&["a", "b"])), None);
        let what = unlike(&run(&["a", "b"]), &run(&["a", "c"])).unwrap();
        assert_eq!(what, "call 2 (`authorize`) answered otherwise when it was made again");
        assert!(unlike(&run(&["a"]), &run(&["a", "a"])).is_some());
    }
}

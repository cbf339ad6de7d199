//! Faults, and what the host refuses whatever the plugin's needs: of a case as it is written, and
//! which lacks no need.

use countersign::Error;
use countersign::flow::FlowError;

use super::{Checked, Tried};
use crate::case::Expect;
use crate::run::Run;
use crate::stage::Stage;

/// Whether there was one.
pub(super) fn check(tried: &Tried<'_>, checked: &mut Checked) -> bool {
    let Tried { case, run } = tried;
    if let Some((function, fault)) = run.fault() {
        let what = format!("`{}` {fault}", function.name());
        checked.find("fault", case, what, "have it refuse what it cannot work with");
        return true;
    }
    let Some(error) = run.error() else { return false };
    let expected = case.expect.as_ref().and_then(|Expect(it)| it.get("error"));
    let is_expected = expected.is_some_and(|it| it["code"] == error.code());
    let is_found = !is_expected && blames_plugin(error);
    if is_found {
        let mend =
            "keep to the contract; where this is what the case shows, expect the error's code";
        checked.find("contract", case, error.to_string(), mend);
    }
    is_found
}

/// The same of a run that its case has no more answers for, where the last is given again: one that asks
/// for ever asks for the same.
pub(super) fn check_on(stage: &Stage, tried: &Tried<'_>, checked: &mut Checked) {
    let run = stage.run_changed(&tried.case.inputs);
    if let Some(error @ Error::Contract { .. }) = run.error() {
        let what = format!("with its last answer again and again, {error}");
        let mend = "look whether it reads what a renewal has left: `read state/NAME`";
        checked.find("contract", tried.case, what, mend);
    }
}

/// Whether the host blames whoever wrote the plugin.
pub(super) fn blames_plugin(error: &Error) -> bool {
    match error {
        Error::Edit { .. }
        | Error::View { .. }
        | Error::Contract { .. }
        | Error::WatchedBody { .. } => true,
        Error::Flow(error) => {
            !matches!(error, FlowError::Missing { .. } | FlowError::Callback | FlowError::TimedOut)
        }
        _ => false,
    }
}

/// Whether the plugin broke, or broke the contract: what no input may make it do.
pub(super) fn broke(run: &Run) -> Option<String> {
    if let Some((function, fault)) = run.fault() {
        return Some(format!("`{}` {fault}", function.name()));
    }
    match run.error() {
        Some(error @ (Error::Contract { .. } | Error::WatchedBody { .. })) => {
            Some(error.to_string())
        }
        _ => None,
    }
}

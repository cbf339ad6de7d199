//! Hostile values are refused, or used safely; they break nothing.
//!
//! Each value in turn becomes what no good one is. The plugin may refuse it, or come to an answer;
//! the host may refuse that answer, which is noticed, since the plugin could have named the value
//! at fault. What must not be: a call that breaks, or a broken contract.

use std::collections::BTreeMap;

use super::verdict::{blames_plugin, broke};
use super::{Checked, Tried};
use crate::case::Inputs;
use crate::stage::Stage;

/// What a value becomes, with its name. The last is longer than any header or URL may be.
fn hostile() -> [(&'static str, String); 10] {
    [
        ("a line break", "a\r\nx-injected: 1".to_owned()),
        ("a line feed", "a\nb".to_owned()),
        ("NUL", "a\0b".to_owned()),
        ("a tab", "a\tb".to_owned()),
        ("a quotation mark", "a\"b'c".to_owned()),
        ("a backslash", "a\\b".to_owned()),
        ("letters beyond Latin-1", "ключ-鍵-🔑".to_owned()),
        ("nothing", String::new()),
        ("blanks", "  ".to_owned()),
        ("64 KiB", "x".repeat(64 << 10)),
    ]
}

const JUDGE: &str =
    "judge the value before it is used, and refuse with `invalid-config` and its name";

/// No plugin need look for these: the host says as much as it could.
const BY_ALL: [&str; 2] = ["blanks", "64 KiB"];

/// `known` is how the cases break as they are written.
pub(super) fn check(stage: &Stage, tried: &Tried<'_>, known: &[String], checked: &mut Checked) {
    let Tried { case, run } = tried;
    // What the host refuses anyhow says nothing of the values.
    let is_refused_anyhow = run.error().is_some_and(blames_plugin);
    if case.inputs.memo.is_some() {
        let inputs = Inputs { memo: None, ..case.inputs.clone() };
        if let Some(how) = broke(&stage.run_changed(&inputs)) {
            let mend = "begin anew without it: a memo is lost at any time";
            checked.find("hostile-value", case, format!("without the memo, {how}"), mend);
        }
    }
    for name in names(&case.inputs) {
        // By what came of it, so that what breaks over each of them is told once.
        let mut found: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        let mut left = Vec::new();
        for (kind, text) in hostile() {
            let mut inputs = case.inputs.clone();
            set(&mut inputs, &name, text);
            let run = stage.run_changed(&inputs);
            if let Some(how) = broke(&run) {
                found.entry(how).or_default().push(kind);
            } else if !is_refused_anyhow
                && is_typed(&name)
                && !BY_ALL.contains(&kind)
                && run.error().is_some_and(blames_plugin)
            {
                left.push(kind);
            }
        }
        for (how, kinds) in found.into_iter().filter(|(how, _)| !known.contains(how)) {
            let what = format!("with {} for `{name}`, {how}", kinds.join(", "));
            checked.find("hostile-value", case, what, JUDGE);
        }
        if !left.is_empty() {
            let what = format!(
                "`{name}` is passed on with {}, and the host refuses what comes of it",
                left.join(", ")
            );
            checked.notice("left-to-the-host", case, what);
        }
    }
}

/// Whether the value is for the plugin to judge. What a payload holds, the host has judged before.
fn is_typed(name: &str) -> bool {
    !name.starts_with("pattern/") && !name.starts_with("provider/")
}

/// Everything that somebody typed or configured; what the host fills itself is not among it.
fn names(inputs: &Inputs) -> Vec<String> {
    let values = inputs.values.keys().filter(|name| *name != "provider/proxy_url").cloned();
    let kept = [("state", &inputs.state), ("shared", &inputs.shared)].into_iter();
    let kept = kept.flat_map(|(root, kept)| {
        let names = kept.iter().flat_map(|it| it.secrets.keys().chain(it.attributes.keys()));
        names.map(move |name| format!("{root}/{name}")).collect::<Vec<_>>()
    });
    values.chain(kept).collect()
}

fn set(inputs: &mut Inputs, name: &str, text: String) {
    let kept = match name.split_once('/') {
        Some(("state", rest)) => inputs.state.as_mut().map(|kept| (kept, rest)),
        Some(("shared", rest)) => inputs.shared.as_mut().map(|kept| (kept, rest)),
        _ => {
            inputs.values.insert(name.to_owned(), text);
            return;
        }
    };
    if let Some((kept, rest)) = kept {
        let there = kept.secrets.get_mut(rest).or_else(|| kept.attributes.get_mut(rest));
        if let Some(there) = there {
            *there = text;
        }
    }
}

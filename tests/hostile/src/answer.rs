//! The contract's own answers, said shortly.
//!
//! Every function gives a [`Val`] that fits the WIT type of its name. Nothing is checked: that is
//! the host's work.

use crate::val::Val;

/// `types.entry`: a name and its value.
pub fn entry(name: impl Into<Val>, value: impl Into<Val>) -> Val {
    Val::Tuple(vec![name.into(), value.into()])
}

/// A list of entries.
pub fn entries(items: &[(&str, &str)]) -> Val {
    Val::List(items.iter().map(|(name, value)| entry(*name, *value)).collect())
}

/// `authorizer.descriptor`; each need is `verb object`, divided at the first blank.
pub fn descriptor(auth_types: &[&str], flows: &[&str], needs: &[&str], about: Val) -> Val {
    let needs = needs.iter().map(|need| {
        let (verb, object) = need.split_once(' ').unwrap_or((need, ""));
        entry(verb, object)
    });
    Val::Record(vec![
        ("auth-types", Val::strings(auth_types)),
        ("flows", Val::strings(flows)),
        ("needs", Val::List(needs.collect())),
        ("about", about),
    ])
}

/// `ok(outcome.ready)` with these edits, not to be remembered.
pub fn ready(edits: Vec<Val>) -> Val {
    ready_with(Val::List(edits), Vec::new(), Val::none())
}

/// `ok(outcome.ready)` with edits, watches and a memo.
pub fn ready_with(edits: Val, watches: Vec<Val>, memo: Val) -> Val {
    Val::ok(Val::of(
        "ready",
        Val::Record(vec![
            ("edits", edits),
            ("remember", Val::Num(0)),
            ("watches", Val::List(watches)),
            ("memo", memo),
            ("cursor", "".into()),
        ]),
    ))
}

/// `edit.set-header`.
pub fn set_header(name: impl Into<Val>, value: impl Into<Val>) -> Val {
    Val::of("set-header", entry(name, value))
}

/// `authorizer.watch` of every reply, with this much of the body.
pub fn watch_any(body: u64) -> Val {
    Val::Record(vec![
        ("status", Val::none()),
        ("headers", Val::List(Vec::new())),
        ("body", Val::Num(body)),
    ])
}

/// `ok(outcome.show)`.
pub fn show(parts: &[&str]) -> Val {
    Val::ok(Val::of("show", Val::strings(parts)))
}

/// `ok(outcome.renew)` with an empty hint.
pub fn renew() -> Val {
    Val::ok(Val::of("renew", ""))
}

/// `ok(reaction)` without a memo.
pub fn reaction(next: Val) -> Val {
    Val::ok(Val::Record(vec![("next", next), ("memo", Val::none())]))
}

/// `err(refusal)`.
pub fn refusal(reason: &'static str, message: impl Into<Val>) -> Val {
    Val::err(refusal_record(reason, message))
}

/// `err(refusal)` over the value of this name.
pub fn refusal_of(reason: &'static str, field: &str, message: impl Into<Val>) -> Val {
    Val::err(Val::Record(vec![
        ("reason", Val::case(reason)),
        ("field", Val::some(field)),
        ("message", message.into()),
        ("retry-after", Val::none()),
    ]))
}

/// `types.refusal`.
pub fn refusal_record(reason: &'static str, message: impl Into<Val>) -> Val {
    Val::Record(vec![
        ("reason", Val::case(reason)),
        ("field", Val::none()),
        ("message", message.into()),
        ("retry-after", Val::none()),
    ])
}

/// `ok(step.fetch)`.
pub fn fetch(method: &str, url: impl Into<Val>, headers: Vec<Val>) -> Val {
    let request = Val::Record(vec![
        ("method", method.into()),
        ("url", url.into()),
        ("headers", Val::List(headers)),
        ("body", "grant_type=refresh_token".into()),
    ]);
    Val::ok(Val::of(
        "fetch",
        Val::Record(vec![
            ("request", request),
            ("client-certificate", Val::none()),
            ("cursor", "".into()),
        ]),
    ))
}

/// `ok(step.pause)` with a prompt for the browser, which comes back with this `state`.
pub fn prompt(url: impl Into<Val>, state: impl Into<Val>) -> Val {
    let prompt = Val::Record(vec![("url", url.into()), ("code", Val::none())]);
    paused(Val::some(prompt), Val::some(entry("state", state)), Val::none())
}

/// `ok(step.pause)` with nothing to show, for this many seconds.
pub fn pause(seconds: Val) -> Val {
    paused(Val::none(), Val::none(), seconds)
}

fn paused(prompt: Val, callback: Val, seconds: Val) -> Val {
    Val::ok(Val::of(
        "pause",
        Val::Record(vec![
            ("prompt", prompt),
            ("callback", callback),
            ("seconds", seconds),
            ("cursor", "".into()),
        ]),
    ))
}

/// `ok(step.done)`.
pub fn done(secrets: Vec<Val>, attributes: Vec<Val>) -> Val {
    Val::ok(Val::of(
        "done",
        Val::Record(vec![
            ("secrets", Val::List(secrets)),
            ("attributes", Val::List(attributes)),
            ("renew-after", Val::none()),
            ("expires-after", Val::none()),
        ]),
    ))
}

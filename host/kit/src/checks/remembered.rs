//! Answers that are marked to be remembered: they stand for every request of their time.
//!
//! The host keeps only those that were given without sight of a request, so that no request can be
//! in them. But a plugin that marks an answer which is another one for another request, or which holds
//! what should be new each time, says what is not so: with the next change of it, or of a host, the
//! wrong credential is kept.

use countersign::witness::{Call, Function};
use http::Method;
use serde_json::Value as Json;

use super::{Checked, Tried};
use crate::case::{Act, Inputs, Request};
use crate::run::Run;
use crate::stage::Stage;

pub(super) fn check(stage: &Stage, tried: &Tried<'_>, checked: &mut Checked) {
    let Tried { case, run } = tried;
    for why in run.calls.iter().filter_map(in_vain) {
        let what = format!("an answer is marked to be remembered, and is not kept: {why}");
        checked.notice("remembered-in-vain", case, what);
    }
    if let Some(answer) = kept(run) {
        let mut reseeded = case.inputs.clone();
        reseeded.seed = reseeded.seed.wrapping_add(1);
        let other = kept(&stage.run_changed(&reseeded));
        if other.is_some_and(|other| other["edits"] != answer["edits"]) {
            let what = "an answer to be remembered moves with the seed".to_owned();
            let mend = "answer with `remember` 0 where a nonce or a key is new each time";
            checked.find("remembered-random", case, what, mend);
        }
    }
    let Some(other) = another_request(&case.inputs) else { return };
    if marked(&run.calls).next().is_some() && differs(&run.calls, &stage.run_changed(&other).calls)
    {
        let what = "an answer to be remembered is another one for another request".to_owned();
        let mend = "answer with `remember` 0 where the request is in it";
        checked.find("remembered-differs", case, what, mend);
    }
}

/// The first answer that the host would keep.
fn kept(run: &Run) -> Option<Json> {
    let mut asked = run.calls.iter().filter(|call| call.function == Function::Authorize);
    let kept = asked.find(|call| is_marked(call) && in_vain(call).is_none())?;
    kept.answer.as_ref().ok()?.get("ready").cloned()
}

/// Whether there is a marked answer that is another one in the other run, though nothing that it was given
/// but the request can be the cause: another method may have kept the host from sending again, and so
/// from the account's next state.
fn differs(calls: &[Call], others: &[Call]) -> bool {
    marked(calls).any(|(account, ready)| {
        marked(others).any(|(same, other)| same == account && other["edits"] != ready["edits"])
    })
}

/// The answers that are marked, kept or not, each with the account that it was given for.
fn marked(calls: &[Call]) -> impl Iterator<Item = (&Json, &Json)> {
    let marked = calls.iter().filter(|call| is_marked(call));
    marked
        .filter_map(|call| Some((&call.given["account"], call.answer.as_ref().ok()?.get("ready")?)))
}

fn is_marked(call: &Call) -> bool {
    let remember = call.answer.as_ref().ok().and_then(|it| it.pointer("/ready/remember"));
    remember.and_then(Json::as_u64).is_some_and(|seconds| seconds > 0)
}

/// Why a marked answer is not kept; `None` where it is, or is not marked.
fn in_vain(call: &Call) -> Option<&'static str> {
    let ready = call.answer.as_ref().ok()?.get("ready").filter(|_| is_marked(call))?;
    let edits = |kinds: [&str; 2]| {
        let mut edits = ready["edits"].as_array().into_iter().flatten();
        edits.any(|edit| kinds.iter().any(|kind| edit[0] == *kind))
    };
    if !call.given["request"].is_null() {
        Some("it was given with the request in sight")
    } else if call.given["cursor"] != "" {
        Some("it was given after a reply")
    } else if ready.get("cursor").is_some() {
        Some("it has a cursor")
    } else if ready.get("memo").is_some() {
        Some("it changes the memo")
    } else if edits(["set-path", "set-body"]) {
        Some("it sets the path or the body")
    } else {
        None
    }
}

/// As unlike as a request can be, with the same answers to it.
fn another_request(inputs: &Inputs) -> Option<Inputs> {
    let mut other = inputs.clone();
    let Act::Request { request, .. } = &mut other.act else { return None };
    let method = if request.method == Method::PATCH { Method::PUT } else { Method::PATCH };
    *request = Request {
        method,
        path: "/another/path?with=query".to_owned(),
        headers: vec![("x-another".to_owned(), "header".to_owned())],
        body: b"another body".to_vec(),
    };
    Some(other)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(request: &Json, cursor: &str, ready: &Json) -> Call {
        Call {
            plugin: "p".into(),
            function: Function::Authorize,
            given: json!({"request": request, "cursor": cursor}),
            answer: Ok(json!({"ready": ready})),
            log: Vec::new(),
            instructions: 1,
            memory: 1,
        }
    }

    #[test]
    fn only_answers_for_the_same_account_are_held_against_each_other() {
        let asked = |state: &str, credential: &str| {
            let ready = json!({"edits": [["set-header", "a", credential]], "remember": 9});
            let mut call = call(&Json::Null, "", &ready);
            call.given["account"] = json!({"values": {"state/token": state}});
            call
        };
        let renewed = [asked("1", "of 1"), asked("2", "of 2")];
        assert!(!differs(&renewed, &[asked("1", "of 1")]), "it was not renewed");
        assert!(differs(&renewed, &[asked("1", "another")]));
        assert!(differs(&renewed, &[asked("1", "of 1"), asked("2", "of 1")]));
    }

    #[test]
    fn what_the_host_does_not_keep_is_not_taken_for_remembered() {
        let edits = json!([["set-header", "a", "b"]]);
        let blind = |ready: &Json| call(&Json::Null, "", ready);
        assert_eq!(in_vain(&blind(&json!({"edits": edits, "remember": 9}))), None);
        assert!(!is_marked(&blind(&json!({"edits": edits}))));
        for ready in [
            json!({"edits": edits, "remember": 9, "cursor": "c"}),
            json!({"edits": edits, "remember": 9, "memo": "m"}),
            json!({"edits": [["set-path", "/x"]], "remember": 9}),
        ] {
            assert!(in_vain(&blind(&ready)).is_some(), "{ready}");
        }
        let ready = json!({"edits": edits, "remember": 9});
        assert!(in_vain(&call(&json!({"method": "GET"}), "", &ready)).is_some());
        assert!(in_vain(&call(&Json::Null, "again", &ready)).is_some());
    }
}

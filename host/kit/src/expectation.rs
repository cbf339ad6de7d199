//! What a case expects, held against what its run has found.
//!
//! Both are told in the same words, those of `expect`, so that what was found can be written where
//! what was expected stands. Of messages, refusals and prompts only what the case names is
//! compared; all else is compared whole.

mod words;

use countersign::witness::bytes;
use serde_json::{Map, Value as Json, json};

use crate::case::{Asked, Case, END_NAMES, Expect};
use crate::difference::Difference;
use crate::reading::below;
use crate::run::{End, Run};
use crate::script::Message;
use words::{edits, named_too, normal, pairs, refusal, spoken, state};

pub(crate) use words::part;

/// A run in the words of `expect`.
pub(crate) struct Found(Map<String, Json>);

impl Found {
    pub(crate) fn of(run: &Run) -> Self {
        let mut found = Map::new();
        let mut put = |name: &str, json: Json| drop(found.insert(name.to_owned(), json));
        let ready = run.ready();
        match &run.end {
            End::Ready | End::Replied(_) => {
                put("edits", edits(ready));
                if let Some(request) = run.sent.last() {
                    put("request", message(request));
                }
            }
            End::Done => {}
            End::Paused => put("pause", run.prompts.last().cloned().unwrap_or_default()),
            End::Judged => {
                let judged = run.answers().last().and_then(Json::as_array);
                put("problems", judged.into_iter().flatten().map(refusal).collect());
            }
            End::Value(text) => put("value", text.as_str().into()),
            End::Failed(_) => match (run.refusal(), run.error()) {
                (Some(told), _) => put("refusal", refusal(told)),
                (None, Some(error)) => {
                    let mut told = json!({"code": error.code()});
                    if let Some(field) = error.field() {
                        told["field"] = field.into();
                    }
                    told["message"] = error.to_string().into();
                    put("error", told);
                }
                (None, None) => {}
            },
        }
        if let Some(done) = run.done() {
            put("state", state(done));
        }
        if let End::Replied(it) = &run.end {
            let headers = pairs(&it.headers);
            put("reply", json!({"status": it.status, "headers": headers, "body": bytes(&it.body)}));
        }
        put("steps", json!(run.steps()));
        put("memo", bytes(run.memo.as_deref().unwrap_or_default()));
        put("remember", ready.and_then(|it| it.get("remember")).cloned().unwrap_or(0.into()));
        Self(found)
    }

    /// The end, by the name under which it is written where nothing was expected.
    pub(crate) fn end(&self) -> &'static str {
        END_NAMES.into_iter().find(|name| self.0.contains_key(*name)).unwrap_or("state")
    }

    /// Whether it ended in a refusal or an error.
    pub(crate) fn is_failure(&self) -> bool {
        ["refusal", "error"].iter().any(|name| self.0.contains_key(*name))
    }

    /// What the refusal or the error says that was its end, or the problems that were found.
    fn said(&self) -> Option<String> {
        let problems = self.0.get("problems").and_then(Json::as_array).into_iter().flatten();
        let ends = ["refusal", "error"].into_iter().filter_map(|name| self.0.get(name));
        let said = ends.chain(problems).filter_map(|it| it["message"].as_str());
        let said: Vec<&str> = said.filter(|it| !it.is_empty()).collect();
        (!said.is_empty()).then(|| said.join("; "))
    }

    /// What was found under a name of `expect`, as far as `expected` asks; `None` where the run had
    /// no such end.
    pub(crate) fn named(&self, name: &str, expected: Option<&Json>) -> Option<Json> {
        let found = self.0.get(name)?;
        Some(match (name, expected) {
            ("request" | "reply" | "pause", Some(Json::Object(expected))) => {
                part(&Asked(expected.clone()), found)
            }
            ("refusal", expected) => spoken(found, expected),
            ("error", expected) => named_too(found, &["code", "field"], &["message"], expected),
            ("problems", expected) => {
                let expected = expected.and_then(Json::as_array);
                let found = found.as_array().into_iter().flatten().enumerate();
                found.map(|(nth, it)| spoken(it, expected.and_then(|all| all.get(nth)))).collect()
            }
            _ => found.clone(),
        })
    }
}

fn is_end(name: &str) -> bool {
    END_NAMES.contains(&name)
}

/// All that differs between a case and its run, fetches, replies and prompts included.
pub(crate) fn differences(case: &Case, run: &Run) -> Vec<Difference> {
    let found = Found::of(run);
    let mut differences = Vec::new();
    let place = below(&case.place, "expect");
    match &case.expect {
        None => {
            let end = found.end();
            let told = found.named(end, None).unwrap_or_default();
            differences.push(Difference::new(&place, None, Some(json!({end: told}))));
        }
        Some(Expect(expect)) => {
            for (name, expected) in expect.iter().filter(|(_, expected)| !expected.is_null()) {
                match found.named(name, Some(expected)) {
                    Some(told) => {
                        let (expected, place) = (normal(name, expected), below(&place, name));
                        differences.extend(Difference::between(&place, expected, told));
                    }
                    None if is_end(name) => {
                        let end = found.end();
                        let told = found.named(end, None).map(|told| json!({end: told}));
                        let expected = json!({name: expected});
                        differences.push(Difference::new(&place, Some(expected), told));
                    }
                    None => {
                        let place = below(&place, name);
                        differences.push(Difference::new(&place, Some(expected.clone()), None));
                    }
                }
            }
            // A state that a renewal left says nothing of what became of the request.
            let end = found.end();
            let ends =
                |(name, it): (&String, &Json)| name != "state" && !it.is_null() && is_end(name);
            if found.is_failure() && !expect.iter().any(ends) {
                let told = found.named(end, None).map(|told| json!({end: told}));
                let named = expect.iter().filter(|(name, it)| is_end(name) && !it.is_null());
                let named = named.map(|(name, it)| (name.clone(), it.clone())).collect();
                differences.push(Difference::new(&place, Some(Json::Object(named)), told));
            }
        }
    }
    // Once, and where the case does not name it anyhow. Of one that ran out of answers the script would speak.
    let is_answered = run.fetched.len() <= case.inputs.fetches.len();
    if let Some(told) = differences.iter_mut().find(|it| is_of_end(it, &place))
        && is_answered
        && !told.found.as_ref().is_some_and(has_message)
    {
        told.said = found.said();
    }
    let fetches = case.inputs.fetches.iter().map(|it| it.expect.as_ref()).collect::<Vec<_>>();
    let replies = case.inputs.replies.iter().map(|it| it.expect.as_ref()).collect::<Vec<_>>();
    differences.extend(script(case, "fetches", &fetches, &told(&run.fetched)));
    if case.inputs.is_sent() {
        differences.extend(script(case, "replies", &replies, &told(&run.sent)));
    }
    let prompts = case.inputs.pauses().iter().map(|it| it.expect.as_ref()).collect::<Vec<_>>();
    // A case may end in a pause, which `expect` is for.
    let ended_so = matches!(run.end, End::Paused);
    let shown = &run.prompts[..run.prompts.len() - usize::from(ended_so)];
    differences.extend(script(case, "pauses", &prompts, shown));
    differences
}

/// Whether it is one of how the run ended; `expect` is the place of what is expected.
fn is_of_end(difference: &Difference, expect: &str) -> bool {
    let below = difference.place.strip_prefix(expect).unwrap_or_default();
    below.is_empty() || is_end(below.trim_start_matches('/'))
}

fn has_message(found: &Json) -> bool {
    let places = ["/message", "/error/message", "/refusal/message"];
    places.into_iter().any(|place| found.pointer(place).is_some())
}

/// What was asked for against what was scripted, one after the other. What was scripted and not
/// asked for differs as well, and so does what was asked for and not scripted.
fn script(case: &Case, name: &str, expected: &[Option<&Asked>], found: &[Json]) -> Vec<Difference> {
    let place = below(&case.place, name);
    let mut differences = Vec::new();
    for nth in 0..expected.len().max(found.len()) {
        let place = format!("{place}/{nth}");
        match (expected.get(nth), found.get(nth)) {
            (Some(Some(asked)), Some(found)) => {
                let expected = normal("request", &Json::Object(asked.0.clone()));
                let place = below(&place, "expect");
                differences.extend(Difference::between(&place, expected, part(asked, found)));
            }
            (Some(None), Some(_)) | (None, None) => {}
            (Some(asked), None) => {
                let unused = asked.map(|it| Json::Object(it.0.clone()));
                differences.push(Difference::unused(&place, unused));
            }
            (None, Some(found)) => {
                differences.push(Difference::unscripted(&place, found.clone()));
            }
        }
    }
    differences
}

/// The same messages, in the words of `expect`.
pub(crate) fn told(messages: &[Message]) -> Vec<Json> {
    messages.iter().map(message).collect()
}

fn message(message: &Message) -> Json {
    let Message { method, url, headers, body, certificate } = message;
    let mut told =
        json!({"method": method, "url": url, "headers": pairs(headers), "body": bytes(body)});
    if let Some(certificate) = certificate {
        told["client_certificate"] = json!(certificate);
    }
    told
}

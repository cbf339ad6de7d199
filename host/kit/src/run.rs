//! What came of one run: every call, every request, and the end.

use countersign::Error;
use countersign::sandbox::Fault;
use countersign::witness::{Call, Function};
use serde_json::{Value as Json, json};

use crate::script::Message;

/// One run, whole.
pub(crate) struct Run {
    /// In the order in which they ended.
    pub(crate) calls: Vec<Call>,
    pub(crate) end: End,
    /// Fetches of flows, as they would have been sent.
    pub(crate) fetched: Vec<Message>,
    /// The request, and its repeats; the prepared one where nothing is sent.
    pub(crate) sent: Vec<Message>,
    /// What a user was shown, pause by pause.
    pub(crate) prompts: Vec<Json>,
    /// As it is left; `None` where it cannot be had.
    pub(crate) memo: Option<Vec<u8>>,
}

/// How a run ended.
pub(crate) enum End {
    /// The request is ready.
    Ready,
    /// It was sent, and this was delivered.
    Replied(Delivered),
    /// A flow is done.
    Done,
    /// A flow waits, and the case says nothing more.
    Paused,
    /// The values are judged.
    Judged,
    /// What the mutated value has become.
    Value(String),
    Failed(Error),
}

/// What the caller got.
pub(crate) struct Delivered {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Run {
    /// Why it failed, without what is wrapped around it.
    pub(crate) fn error(&self) -> Option<&Error> {
        match &self.end {
            End::Failed(error) => Some(root(error)),
            _ => None,
        }
    }

    /// The call that broke, and how.
    pub(crate) fn fault(&self) -> Option<(Function, &Fault)> {
        self.calls.iter().find_map(|call| Some((call.function, call.answer.as_ref().err()?)))
    }

    /// The plugin's own refusal, where that was the end: in its own words.
    pub(crate) fn refusal(&self) -> Option<&Json> {
        matches!(self.error(), Some(Error::Refused { .. }))
            .then(|| self.answers().filter_map(|it| it.get("refusal")).last())
            .flatten()
    }

    /// What the calls answered, one after the other.
    pub(crate) fn answers(&self) -> impl Iterator<Item = &Json> {
        self.calls.iter().filter_map(|call| call.answer.as_ref().ok())
    }

    /// The last answer that was ready.
    pub(crate) fn ready(&self) -> Option<&Json> {
        self.answers().filter_map(|it| it.get("ready")).last()
    }

    /// The last state that a flow left.
    pub(crate) fn done(&self) -> Option<&Json> {
        self.answers().filter_map(|it| it.get("done")).last()
    }

    /// The names of its calls.
    pub(crate) fn steps(&self) -> Vec<&'static str> {
        self.calls.iter().map(|call| call.function.name()).collect()
    }

    /// What kind of answer each call gave: two runs of the same kind went the same way.
    pub(crate) fn way(&self) -> Vec<String> {
        let kind = |call: &Call| match &call.answer {
            Err(_) => "fault".to_owned(),
            Ok(Json::Object(map)) => map.keys().next().cloned().unwrap_or_default(),
            Ok(_) => String::new(),
        };
        self.calls.iter().map(|call| format!("{} {}", call.function.name(), kind(call))).collect()
    }
}

/// Renewals that several waited for, and errors after a reply, are told as what they wrap.
fn root(error: &Error) -> &Error {
    match error {
        Error::Renewal(inner) => root(inner),
        Error::AfterSent(inner) => root(inner),
        other => other,
    }
}

/// Everything of a call that equal inputs must make equal.
pub(crate) fn words(call: &Call) -> Json {
    let answer = match &call.answer {
        Ok(answer) => answer.clone(),
        Err(fault) => json!({"fault": fault.to_string()}),
    };
    json!({"call": call.function.name(), "given": call.given, "answer": answer, "log": call.log})
}

//! Requests that a plugin leads to, and what is answered: a script in place of the network.

use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value as Json};

use crate::reading::{Flaws, Members};

/// A request that is asked for, as far as the case names it, and its answer.
#[derive(Clone)]
pub(crate) struct Exchange {
    /// See [`Asked`]; any request will do where nothing is said.
    pub(crate) expect: Option<Asked>,
    pub(crate) answer: Answer,
}

/// Members of a request or a reply that are compared; what is not named may be anything.
#[derive(Clone)]
pub(crate) struct Asked(pub(crate) Map<String, Json>);

/// What comes back.
#[derive(Clone)]
pub(crate) enum Answer {
    Reply(Reply),
    Nothing(Failing),
}

/// A reply as it comes from the network.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Why nothing comes back.
#[derive(Clone, Copy)]
pub(crate) enum Failing {
    TimedOut,
    Unreachable,
    Closed,
    TooLarge,
}

const FAILINGS: [(&str, Failing); 4] = [
    ("timed-out", Failing::TimedOut),
    ("unreachable", Failing::Unreachable),
    ("closed", Failing::Closed),
    ("too-large", Failing::TooLarge),
];

/// Reads `[{"expect"?: {…}, "answer": {…}}…]`, or `"failed"` in place of `answer`.
pub(super) fn read(members: &Members<'_>, name: &str) -> Option<Vec<Exchange>> {
    let list = members.list(name)?.iter().enumerate();
    Some(
        list.filter_map(|(nth, json)| {
            one(json, &format!("{}/{nth}", members.at(name)), members.flaws())
        })
        .collect(),
    )
}

fn one(json: &Json, place: &str, flaws: &Flaws) -> Option<Exchange> {
    let members = Members::open(json, place, &["expect", "answer", "failed"], flaws)?;
    let expect = asked(&members, "expect", &REQUEST);
    let answer = match (members.has("answer"), members.has("failed")) {
        (true, false) => {
            let known = ["status", "headers", "body"];
            Answer::Reply(reply(&members.members("answer", &known)?))
        }
        (false, true) => {
            let word = members.text("failed")?;
            let Some((_, failing)) = FAILINGS.iter().find(|(known, _)| *known == word) else {
                let words = FAILINGS.map(|(word, _)| word).join(", ");
                members.flaw("failed", format!("is none of: {words}"));
                return None;
            };
            Answer::Nothing(*failing)
        }
        _ => {
            flaws.note(place, "needs one of `answer` and `failed`");
            return None;
        }
    };
    Some(Exchange { expect, answer })
}

fn reply(members: &Members<'_>) -> Reply {
    let status = members.number_within::<u16>("status", "a status").unwrap_or(200);
    if StatusCode::from_u16(status).is_err() {
        members.flaw("status", "is no status from 100 to 999");
    }
    Reply {
        status,
        headers: headers(members, "headers"),
        body: members.bytes("body").unwrap_or_default(),
    }
}

/// Headers that can be sent. In a value each character is one byte.
pub(super) fn headers(members: &Members<'_>, name: &str) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    for (header, value) in members.pairs(name) {
        let value = value.unwrap_or_default();
        if HeaderName::try_from(header).is_err() || header_value(value).is_none() {
            members.flaw(name, format!("holds `{header}`, which no message can carry"));
        } else {
            headers.push((header.to_owned(), value.to_owned()));
        }
    }
    headers
}

/// The bytes of a header's value.
pub(crate) fn header_value(text: &str) -> Option<HeaderValue> {
    let bytes = text.chars().map(u8::try_from).collect::<Result<Vec<u8>, _>>().ok()?;
    HeaderValue::from_bytes(&bytes).ok()
}

/// What may be said of a request that goes out.
pub(super) const REQUEST: [&str; 5] = ["method", "url", "headers", "body", "client_certificate"];

/// Members of a message that are to be compared.
pub(super) fn asked(members: &Members<'_>, name: &str, known: &[&str]) -> Option<Asked> {
    let asked = members.members(name, known)?;
    for member in known {
        match *member {
            "status" => {
                asked.number(member);
            }
            "headers" => {
                asked.pairs(member);
            }
            "body" => {
                asked.bytes(member);
            }
            "client_certificate" => {
                asked.list(member);
            }
            _ => {
                asked.text(member);
            }
        }
    }
    members.json(name)?.as_object().cloned().map(Asked)
}

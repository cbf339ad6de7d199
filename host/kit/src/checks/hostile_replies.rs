//! Hostile replies break nothing: whatever a server answers, a call ends in an answer or a refusal.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::verdict::broke;
use super::{Checked, Tried};
use crate::case::{Answer, Failing, Reply};
use crate::stage::Stage;

/// Under the 64 KiB that are held back of a watched reply, and under the 256 KiB of a fetch.
const LARGE: usize = 60 << 10;
/// Under what a server may say in all headers, and in the whole answer to a fetch.
const LARGEST: usize = 250 << 10;

/// `known` is how the cases break as they are written.
pub(super) fn check(stage: &Stage, tried: &Tried<'_>, known: &[String], checked: &mut Checked) {
    let Tried { case, .. } = tried;
    let of_fetches = (0..case.inputs.fetches.len()).map(|nth| (true, nth));
    let of_replies = (0..case.inputs.replies.len()).map(|nth| (false, nth));
    for (is_fetch, nth) in of_fetches.chain(of_replies) {
        let scripted = if is_fetch { &case.inputs.fetches } else { &case.inputs.replies };
        let mut found: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        let largest = if is_fetch { LARGEST } else { LARGE };
        for (kind, answer) in hostile(&scripted[nth].answer, largest) {
            let mut inputs = case.inputs.clone();
            let script = if is_fetch { &mut inputs.fetches } else { &mut inputs.replies };
            script[nth].answer = answer;
            if let Some(how) = broke(&stage.run_changed(&inputs)) {
                found.entry(how).or_default().push(kind);
            }
        }
        let asked = if is_fetch { "fetch" } else { "request" };
        for (how, kinds) in found.into_iter().filter(|(how, _)| !known.contains(how)) {
            let kinds = kinds.join(", ");
            let what = format!("with {kinds} as the reply to {asked} {}, {how}", nth + 1);
            let mend = "read a reply as if anybody had written it, and refuse with `unavailable`";
            checked.find("hostile-reply", case, what, mend);
        }
    }
}

/// What comes in place of an answer, with its name; with a body of at most that many bytes.
fn hostile(answer: &Answer, largest: usize) -> Vec<(&'static str, Answer)> {
    let Answer::Reply(good) = answer else { return Vec::new() };
    let with = |status: u16, body: Vec<u8>| Answer::Reply(Reply { status, body, ..good.clone() });
    let same = |body: Vec<u8>| with(good.status, body);
    let mut hostile = vec![
        ("an empty body", same(Vec::new())),
        ("a body that is not JSON", same(b"{\"access_token\": ".to_vec())),
        ("a page", same(b"<!doctype html><title>Sign in</title>".to_vec())),
        ("a body that is not UTF-8", same(vec![0xff, 0xfe, 0, 0x80])),
        ("a large body", same(vec![b'a'; LARGE])),
        ("deeply nested JSON", same(vec![b'['; LARGE])),
        ("deeply nested objects", same("{\"a\":".repeat(LARGE / 5).into_bytes())),
        ("an object of many names", same(many_names(largest).into_bytes())),
        ("null", same(b"null".to_vec())),
        ("status 500", with(500, b"oops".to_vec())),
        ("status 204", with(204, Vec::new())),
        ("status 401", with(401, b"{\"error\":\"invalid_token\"}".to_vec())),
        ("nothing", Answer::Nothing(Failing::Closed)),
    ];
    let mut redirect = Reply { status: 302, body: Vec::new(), ..good.clone() };
    redirect.headers.push(("location".to_owned(), "https://elsewhere.example/".to_owned()));
    hostile.push(("a redirect", Answer::Reply(redirect)));
    if !good.headers.is_empty() {
        let names: Vec<String> = (0..LARGEST / 9).map(|nth| format!("a{nth:05}=b")).collect();
        for (kind, parts) in
            [("headers of many parts", names.join(",")), ("headers of commas", ",".repeat(LARGEST))]
        {
            // Each begins as it did, with its scheme where there is one.
            let longer = |(name, value): &(String, String)| {
                let scheme = value.split(' ').next().unwrap_or_default();
                (name.clone(), format!("{scheme} {parts}"))
            };
            let headers = good.headers.iter().map(longer).collect();
            hostile.push((kind, Answer::Reply(Reply { headers, ..good.clone() })));
        }
    }
    if let Ok(json) = serde_json::from_slice::<Json>(&good.body) {
        for (kind, other) in [
            ("other types", Json::Null),
            ("text everywhere", json!("-1e999")),
            ("numbers everywhere", json!(-1e308)),
            ("lists everywhere", json!([[]])),
            ("line breaks everywhere", json!("a\r\nb\u{0}")),
        ] {
            let body = everywhere(&json, &other).to_string();
            hostile.push((kind, same(body.into_bytes())));
        }
    }
    hostile
}

/// To compare each with all others takes too long.
fn many_names(largest: usize) -> String {
    let names: Vec<String> = (0..largest / 11).map(|nth| format!("\"{nth:06}\":1")).collect();
    format!("{{{}}}", names.join(","))
}

/// The same document with every scalar replaced; with a null, by one of another type.
fn everywhere(json: &Json, other: &Json) -> Json {
    match json {
        Json::Object(map) => {
            map.iter().map(|(name, inner)| (name.clone(), everywhere(inner, other))).collect()
        }
        Json::Array(list) => list.iter().map(|inner| everywhere(inner, other)).collect(),
        Json::String(_) if other.is_null() => json!({"not": "text"}),
        _ if other.is_null() => json!("not a number"),
        _ => other.clone(),
    }
}

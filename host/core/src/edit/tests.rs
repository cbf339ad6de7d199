//! Edits from end to end: asked for, checked, applied.

mod apply;
mod bounds;
mod errors;
mod grants;
mod remember;
mod spelling;
mod text;

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::{Asked, CheckedEdits, EditError, EditRules, Flaw, Outgoing, strip};
use crate::needs::{Granted, Needs};
use crate::values::Values;

#[derive(Debug, thiserror::Error)]
#[error("outside")]
struct Outside;

/// A request of the caller's.
#[derive(Clone, Debug, PartialEq)]
struct Request {
    headers: HeaderMap,
    url: Url,
    body: Option<Bytes>,
}

impl Request {
    fn new(headers: &[(&str, &str)]) -> Self {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        let url = Url::parse("https://api.example.com/base/x?q=1").unwrap();
        Self { headers: map, url, body: None }
    }

    fn outgoing(&mut self) -> Outgoing<'_> {
        Outgoing { headers: &mut self.headers, url: &mut self.url, body: &mut self.body }
    }

    /// Name and value, as they stand.
    fn lines(&self) -> Vec<(&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
    }
}

fn granted(needs: &[&str]) -> Granted {
    let entries = needs.iter().map(|need| {
        let (verb, object) = need.split_once(' ').unwrap();
        (verb.to_owned(), object.to_owned())
    });
    Needs::parse(&entries.collect::<Vec<_>>()).unwrap().resolve(&Values::default())
}

fn entry(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn set(name: &str, value: &str) -> Asked {
    Asked::SetHeader(entry(name, value))
}

fn check(needs: &[&str], edits: &[Asked]) -> Result<CheckedEdits, EditError> {
    CheckedEdits::check(edits.to_vec(), &granted(needs), &EditRules::default())
}

fn refusal(needs: &[&str], edits: &[Asked]) -> EditError {
    check(needs, edits).err().unwrap()
}

fn applied(needs: &[&str], edits: &[Asked], mut request: Request) -> Request {
    let checked = check(needs, edits).unwrap();
    let admits = |_: &Url| Ok::<_, Infallible>(());
    let rules = EditRules::default();
    checked.apply(&granted(needs), &rules, request.outgoing(), admits).unwrap();
    request
}

const AUTHORIZATION: &str = "write header/authorization";

/// Every edit, and the need that covers it.
fn all() -> Vec<(&'static str, Asked)> {
    vec![
        (AUTHORIZATION, set("Authorization", "Bearer t")),
        ("write header/x-a", Asked::AppendHeader(entry("x-a", "1"))),
        ("write header/x-b", Asked::RemoveHeader("x-b".to_owned())),
        ("write query/q1", Asked::SetQuery(entry("q1", "1"))),
        ("write query/q2", Asked::AppendQuery(entry("q2", "1"))),
        ("write cookie/c", Asked::SetCookie(entry("c", "1"))),
        ("write path", Asked::SetPath("/base/y".to_owned())),
        ("write body", Asked::SetBody(b"new".to_vec())),
        (
            "write client-certificate/account/pem",
            Asked::ClientCertificate(entry("account/pem", "account/pem")),
        ),
        ("write own-connection", Asked::OwnConnection),
    ]
}

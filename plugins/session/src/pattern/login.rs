//! One request of a login: where it goes, what it carries, what is taken of its answer.

use countersign_plugin::Refusal;
use serde::de::IgnoredAny;

use super::{
    node::{Faults, Node},
    parts::{self, Pair},
};
use crate::{
    pointer::Pointer,
    sign::Sign,
    template::{Scope, Template},
};

/// Names of the state that are the host's own.
const TIMES: [&str; 2] = ["expires-at", "renew-at"];

/// What the host lays over a field of the second name, where the state holds the first: the next login
/// would be made with the session in place of what was typed.
const OVER_FIELD: (&str, &str) = ("access_token", "token");

/// The longest name that the host keeps.
const LONGEST_NAME: usize = 128;

/// A request, and how its answer is judged.
pub(crate) struct Request<'a> {
    /// `pattern/session/requests/0`
    pub(crate) at: String,
    pub(crate) url: &'a str,
    pub(crate) is_post: bool,
    /// Goes on after the URL's own.
    pub(crate) path: Option<Template<'a>>,
    pub(crate) query: Vec<Pair<'a>>,
    pub(crate) headers: Vec<Pair<'a>>,
    pub(crate) cookies: Vec<Pair<'a>>,
    pub(crate) body: Option<Body<'a>>,
    /// Those of a login that goes well; any of 2xx where there are none.
    pub(crate) statuses: Vec<u16>,
    /// What says otherwise all the same.
    pub(crate) refused: Vec<Sign<'a>>,
    pub(crate) takes: Vec<Take<'a>>,
    pub(crate) expires: Option<Expires<'a>>,
}

/// What is sent.
pub(crate) enum Body<'a> {
    Json(Template<'a>),
    Form(Vec<Pair<'a>>),
    Text(Template<'a>),
}

/// A value of an answer.
pub(crate) struct Take<'a> {
    pub(crate) name: &'a str,
    pub(crate) from: From<'a>,
    pub(crate) secret: bool,
    pub(crate) at: String,
}

/// Where in the answer.
pub(crate) enum From<'a> {
    Json(Pointer),
    Header(&'a str),
    Cookie(&'a str),
}

/// Where the answer says when the session ends.
pub(crate) enum Expires<'a> {
    Json(Pointer, Unit),
    Cookie(&'a str),
}

/// What a number in an answer counts.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    /// Seconds from now.
    Seconds,
    /// Seconds since 1970.
    Unix,
    /// Milliseconds since 1970.
    UnixMillis,
}

/// What its answer gives is in the scope of those after it.
pub(super) fn request<'a>(
    mut node: Node<'a>,
    scope: &mut Scope<'a>,
    faults: &mut Faults,
) -> Request<'a> {
    let url = url(&mut node, faults);
    let path = parts::template(&mut node, "path", scope, faults);
    if path.as_ref().is_some_and(|path| !path.is_broken() && !is_path(&path.with(""))) {
        let message = "a path is expected: a slash, and no blank, `?`, `#`, `%` or backslash";
        faults.push(Refusal::invalid_config(&node.at("path"), message));
    }
    let query = parts::pairs(&mut node, "query", parts::query_name, scope, faults);
    let headers = parts::pairs(&mut node, "headers", parts::header_name, scope, faults);
    let cookies = parts::pairs(&mut node, "cookies", parts::cookie_name, scope, faults);
    parts::once(&headers, faults);
    parts::once(&cookies, faults);
    let body = body(&mut node, scope, faults);
    let is_post = method(&mut node, body.is_some(), faults);
    let statuses = parts::statuses(&mut node, "status", &[], faults);
    let refused = parts::signs(&mut node, "refused", faults);
    let takes = takes(&mut node, scope, faults);
    let expires = expires(&mut node, faults);
    let at = node.at.clone();
    node.close(faults);
    let url = url.unwrap_or_default();
    Request {
        at,
        url,
        is_post,
        path,
        query,
        headers,
        cookies,
        body,
        statuses,
        refused,
        takes,
        expires,
    }
}

/// The host has filled it, and holds the request against it.
fn url<'a>(node: &mut Node<'a>, faults: &mut Faults) -> Option<&'a str> {
    let url = node.needed("request_url", faults)?;
    let begins = ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme));
    if begins && url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
        return Some(url);
    }
    let message = "a URL is expected, without a blank and a fragment";
    faults.push(Refusal::invalid_config(&node.at("request_url"), message));
    None
}

fn is_path(literal: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() && !b"?#%\\".contains(&byte);
    literal.starts_with('/') && literal.bytes().all(fits)
}

fn method(node: &mut Node<'_>, has_body: bool, faults: &mut Faults) -> bool {
    match node.text("method", faults) {
        None => has_body,
        Some("POST") => true,
        Some("GET") if !has_body => false,
        Some(method) => {
            let message = if method == "GET" {
                "a GET has no body"
            } else {
                "`GET` or `POST` is expected: the host sends no other"
            };
            faults.push(Refusal::invalid_config(&node.at("method"), message));
            has_body
        }
    }
}

fn body<'a>(node: &mut Node<'a>, scope: &Scope<'a>, faults: &mut Faults) -> Option<Body<'a>> {
    let json = parts::template(node, "json", scope, faults).map(|json| {
        if !json.is_broken() && !is_json(&json) {
            let message = "JSON is expected, with placeholders inside of strings alone";
            faults.push(Refusal::invalid_config(&node.at("json"), message));
        }
        Body::Json(json)
    });
    let text = parts::template(node, "text", scope, faults).map(Body::Text);
    let form = parts::pairs(node, "form", |_| None, scope, faults);
    let form = (!form.is_empty()).then_some(Body::Form(form));
    let mut bodies = [json, text, form].into_iter().flatten();
    let body = bodies.next();
    if bodies.next().is_some() {
        let message = "one of `json`, `form` and `text` is expected, not several";
        faults.push(Refusal::invalid_config(&node.at, message));
    }
    body
}

/// Whether it is JSON whatever its values: a tilde has no place in JSON but inside of a string, and none
/// behind a backslash there.
fn is_json(template: &Template<'_>) -> bool {
    serde_json::from_str::<IgnoredAny>(&template.with("~")).is_ok()
}

fn takes<'a>(node: &mut Node<'a>, scope: &mut Scope<'a>, faults: &mut Faults) -> Vec<Take<'a>> {
    let mut takes = Vec::new();
    for mut item in node.list("takes", faults) {
        let at = item.at.clone();
        let name = item.needed("name", faults);
        if let Some(flaw) = name.and_then(|name| flaw_of_name(name, scope)) {
            faults.push(Refusal::invalid_config(&item.at("name"), flaw));
        }
        let secret = match item.text("secret", faults) {
            None | Some("true") => true,
            Some("false") => false,
            Some(_) => {
                faults
                    .push(Refusal::invalid_config(&item.at("secret"), "true or false is expected"));
                true
            }
        };
        let json = parts::pointer(&mut item, "json", faults).map(From::Json);
        let mut named = |key, judge: fn(&str) -> Option<&'static str>| {
            let name = item.text(key, faults)?;
            faults.extend(judge(name).map(|flaw| Refusal::invalid_config(&item.at(key), flaw)));
            Some(name)
        };
        let header = named("header", parts::header_name).map(From::Header);
        let cookie = named("cookie", parts::cookie_name).map(From::Cookie);
        let mut sources = [json, header, cookie].into_iter().flatten();
        let from = sources.next();
        if from.is_none() || sources.next().is_some() {
            let message = "one of `json`, `header` and `cookie` is expected";
            faults.push(Refusal::invalid_config(&at, message));
        }
        item.close(faults);
        // Also where it is taken of nothing: that is a fault already, and its uses are none.
        scope.taken.extend(name);
        if let (Some(name), Some(from)) = (name, from) {
            takes.push(Take { name, from, secret, at });
        }
    }
    takes
}

fn flaw_of_name(name: &str, scope: &Scope<'_>) -> Option<&'static str> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if name.len() > LONGEST_NAME || !name.bytes().all(fits) {
        return Some("letters, digits, `_`, `-` and `.` are expected, at most 128");
    }
    if TIMES.contains(&name) {
        return Some("this name is the host's own");
    }
    if scope.fields.contains(&name) {
        return Some("this is the name of a field");
    }
    if name == OVER_FIELD.0 && scope.fields.contains(&OVER_FIELD.1) {
        return Some("this name is laid over the field `token`");
    }
    scope.taken.contains(&name).then_some("this name is taken already")
}

fn expires<'a>(top: &mut Node<'a>, faults: &mut Faults) -> Option<Expires<'a>> {
    let mut node = top.object("expires", faults)?;
    let json = parts::pointer(&mut node, "json", faults);
    let unit = node.text("unit", faults);
    let cookie = node.text("cookie", faults);
    let unit = match unit {
        None | Some("seconds") => Unit::Seconds,
        Some("unix") => Unit::Unix,
        Some("unix-ms") => Unit::UnixMillis,
        Some(_) => {
            let message = "`seconds`, `unix` or `unix-ms` is expected";
            faults.push(Refusal::invalid_config(&node.at("unit"), message));
            Unit::Seconds
        }
    };
    let expires = match (json, cookie) {
        (Some(json), None) => Some(Expires::Json(json, unit)),
        (None, Some(name)) => Some(Expires::Cookie(name)),
        _ => {
            let message = "either `json` is expected, or `cookie`";
            faults.push(Refusal::invalid_config(&node.at, message));
            None
        }
    };
    node.close(faults);
    expires
}

//! The contract's types as JSON, in its own words.
//!
//! A case of a variant is an object with one member of the case's name, or the name alone where it
//! carries nothing. An entry is a list of its name and its value. Bytes are text where they are
//! printable UTF-8, and `{"base64": …}` where not. What an option leaves out is left out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use crate::contract::authorizer::{
    BodyView, Edit, Next, Outcome, Reaction, Ready, RequestView, Watch,
};
use crate::contract::flow::{Event, Fetch, Pause, Purpose, State, Step};
use crate::contract::types::{Account, HttpRequest, HttpResponse, Reason, Refusal};

/// An answer that a witness can be told of.
pub(crate) trait Told {
    /// Its words.
    fn told(&self) -> Json;
}

impl<T: Told> Told for Result<T, Refusal> {
    fn told(&self) -> Json {
        match self {
            Ok(answer) => answer.told(),
            Err(refused) => json!({"refusal": refusal(refused)}),
        }
    }
}

impl Told for Outcome {
    fn told(&self) -> Json {
        match self {
            Self::Ready(it) => json!({"ready": ready(it)}),
            Self::Show(names) => json!({"show": names}),
            Self::Renew(hint) => json!({"renew": bytes(hint)}),
        }
    }
}

impl Told for Reaction {
    fn told(&self) -> Json {
        let next = match &self.next {
            Next::Deliver => json!("deliver"),
            Next::Again(cursor) => json!({"again": bytes(cursor)}),
            Next::Renew(hint) => json!({"renew": bytes(hint)}),
        };
        let mut told = json!({"next": next});
        put(&mut told, "memo", self.memo.as_deref().map(bytes));
        told
    }
}

impl Told for Step {
    fn told(&self) -> Json {
        match self {
            Self::Fetch(it) => json!({"fetch": fetch(it)}),
            Self::Pause(it) => json!({"pause": pause(it)}),
            Self::Done(it) => json!({"done": state(it)}),
        }
    }
}

impl Told for Vec<Refusal> {
    fn told(&self) -> Json {
        self.iter().map(refusal).collect()
    }
}

/// Values, of a mutation.
impl Told for Vec<(String, String)> {
    fn told(&self) -> Json {
        table(self)
    }
}

/// Named values, each name once.
pub(crate) fn table(values: &[(String, String)]) -> Json {
    let values = values.iter().map(|(name, text)| (name.clone(), Json::from(text.as_str())));
    Json::Object(values.collect::<Map<_, _>>())
}

pub(crate) fn account(account: &Account) -> Json {
    json!({"values": table(&account.values), "memo": bytes(&account.memo)})
}

pub(crate) fn request(request: &RequestView) -> Json {
    let RequestView { method, url, headers, body } = request;
    let body = match body {
        BodyView::Unseen(length) => json!({"unseen": length}),
        BodyView::Digest(digest) => json!({"digest": STANDARD.encode(digest)}),
        BodyView::Bytes(body) => json!({"bytes": bytes(body)}),
    };
    json!({"method": method, "url": url, "headers": headers, "body": body})
}

pub(crate) fn response(response: &HttpResponse) -> Json {
    let HttpResponse { status, headers, body } = response;
    json!({"status": status, "headers": headers, "body": bytes(body)})
}

pub(crate) fn purpose(purpose: &Purpose) -> Json {
    match purpose {
        Purpose::Setup => json!("setup"),
        Purpose::Grant(grant) => json!({"grant": {
            "redirect-uri": grant.redirect_uri, "state-token": grant.state_token,
        }}),
        Purpose::Renew(hint) => json!({"renew": bytes(hint)}),
        Purpose::Revoke => json!("revoke"),
    }
}

pub(crate) fn event(event: &Event) -> Json {
    match event {
        Event::Response(it) => json!({"response": response(it)}),
        Event::Failed(why) => json!({"failed": why}),
        Event::Callback(parameters) => json!({"callback": parameters}),
        Event::Elapsed => json!("elapsed"),
    }
}

fn ready(ready: &Ready) -> Json {
    let Ready { edits, remember, watches, memo, cursor } = ready;
    let mut told = json!({"edits": edits.iter().map(edit).collect::<Vec<_>>()});
    put(&mut told, "remember", Some(*remember).filter(|it| *it > 0));
    let watches: Vec<Json> = watches.iter().map(watch).collect();
    put(&mut told, "watches", Some(watches).filter(|it| !it.is_empty()));
    put(&mut told, "memo", memo.as_deref().map(bytes));
    put(&mut told, "cursor", Some(cursor).filter(|it| !it.is_empty()).map(|it| bytes(it)));
    told
}

fn edit(edit: &Edit) -> Json {
    let pair = |kind: &str, (name, value): &(String, String)| json!([kind, name, value]);
    match edit {
        Edit::SetHeader(it) => pair("set-header", it),
        Edit::AppendHeader(it) => pair("append-header", it),
        Edit::RemoveHeader(name) => json!(["remove-header", name]),
        Edit::SetQuery(it) => pair("set-query", it),
        Edit::AppendQuery(it) => pair("append-query", it),
        Edit::SetCookie(it) => pair("set-cookie", it),
        Edit::SetPath(path) => json!(["set-path", path]),
        Edit::SetOrigin(origin) => json!(["set-origin", origin]),
        Edit::SetBody(body) => json!(["set-body", bytes(body)]),
        Edit::ClientCertificate(it) => pair("client-certificate", it),
        Edit::OwnConnection => json!(["own-connection"]),
    }
}

fn watch(watch: &Watch) -> Json {
    let mut told = json!({});
    put(&mut told, "status", watch.status);
    put(&mut told, "headers", Some(&watch.headers).filter(|it| !it.is_empty()));
    put(&mut told, "body", Some(watch.body).filter(|it| *it > 0));
    told
}

fn fetch(fetch: &Fetch) -> Json {
    let HttpRequest { method, url, headers, body } = &fetch.request;
    let mut told = json!({"method": method, "url": url, "headers": headers});
    put(&mut told, "body", Some(body).filter(|it| !it.is_empty()).map(|it| bytes(it)));
    put(&mut told, "client-certificate", fetch.client_certificate.as_ref());
    put(&mut told, "cursor", Some(&fetch.cursor).filter(|it| !it.is_empty()).map(|it| bytes(it)));
    told
}

fn pause(pause: &Pause) -> Json {
    let mut told = json!({});
    let prompt = pause.prompt.as_ref().map(|prompt| {
        let mut told = json!({"url": prompt.url});
        put(&mut told, "code", prompt.code.as_ref());
        told
    });
    put(&mut told, "prompt", prompt);
    put(&mut told, "callback", pause.callback.as_ref());
    put(&mut told, "seconds", pause.seconds);
    put(&mut told, "cursor", Some(&pause.cursor).filter(|it| !it.is_empty()).map(|it| bytes(it)));
    told
}

fn state(state: &State) -> Json {
    let mut told = json!({"secrets": table(&state.secrets)});
    let attributes = Some(&state.attributes).filter(|it| !it.is_empty());
    put(&mut told, "attributes", attributes.map(|it| table(it)));
    put(&mut told, "renew-after", state.renew_after);
    put(&mut told, "expires-after", state.expires_after);
    told
}

fn refusal(refusal: &Refusal) -> Json {
    let reason = match refusal.reason {
        Reason::InvalidConfig => "invalid-config",
        Reason::Reauthorize => "reauthorize",
        Reason::Denied => "denied",
        Reason::Unavailable => "unavailable",
        Reason::InvalidRequest => "invalid-request",
    };
    let mut told = json!({"reason": reason, "message": refusal.message});
    put(&mut told, "field", refusal.field.as_ref());
    put(&mut told, "retry-after", refusal.retry_after);
    told
}

/// Bytes as a witness is told of them: text where they can be read as such, `{"base64": …}` where
/// not.
pub fn bytes(bytes: &[u8]) -> Json {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains(|it: char| it.is_control() && it != '\n') => text.into(),
        _ => json!({"base64": STANDARD.encode(bytes)}),
    }
}

/// Adds a member, where there is something to say.
fn put(told: &mut Json, name: &str, value: Option<impl serde::Serialize>) {
    if let Some(value) = value {
        told[name] = json!(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_text_where_they_can_be_read_as_such() {
        for (given, told) in [
            (&b"nc=1\n"[..], json!("nc=1\n")),
            ("ü".as_bytes(), json!("ü")),
            (b"\xff\0", json!({"base64": "/wA="})),
            (b"a\0", json!({"base64": "YQA="})),
            (b"", json!("")),
        ] {
            assert_eq!(bytes(given), told);
        }
    }

    #[test]
    fn what_is_not_said_is_left_out() {
        let edits = vec![Edit::SetHeader(("a".into(), "b".into())), Edit::OwnConnection];
        let (watches, memo, cursor) = (Vec::new(), None, Vec::new());
        let ready = Ready { edits, remember: 0, watches, memo, cursor };
        let told = json!({"ready": {"edits": [["set-header", "a", "b"], ["own-connection"]]}});
        assert_eq!(Outcome::Ready(ready).told(), told);
        let pause = Pause { prompt: None, callback: None, seconds: Some(5), cursor: Vec::new() };
        assert_eq!(Step::Pause(pause).told(), json!({"pause": {"seconds": 5}}));
    }
}

//! Whoever tests a plugin sees what goes into it and what comes out.

#![allow(clippy::unwrap_used, reason = "in a test, to panic is to fail")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use countersign::sandbox::{Fault, Limits};
use countersign::secret::Secret;
use countersign::values::Values;
use countersign::witness::{Call, Function, Witness};
use countersign::{Countersign, Sandbox, Subject};
use countersign_hostile::answer::descriptor;
use countersign_hostile::{Body, Guest};
use countersign_tests::world::{get, no_egress};
use countersign_tests::{bundled, registry_of};
use serde_json::{Value as Json, json};

#[derive(Default)]
struct Seen(Mutex<Vec<Call>>);

impl Witness for Seen {
    fn called(&self, call: Call) {
        self.0.lock().unwrap().push(call);
    }
}

impl Seen {
    fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A host of these components, and what it sees.
fn host(components: &[(&str, &[u8])]) -> (Countersign, Arc<Seen>) {
    let seen = Arc::<Seen>::default();
    let sandbox = Sandbox::witnessed(Limits::default(), None, Arc::clone(&seen) as _).unwrap();
    let sandbox = Arc::new(sandbox);
    let registry = registry_of(Arc::clone(&sandbox), components, None, BTreeMap::new());
    (Countersign::builder(sandbox, registry, no_egress()).build(), seen)
}

fn subject(auth_type: &str, details: &Json) -> Arc<Subject> {
    let provider = json!({
        "display_name": "Seen", "proxy_url": "https://api.example.com", "proxy_enabled": true,
        "auth_patterns": [{"type": auth_type}],
    });
    let account = json!({"identifier": "u",
        "authorization_details": {"static_auth": {"details": details}}});
    countersign_tests::subject(&provider, &json!({}), &account)
}

#[tokio::test]
async fn a_call_is_seen_as_it_was_with_what_it_took() {
    let (host, seen) = host(&bundled());
    for _ in 0..2 {
        let subject = subject("BEARER", &json!({"token": "canary", "other": "unread"}));
        host.prepare(&subject, get("/things")).await.unwrap();
    }
    let calls = seen.take();
    let [first, second] = &calls[..] else { panic!("a call each: {}", calls.len()) };
    assert_eq!((first.plugin.as_str(), first.function), ("bearer", Function::Authorize));
    let account = json!({"values": {"account/token": "canary"}, "memo": ""});
    assert_eq!(first.given, json!({"account": account, "request": null, "cursor": ""}));
    let ready = &first.answer.as_ref().unwrap()["ready"];
    assert_eq!(ready["edits"], json!([["set-header", "authorization", "Bearer canary"]]));
    assert!(ready["remember"].as_u64().unwrap() > 0);
    assert!(first.instructions > 100 && first.memory >= 64 << 10);
    assert_eq!(first.instructions, second.instructions, "equal inputs take equal work");
    // A longer token takes more of it.
    let subject = subject("BEARER", &json!({"token": "c".repeat(1000)}));
    host.prepare(&subject, get("/things")).await.unwrap();
    assert!(seen.take()[0].instructions > first.instructions);
}

#[tokio::test]
async fn a_call_that_breaks_is_seen_too() {
    let needs = ["read account/token", "write header/authorization"];
    let about = r#"{"title":"Loop","version":"1"}"#.into();
    let guest = Guest::auth(descriptor(&["LOOP"], &[], &needs, about));
    let guest = guest.body("authorize", Body::code("(loop (br 0)) unreachable"));
    let component = guest.build().unwrap();
    let (host, seen) = host(&[("loop", &component)]);
    let subject = subject("LOOP", &json!({"token": "t"}));
    host.prepare(&subject, get("/things")).await.err().unwrap();
    let calls = seen.take();
    assert!(matches!(calls[0].answer, Err(Fault::Time)), "{:?}", calls[0].answer);
}

#[tokio::test]
async fn values_that_no_document_may_hold_reach_the_plugin() {
    let (host, seen) = host(&bundled());
    for hostile in ["a\r\nb", "\0", "", "ключ"] {
        let mut values = Values::default();
        values.set_secret("account/token", Secret::new(hostile.to_owned()));
        let subject = subject("BEARER", &json!({"token": "typed"}));
        let subject = Arc::into_inner(subject).unwrap().with_values(values);
        host.prepare(&Arc::new(subject), get("/things")).await.err().unwrap();
        let call = seen.take().remove(0);
        assert_eq!(call.given["account"]["values"]["account/token"], hostile);
        assert!(call.answer.unwrap()["refusal"].is_object(), "{hostile:?}");
    }
}

//! What a plugin may put on a request, and who is to blame where there is none.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use countersign::needs::Needs;
use countersign::random::{Random, RandomError};
use countersign::{Countersign, Settings};
use countersign_hostile::answer::{self, entry, set_header};
use countersign_hostile::{Body, Guest, Part, TOKEN_URI, Val};
use countersign_tests::world::{get, no_egress};
use countersign_tests::{Said, sandbox};
use http::Request;
use http_body_util::Full;
use serde_json::json;

use crate::plot::{Plot, TYPE, guest, provider};
use crate::remembered::{drawing, lasting};

/// Whether it does or not: a caller's own credential must not go along.
#[tokio::test]
async fn what_the_plugin_may_write_and_the_host_decides_is_never_the_callers() {
    let needs = ["write header/x-key", "write query/key", "write cookie/key"];
    let plot = Plot::of(&guest(&needs).body("authorize", once()));
    let request = Request::get("/things?a=1&key=theirs&%6bey=theirs")
        .header("host", "evil.example")
        .header("x-key", "theirs")
        .header("X_Key", "theirs")
        .header("cookie", "a=1; key=theirs")
        .body(Full::<Bytes>::default())
        .unwrap();
    let request = plot.host.prepare(&plot.subject, request).await.unwrap();
    assert_eq!(request.uri().query(), Some("a=1"));
    assert_eq!(request.headers()["cookie"], "a=1");
    for name in ["host", "x-key", "x_key"] {
        assert!(!request.headers().contains_key(name), "{name}");
    }
}

/// A header that changes what a request does is the provider's to name.
#[tokio::test]
async fn a_method_override_is_set_only_where_the_provider_sends_one() {
    let name = "x-http-method-override";
    let needs = format!("write header/{name}");
    let ready = answer::ready(vec![set_header("authorization", "x"), set_header(name, "DELETE")]);
    let guest = guest(&[&needs]).body("authorize", ready);
    let plot = Plot::of(&guest);
    assert_eq!(plot.prepared().await.unwrap_err().code(), "edit_refused");
    let mut provider = provider();
    provider["proxy_headers"] = json!({"X-HTTP-Method-Override": "GET"});
    let plot = Plot::with(&guest, &provider, Settings::default());
    let request = plot.host.prepare(&plot.subject, get("/things")).await.unwrap();
    assert_eq!(request.headers()[name], "DELETE", "the plugin's word wins");
}

/// One credential for each request: nothing of it is remembered but what it is made from.
fn once() -> Val {
    answer::ready(vec![set_header("authorization", [Part::Token])])
}

#[tokio::test]
async fn a_mutation_that_is_replaced_is_the_next_requests_own() {
    let turns_into = |value: &'static str| {
        let about = r#"{"name":"turn","title":"Turn","version":"1"}"#;
        let answer = Val::ok(Val::List(vec![entry("token", value)]));
        Guest::mutation(about.into()).body("mutate", answer).build().unwrap()
    };
    let mut provider = provider();
    provider["auth_patterns"][0]["auth_field_mutations"] = json!({"token": {"mutation": "turn"}});
    let guest = guest(&[]).body("authorize", once());
    let plot = Plot::with(&guest, &provider, Settings::default());
    assert_eq!(plot.prepared().await.unwrap_err().code(), "mutation_unknown");
    for value in ["one", "two"] {
        std::fs::write(plot.folder.path().join("turn.wasm"), turns_into(value)).unwrap();
        let listing = plot.registry.reload().unwrap();
        assert!(listing.refused.is_empty(), "{:?}", listing.refused);
        for _ in 0..2 {
            assert_eq!(plot.prepared().await.unwrap(), value);
        }
    }
}

#[tokio::test]
async fn what_one_host_grants_is_not_granted_by_another() {
    let plot = Plot::of(&guest(&[]).body("authorize", once()));
    plot.prepared().await.unwrap();
    let mut settings = Settings::default();
    settings.policy.insert(TYPE.to_owned(), Needs::parse(&[]).unwrap());
    let narrow = Countersign::builder(sandbox(), Arc::clone(&plot.registry), no_egress())
        .settings(settings)
        .build();
    let error = narrow.prepare(&plot.subject, get("/things")).await.err().unwrap();
    // It is not even shown the token.
    assert_eq!(error.code(), "plugin_fault");
    plot.prepared().await.unwrap();
}

/// 128 pages of 64 KiB are what the profile gives.
#[tokio::test]
async fn a_guest_has_the_memory_of_the_profile_and_no_more() {
    for (pages, served) in [(100, true), (200, false)] {
        let grows = format!("(i32.eq (memory.grow (i32.const {pages})) (i32.const -1))");
        let no_more = answer::refusal("denied", "there is no more");
        let authorize = Body::either(&grows, no_more, once());
        let plot = Plot::of(&guest(&[]).body("authorize", authorize));
        assert_eq!(plot.prepared().await.is_ok(), served, "{pages} pages");
    }
}

struct NoRandom;

impl Random for NoRandom {
    fn fill(&self, _: &mut [u8]) -> Result<(), RandomError> {
        Err(RandomError)
    }
}

/// Five faults in ten seconds would suspend it.
#[tokio::test]
async fn a_host_without_random_bytes_does_not_blame_the_plugin() {
    let plot = Plot::of(&drawing(&[], lasting()));
    let host = Countersign::builder(sandbox(), Arc::clone(&plot.registry), no_egress())
        .random(Arc::new(NoRandom))
        .build();
    for _ in 0..6 {
        let error = host.prepare(&plot.subject, get("/things")).await.err().unwrap();
        assert_eq!(error.code(), "host_failed");
    }
    plot.prepared().await.unwrap();
}

/// A plugin that refuses each request must not fill an operator's disk.
#[tokio::test]
async fn refusals_are_told_to_operators_now_and_then() {
    let said = Said::default();
    let writer = said.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    // For the whole process: other tests of this binary say other words.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let refuses = answer::refusal("denied", "not today");
    let plot = Plot::of(&guest(&[]).body("authorize", refuses));
    for _ in 0..300 {
        assert_eq!(plot.prepared().await.unwrap_err().code(), "denied");
    }
    let told = said.text().matches("not today").count();
    assert!((1..=100).contains(&told), "{told} times");
    // What a caller is not told of, an operator is.
    let other = answer::ready(vec![set_header("x-other", "x")]);
    let plot = Plot::of(&guest(&[]).body("authorize", other));
    assert_eq!(plot.prepared().await.unwrap_err().code(), "edit_refused");
    // Header and value the wrong way round: the name is in lower case, and no masker knows it.
    let swapped = answer::ready(vec![set_header([Part::Token], "authorization")]);
    let plot = Plot::of(&guest(&[]).body("authorize", swapped));
    assert_eq!(plot.prepared().await.unwrap_err().code(), "edit_refused");
    let wide = answer::show(&["header/x-other"]);
    let plot = Plot::of(&guest(&[]).body("authorize", wide));
    assert_eq!(plot.prepared().await.unwrap_err().code(), "view_refused");
    let fetches = answer::fetch("POST", TOKEN_URI, vec![]);
    let refuses = answer::refusal("unavailable", "no answer has come back");
    let plot = Plot::of(&guest(&[]).body("begin", fetches).body("resume", refuses));
    plot.fetched.closes.store(true, Ordering::SeqCst);
    assert_eq!(plot.host.renew(&plot.subject).await.err().unwrap().code(), "unavailable");
    let told = said.text();
    for line in [
        "an edit of it is refused: set-header is outside what the plugin may do",
        "what it wants to see is outside its needs",
        "a fetch of its flow failed: as.hostile.example closed the connection early",
    ] {
        assert!(told.contains(line), "{line}:\n{told}");
    }
    assert!(!told.contains("canary-of-the-account"), "{told}");
}

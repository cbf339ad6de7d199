//! Row 10 of the pitfalls: no account ever sees another one's credential.

#![allow(clippy::unwrap_used, reason = "in a test, to panic is to fail")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use countersign::{Countersign, Subject};
use countersign_cli::upstream::Upstream;
use countersign_tests::{egress, json, registry, sandbox, subject};
use http_body_util::{BodyExt as _, Empty, Full};
use serde_json::{Value as Json, json};

const ACCOUNTS: usize = 64;
const REQUESTS: usize = 100;
const HOSTS: [&str; 4] =
    ["api.example.com", "yourcompany.freshdesk.com", "api.attention.tech", "app.asana.com"];

/// One of the four payloads in turn; each account has a token of its own.
fn account(nth: usize) -> Arc<Subject> {
    let details = |details: Json| {
        json!({"identifier": format!("u{nth}"),
        "authorization_details": {"static_auth": {"details": details}}})
    };
    let (payload, account) = match nth % 4 {
        0 => ("bearer", details(json!({"token": format!("bearer-{nth}")}))),
        1 => {
            ("freshdesk", details(json!({"domain": HOSTS[1], "username": format!("basic-{nth}")})))
        }
        2 => ("attention", details(json!({"api_key": format!("key-{nth}")}))),
        _ => (
            "asana",
            json!({"identifier": format!("u{nth}"), "authorization_details": {"oauth_token": {
                "access_token": format!("oauth-{nth}"), "scopes": ["profile"]}}}),
        ),
    };
    let payload = json(&format!("tests/vectors/payloads/{payload}.json"));
    subject(&payload, &json!({"client_id": "c", "client_secret": "s"}), &account)
}

/// What the upstream must see of that account.
fn credential(nth: usize) -> String {
    match nth % 4 {
        0 => format!("Bearer bearer-{nth}"),
        1 => format!("Basic {}", STANDARD.encode(format!("basic-{nth}:"))),
        2 => format!("key-{nth}"),
        _ => format!("Bearer oauth-{nth}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_10_64_accounts_in_parallel_and_no_credential_reaches_another_account() {
    let checked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&checked);
    // The account is in the path; its credential in the header. The upstream compares.
    let upstream = Upstream::start(&HOSTS, move |request| {
        let counted = Arc::clone(&counted);
        async move {
            let nth = request.uri().path().rsplit('/').next().and_then(|it| it.parse().ok());
            let mut sent = request.headers().get_all("authorization").iter();
            let right = nth.is_some_and(|nth| sent.next().is_some_and(|it| *it == credential(nth)))
                && sent.next().is_none();
            counted.fetch_add(usize::from(right), Ordering::Relaxed);
            let status = if right { 200 } else { 403 };
            http::Response::builder().status(status).body(Full::new(Bytes::new())).unwrap()
        }
    });
    let upstream = upstream.await.unwrap();
    let registry = tokio::task::spawn_blocking(|| registry(None)).await.unwrap();
    let store = countersign::store::MemoryStore::default();
    let accounts: Vec<_> = (0..ACCOUNTS).map(account).collect();
    for account in &accounts {
        if let Some(state) = account.account().state() {
            store.seed(account.state_key().clone(), state.clone());
        }
    }
    let host = Countersign::builder(sandbox(), registry, egress(&upstream, &HOSTS))
        .store(Arc::new(store))
        .build();
    let tasks: Vec<_> = accounts
        .into_iter()
        .enumerate()
        .map(|(nth, kept)| {
            let host = host.clone();
            tokio::spawn(async move {
                for request in 0..REQUESTS {
                    // One in four from memory of the last answer, the others through the sandbox.
                    let account = if request % 4 == 0 { Arc::clone(&kept) } else { account(nth) };
                    let get = http::Request::get(format!("/{nth}")).body(Empty::<Bytes>::new());
                    let reply = host.send(&account, get.unwrap()).await.unwrap();
                    assert_eq!(reply.status(), 200, "account {nth}, request {request}");
                    reply.into_body().collect().await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(checked.load(Ordering::Relaxed), ACCOUNTS * REQUESTS);
}

//! Canary secrets: in no log at trace level, no error, no panic message, in any encoding.
//!
//! Alone in its process, because what it listens to (the log, panics) is the process's own.

#![expect(clippy::unwrap_used, reason = "in a test, to panic is to fail")]

use std::collections::BTreeMap;
use std::error::Error as _;
use std::io;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use countersign::account::Account;
use countersign::connection::Connection;
use countersign::provider::Provider;
use countersign::sandbox::Limits;
use countersign::store::MemoryStore;
use countersign::{Countersign, Error, Sandbox, Subject};
use countersign_cli::upstream::Upstream;
use countersign_hostile::{Stage, all, mutations};
use countersign_tests::{
    Folder, HOSTILE_HOSTS, Said, bundled, egress, json as file, provoke, registry_of, subject,
    traces, victim,
};
use http::Request;
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value as Json, json};

/// One for each place that a secret comes in by. `+` and `/` make its encodings differ.
const CANARIES: [&str; 10] = [
    "canary+bearer/0a1b2c3d4e",
    "canary+basic/0a1b2c3d4e5f",
    "canary+key/0a1b2c3d4e5f6a",
    "canary+access/0a1b2c3d4e",
    "canary+refresh/0a1b2c3d4",
    "canary+client/0a1b2c3d4e",
    "canary+renewed/0a1b2c3d4",
    "canary+hostile/0a1b2c3d4",
    "canary+query/0a1b2c3d4e5",
    "canary+cookie/0a1b2c3d4e",
];
const BEARER: &str = CANARIES[0];
const BASIC: &str = CANARIES[1];
const KEY: &str = CANARIES[2];
const ACCESS: &str = CANARIES[3];
const REFRESH: &str = CANARIES[4];
const CLIENT: &str = CANARIES[5];
const RENEWED: &str = CANARIES[6];
const HOSTILE: &str = CANARIES[7];
const QUERY: &str = CANARIES[8];
const COOKIE: &str = CANARIES[9];

fn say(said: &Said, line: &str) {
    io::Write::write_all(&mut said.clone(), format!("{line}\n").as_bytes()).unwrap();
}

fn say_error(said: &Said, error: &Error) {
    say(said, &format!("{error} {error:?} {:?} {:?}", error.field(), error.retry_after()));
    let mut source = error.source();
    while let Some(error) = source {
        say(said, &format!("{error} {error:?}"));
        source = error.source();
    }
}

fn details(details: &Json) -> Json {
    json!({"identifier": "u1", "authorization_details": {"static_auth": {"details": details}}})
}

fn oauth(token: &Json, expires: &str) -> Json {
    json!({"identifier": "u1",
        "authorization_details": {"oauth_token": token, "token_expires_at": expires}})
}

/// Every type, at work and failing, over payloads of the reference.
fn accounts() -> Vec<Arc<Subject>> {
    let connection = json!({"client_id": "c", "client_secret": CLIENT});
    let of = |payload: &str, account: &Json| {
        subject(&file(&format!("tests/vectors/payloads/{payload}.json")), &connection, account)
    };
    let both = json!({"access_token": ACCESS, "refresh_token": REFRESH, "scopes": []});
    let placed = |place: &str, value: &str| {
        let mut payload = file("tests/vectors/payloads/attention.json");
        payload["auth_patterns"][0]["fields"][0][place] = "key".into();
        subject(&payload, &connection, &details(&json!({"api_key": value})))
    };
    vec![
        of("bearer", &details(&json!({"token": BEARER}))),
        of("bearer", &details(&json!({"token": format!("{BEARER}\u{10a}")}))),
        of("bearer", &details(&json!({"other": BEARER}))),
        of(
            "freshdesk",
            &details(&json!({"domain": "yourcompany.freshdesk.com", "username": BASIC,
                "password": BASIC})),
        ),
        of("freshdesk", &details(&json!({"domain": BASIC, "username": BASIC}))),
        of(
            "freshdesk",
            &details(&json!({"domain": "yourcompany.freshdesk.com",
                "username": format!("{BASIC}:x")})),
        ),
        of("attention", &details(&json!({"api_key": KEY}))),
        placed("query_name", QUERY),
        placed("cookie_name", COOKIE),
        placed("cookie_name", &format!("{COOKIE};")),
        of("asana", &oauth(&both, "2099-01-01T00:00:00Z")),
        // Renewed: once well, and then with every odd answer of the token endpoint.
        of("asana", &oauth(&both, "2001-01-01T00:00:00Z")),
        of("asana", &oauth(&json!({"access_token": ACCESS, "scopes": []}), "2001-01-01T00:00:00Z")),
    ]
}

const HOSTS: [&str; 6] = [
    "api.example.com",
    "yourcompany.freshdesk.com",
    "api.attention.tech",
    "app.asana.com",
    HOSTILE_HOSTS[0],
    HOSTILE_HOSTS[1],
];

/// Echoes what it was sent, credential and all; and is a token endpoint of many moods.
async fn upstream() -> Upstream {
    let asked = Arc::new(Mutex::new(0));
    let answers = [
        json!({"access_token": RENEWED, "token_type": "Bearer", "refresh_token": RENEWED,
            "expires_in": 3600})
        .to_string(),
        json!({"error": "invalid_grant", "error_description": RENEWED}).to_string(),
        json!({"access_token": RENEWED, "expires_in": "soon"}).to_string(),
        json!({"access_token": format!("{RENEWED}\n"), "token_type": "Bearer"}).to_string(),
        format!("<html>{RENEWED}</html>"),
        String::new(),
    ];
    Upstream::start(&HOSTS, move |request| {
        let mut reply = countersign_cli::upstream::echo(&request);
        if request.uri().path().ends_with("oauth_token") {
            let mut asked = asked.lock().unwrap();
            *reply.body_mut() = Full::new(Bytes::from(answers[*asked % answers.len()].clone()));
            *asked += 1;
        }
        async move { reply }
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_canary_is_in_any_log_error_or_panic_message() {
    // Before anybody listens: the compiler writes gigabytes about a guest's code, which no account
    // has anything to do with.
    let folder = Folder::new();
    let cases: Vec<_> = all().into_iter().chain(mutations()).collect();
    for case in &cases {
        folder.put(&format!("{}.wasm", case.name), case.component());
    }
    let mut limits = Limits::default();
    limits.flow_budget = limits.request_budget;
    let sandbox = Arc::new(Sandbox::new(limits, None).unwrap());
    let registry =
        registry_of(Arc::clone(&sandbox), &bundled(), Some(folder.path()), BTreeMap::new());
    let said = Said::default();
    let writer = said.clone();
    // With a bridge for what logs through `log`.
    tracing_subscriber::fmt()
        .with_max_level(tracing::level_filters::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let panics = said.clone();
    std::panic::set_hook(Box::new(move |panic| say(&panics, &format!("PANIC {panic}"))));
    let upstream = upstream().await;
    let egress = egress(&upstream, &HOSTS);
    let accounts = accounts();
    let mut served = 0;
    // The token endpoint is in another mood each time.
    for _ in 0..6 {
        for account in &accounts {
            let store = MemoryStore::default();
            if let Some(state) = account.account().state() {
                store.seed(account.state_key().clone(), state.clone());
            }
            let (sandbox, registry) = (Arc::clone(&sandbox), Arc::clone(&registry));
            let host = Countersign::builder(sandbox, registry, egress.clone())
                .store(Arc::new(store))
                .build();
            if let Err(error) = host.validate(account).await {
                say_error(&said, &error);
            }
            let request = || {
                Request::post("/v1/x?q=1")
                    .header("x-note", "harmless")
                    .body(Full::new(Bytes::from_static(b"{}")))
                    .unwrap()
            };
            match host.prepare(account, request()).await {
                Ok(request) => say(&said, &format!("{:?}", request.headers())),
                Err(error) => say_error(&said, &error),
            }
            match host.send(account, request()).await {
                Ok(reply) => {
                    say(&said, &format!("{:?} {:?}", reply.status(), reply.headers()));
                    let body = reply.into_body().collect().await.unwrap().to_bytes();
                    served += usize::from(
                        CANARIES
                            .iter()
                            .any(|it| !traces(&String::from_utf8_lossy(&body), it).is_empty()),
                    );
                }
                Err(error) => say_error(&said, &error),
            }
        }
    }
    assert!(served >= 30, "credentials were really sent: {served}");

    let host = Countersign::builder(sandbox, registry, egress).build();
    for case in cases.iter().filter(|case| case.stage != Stage::Load) {
        match provoke(&host, &victim(case, "u1", HOSTILE), case.stage).await {
            Ok(_) => {}
            Err(error) => say_error(&said, &error),
        }
    }
    malformed(&said);

    let text = said.text();
    // It listened: to us, to the HTTP client beneath, to TLS, and to what bridges from `log`.
    for part in ["countersign::", "hyper_util::", "h2::", "rustls::", "plugin fault"] {
        assert!(text.contains(part), "nothing was heard of {part}");
    }
    assert!(!text.contains("PANIC"), "{:?}", text.lines().find(|line| line.contains("PANIC")));
    for canary in CANARIES {
        let found = traces(&text, canary);
        assert!(found.is_empty(), "{canary} in {} lines, first:\n{}", found.len(), found[0]);
    }
}

/// Documents that are refused, with a secret in every place that a problem could quote.
fn malformed(said: &Said) {
    let control = format!("{KEY}\r\n");
    for json in [
        json!({"identifier": "u1", "authorization_details": {"static_auth": {"details": {"token": [KEY]}}}}),
        json!({"identifier": "u1", "authorization_details": {"static_auth": KEY}}),
        json!({"identifier": "u1", "authorization_details": {"oauth_token": {"access_token": control}}}),
        json!({"identifier": "u1", "authorization_details": {"oauth_token": {"access_token": {"x": KEY}}}}),
        json!({"identifier": "u1", "authorization_details": {"oauth_token": {}, "token_expires_at": KEY}}),
    ] {
        if let Err(problems) = Account::parse(&json) {
            say(said, &format!("{problems} {problems:?}"));
        }
    }
    for json in [json!({"client_secret": control}), json!({"client_secret": [[KEY]]})] {
        if let Err(problems) = Connection::parse(&json) {
            say(said, &format!("{problems} {problems:?}"));
        }
    }
    let mut payload = file("tests/vectors/payloads/bearer.json");
    payload["auth_patterns"][0]["auth_field_mutations"] = json!({"token": {"default": [KEY]}});
    if let Err(problems) = Provider::parse(&payload) {
        say(said, &format!("{problems} {problems:?}"));
    }
}

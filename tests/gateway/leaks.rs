//! Canaries: what is secret stands in no log, no file, no number and no answer but the one that is for
//! it, in any encoding, whatever goes wrong.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use countersign_cli::upstream::{Upstream, echo};
use http_body_util::Full;
use reqwest::{Client, Response};
use serde_json::{Value as Json, json};

use crate::canary::traces;
use crate::collector::Collector;
use crate::process::{Ended, Process};
use crate::scene::{Gateway, account, bearer, is_well, named, payload, text, values};

/// One for each place that a secret comes in by. `+` and `/` make its encodings differ.
const BEARER: &str = "canary+bearer/0a1b2c3d4e";
const BASIC: &str = "canary+basic/0a1b2c3d4e5f";
const PASSWORD: &str = "canary+password/0a1b2c3d4";
const KEY: &str = "canary+key/0a1b2c3d4e5f6a";
const QUERY: &str = "canary+query/0a1b2c3d4e5";
const ACCESS: &str = "canary+access/0a1b2c3d4e";
const REFRESH: &str = "canary+refresh/0a1b2c3d4";
const RENEWED: &str = "canary+renewed/0a1b2c3d4";
const SETTING: &str = "canary+setting/0a1b2c3d4e";
const CHANGED: &str = "canary+changed/0a1b2c3d4e";
const REFUSED: &str = "canary+refused/0a1b2c3d4e";
const WRONG: &str = "canary+wrong/0a1b2c3d4e5f";
const CANARIES: [&str; 12] = [
    BEARER, BASIC, PASSWORD, KEY, QUERY, ACCESS, REFRESH, RENEWED, SETTING, CHANGED, REFUSED, WRONG,
];

const HOSTS: [&str; 5] = [
    "app.asana.com",
    "api.example.com",
    "yourcompany.freshdesk.com",
    "api.attention.tech",
    "query.example.com",
];

/// Where nobody listens.
const GONE: &str = "gone.example.com";

/// What was said, and by whom.
type Told = Vec<(String, String)>;

/// Echoes what it is sent, credential and all, with the status that the path asks for; and is a token
/// endpoint of many moods.
async fn upstream() -> Upstream {
    let asked = Arc::new(Mutex::new(0));
    let answers = [
        json!({"access_token": RENEWED, "token_type": "Bearer", "refresh_token": REFRESH,
            "expires_in": 3600})
        .to_string(),
        json!({"error": "invalid_request", "error_description": RENEWED}).to_string(),
        json!({"access_token": RENEWED, "expires_in": "soon"}).to_string(),
        format!("<html>{RENEWED}</html>"),
        json!({"error": "invalid_grant", "error_description": RENEWED}).to_string(),
    ];
    Upstream::start(&HOSTS, move |request| {
        let mut reply = echo(&request);
        let path = request.uri().path();
        if path.ends_with("oauth_token") {
            let mut asked = asked.lock().unwrap();
            *reply.body_mut() = Full::new(Bytes::from(answers[*asked % answers.len()].clone()));
            *asked += 1;
        } else if let Some(status) = path.rsplit('/').next().and_then(|it| it.parse().ok()) {
            *reply.status_mut() = status;
            // Set by the upstream: a header may hold what it was sent.
            let carried = request.headers().get("authorization").cloned();
            reply.headers_mut().extend(carried.map(|it| (http::header::WWW_AUTHENTICATE, it)));
        }
        async move { reply }
    })
    .await
    .unwrap()
}

/// Everything that a run says, in the order in which it comes.
struct Run {
    gateway: Gateway,
    told: Told,
    /// Answers that an upstream wrote, and those to whom it may concern.
    meant: String,
}

impl Run {
    /// Keeps the gateway's own answer.
    async fn keep(&mut self, what: &str, answer: Response) -> (u16, Json) {
        let status = answer.status().as_u16();
        let head = format!("{:?}", answer.headers());
        let body = answer.text().await.unwrap();
        let json = serde_json::from_str(&body).unwrap_or_default();
        self.told.push((what.to_owned(), format!("{head}\n{body}")));
        (status, json)
    }

    async fn call(&mut self, method: &str, path: &str, body: &Json) -> (u16, Json) {
        let answer = self.gateway.request(method, path, body).send().await.unwrap();
        self.keep(&format!("{method} {path}"), answer).await
    }

    /// A call whose body is not even JSON.
    async fn raw(&mut self, method: &str, path: &str, body: String) -> u16 {
        let request = self.gateway.request(method, path, &Json::Null).body(body);
        let answer = request.header("content-type", "application/json").send().await.unwrap();
        self.keep(&format!("{method} {path}"), answer).await.0
    }

    /// A request through the proxy. What the upstream answers is the caller's; a fault is the
    /// gateway's own word.
    async fn proxied(&mut self, path: &str, whose: (&str, &str)) -> u16 {
        let request = self.gateway.proxied("POST", path, whose).body("{}");
        let answer = request.send().await.unwrap();
        if answer.headers().contains_key("countersign-error") {
            return self.keep(&format!("POST /proxy{path}"), answer).await.0;
        }
        let status = answer.status().as_u16();
        self.meant.push_str(&answer.text().await.unwrap());
        status
    }

    /// A provider, a connection and an account.
    async fn account(&mut self, name: &str, payload: &Json, settings: &Json, details: &Json) {
        let made = self.call("POST", "/custom-providers", payload).await;
        assert!(is_well(made.0), "{name}");
        let provider = text(&made.1["provider"]["identifier"]).to_owned();
        let mut connection = json!({"provider_key": provider, "key_id": name});
        if !settings.is_null() {
            connection["oauth_config"] = settings.clone();
        }
        let made = self.call("POST", "/connections", &json!({"connection": connection})).await;
        assert!(is_well(made.0), "{name}");
        let made = self.call("POST", "/connected_accounts", &account(name, "u1", details)).await;
        assert!(is_well(made.0), "{name}");
    }
}

fn oauth(access: &str, expires: &str) -> Json {
    json!({"oauth_token": {"access_token": access, "refresh_token": REFRESH, "scopes": []},
        "token_expires_at": expires})
}

const PAST: &str = "2001-01-01T00:00:00Z";
const FUTURE: &str = "2099-01-01T00:00:00Z";

/// All types, at work.
async fn work(run: &mut Run) {
    let settings = json!({"client_id": "c", "client_secret": SETTING});
    let details = oauth(ACCESS, FUTURE);
    run.account("asana", &payload("asana"), &settings, &details).await;
    let details = values(&json!({"token": BEARER}));
    run.account("bearer", &payload("bearer"), &Json::Null, &details).await;
    run.account("gone", &bearer("Gone", &format!("https://{GONE}")), &Json::Null, &details).await;
    let host = "yourcompany.freshdesk.com";
    let details = values(&json!({"domain": host, "username": BASIC, "password": PASSWORD}));
    run.account("freshdesk", &payload("freshdesk"), &Json::Null, &details).await;
    let details = values(&json!({"api_key": KEY}));
    run.account("attention", &payload("attention"), &Json::Null, &details).await;
    let mut placed = payload("attention");
    placed["display_name"] = "Query".into();
    placed["proxy_url"] = "https://query.example.com".into();
    placed["auth_patterns"][0]["fields"][0]["query_name"] = "key".into();
    let details = values(&json!({"api_key": QUERY}));
    run.account("query", &placed, &Json::Null, &details).await;
    for connection in ["asana", "bearer", "freshdesk", "attention", "query"] {
        for path in ["/v1/things?a=1", "/v1/500", "/v1/401", "/v1/404", "/v1/302"] {
            run.proxied(path, (connection, "u1")).await;
        }
    }
    // The token endpoint is in another mood each time.
    for number in 0..5 {
        let identifier = format!("renewed-{number}");
        let details = oauth(ACCESS, PAST);
        let body = account("asana", &identifier, &details);
        assert!(is_well(run.call("POST", "/connected_accounts", &body).await.0));
        for _ in 0..2 {
            run.proxied("/v1/things", ("asana", &identifier)).await;
        }
    }
}

/// Requests that are refused, and upstreams that fail.
async fn fail(run: &mut Run) {
    assert_eq!(run.proxied("/v1/things", ("gone", "u1")).await, 502);
    for (path, whose) in [
        ("/v1/things", ("gone", "nobody")),
        ("/v1/things", ("nothing", "u1")),
        ("//evil.example.com/x", ("bearer", "u1")),
        ("/v1/%2e%2e/%2e%2e/x", ("bearer", "u1")),
    ] {
        run.proxied(path, whose).await;
    }
    let url = run.gateway.url("/proxy/v1/things");
    for token in [WRONG, "", "cst_canary"] {
        let request = run.gateway.http.get(&url).bearer_auth(token);
        let answer = request.header("connection_name", "bearer").header("identifier", "u1");
        let kept = run.keep("a wrong token", answer.send().await.unwrap()).await;
        assert_eq!(kept.0, 401);
    }
    for form in [
        format!("grant_type=client_credentials&client_id=ops&client_secret={}", encoded(WRONG)),
        format!("grant_type=password&password={}", encoded(WRONG)),
        format!("grant_type={}", encoded(WRONG)),
    ] {
        let request = run.gateway.http.post(run.gateway.url("/oauth/token")).body(form);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let kept = run.keep("a wrong secret", request.send().await.unwrap()).await;
        assert!(kept.0 >= 400);
    }
    let control = format!("{REFUSED}\r\n");
    for details in [
        values(&json!({"token": [REFUSED]})),
        values(&json!({"token": control})),
        values(&json!({"other": REFUSED})),
        json!({"static_auth": REFUSED}),
        json!({"oauth_token": {"access_token": {"x": REFUSED}}}),
        json!({"oauth_token": {}, "token_expires_at": REFUSED}),
    ] {
        let body = account("bearer", "refused", &details);
        for method in ["POST", "PUT"] {
            assert!(run.call(method, "/connected_accounts", &body).await.0 >= 400, "{details}");
        }
    }
    // Refused or taken, it is not told.
    for (name, secret) in [("list", json!([[REFUSED]])), ("control", json!(control))] {
        let setting = json!({"connection": {"provider_key": "my-asana", "key_id": name,
            "oauth_config": {"client_id": "c", "client_secret": secret}}});
        run.call("POST", "/connections", &setting).await;
    }
    for path in ["/connected_accounts", "/connections"] {
        assert_eq!(run.raw("POST", path, format!("{{\"x\": \"{REFUSED}")).await, 400);
        assert_eq!(run.raw("POST", path, format!("\"{REFUSED}\"")).await, 400);
    }
    let mut wrong = payload("bearer");
    wrong["display_name"] = "Refused".into();
    wrong["auth_patterns"][0]["auth_field_mutations"] = json!({"token": {"default": [REFUSED]}});
    assert_eq!(run.call("POST", "/custom-providers", &wrong).await.0, 400);
}

/// Changes, and reading it all.
async fn read(run: &mut Run) {
    let details = values(&json!({"token": CHANGED}));
    let body = account("bearer", "u1", &details);
    assert_eq!(run.call("PUT", "/connected_accounts", &body).await.0, 200);
    run.proxied("/v1/things", ("bearer", "u1")).await;
    for path in [
        "/providers?page_size=1000",
        "/connections?page_size=100",
        "/connections/app",
        "/connected_accounts?page_size=99",
        "/connected_accounts:search?query=renewed",
        "/connected_accounts/details?connector=bearer&identifier=u1",
        "/clients",
        "/audit?page_size=100",
    ] {
        assert_eq!(run.call("GET", path, &Json::Null).await.0, 200, "{path}");
    }
    for (connection, canaries) in [
        ("bearer", &[CHANGED][..]),
        ("freshdesk", &[BASIC, PASSWORD]),
        ("attention", &[KEY]),
        // Renewed when the upstream said 401.
        ("asana", &[RENEWED, REFRESH]),
    ] {
        let path = format!("/connected_accounts/auth?{}", named(connection, "u1"));
        let told = run.gateway.get(&path).await.to_string();
        for canary in canaries {
            assert!(told.contains(canary), "{connection} is not revealed");
        }
    }
    let request = run.gateway.http.get(run.gateway.url("/metrics"));
    let answer = request.bearer_auth(&run.gateway.token).send().await.unwrap();
    assert_eq!(run.keep("/metrics", answer).await.0, 200);
}

/// What a request causes names it, on whatever task or thread that is.
fn all_are_named(log: &str) {
    let (_, log) = log.split_once(" ready address=").unwrap();
    // The gateway, the library below it, and what the vault asks of the database.
    for part in ["refused code=", ": countersign::", "INSERT INTO accounts"] {
        let lines: Vec<_> = log.lines().filter(|line| line.contains(part)).collect();
        assert!(!lines.is_empty(), "nothing was heard of {part}");
        for line in lines {
            assert!(line.contains("request{request_id="), "{line}");
        }
    }
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// All files of a folder but the key's, as they are on the disk.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_file() && name != "master.key" {
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            found.insert(name, text);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_17_no_secret_is_told_in_any_log_file_number_or_answer() {
    let upstream = upstream().await;
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("ca.pem");
    std::fs::write(&authority, upstream.authority()).unwrap();
    let data = folder.path().join("data");
    // The first start shows the secret, and compiles plugins, about which a trace says gigabytes.
    let first = Process::serve(&data, &[]);
    let id = first.shown("COUNTERSIGN_CLIENT_ID").unwrap();
    let secret = first.shown("COUNTERSIGN_CLIENT_SECRET").unwrap();
    let first = first.stop();
    assert_eq!(first.out.matches(&*secret).count(), 1);
    let shown = first.out.lines().filter(|line| !line.contains(&*secret));
    let mut told: Told = vec![("the first start".to_owned(), first.err.clone())];
    told.push(("the first start".to_owned(), shown.collect::<Vec<_>>().join("\n")));

    let mut mapped: Vec<String> =
        HOSTS.iter().map(|host| format!("{host}:443={}", upstream.address())).collect();
    mapped.push(format!("{GONE}:443=127.0.0.1:1"));
    let collector = Collector::start().await;
    let endpoint = format!("traces.endpoint={}", collector.url());
    let mut arguments = vec!["--log", "trace", "--upstream-ca", authority.to_str().unwrap()];
    arguments.extend(["--set", &endpoint]);
    arguments.extend(mapped.iter().flat_map(|mapping| ["--resolve", mapping]));
    let process = Process::serve(&data, &arguments);
    let gateway = Gateway::of(&process, (&id, &secret)).await;
    let mut run = Run { gateway, told, meant: String::new() };
    work(&mut run).await;
    fail(&mut run).await;
    // Its frames are logged by another library.
    run.gateway.http = Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    read(&mut run).await;

    let Run { gateway, mut told, meant } = run;
    // While it runs much of it is in the write-ahead log alone.
    told.extend(files(&data));
    let token = gateway.token.clone();
    let Ended { code, out, err } = process.stop();
    assert_eq!(code, Some(0));
    let files = files(&data);
    for name in ["countersign.db", "injections.jsonl"] {
        assert!(files.get(name).is_some_and(|it| !it.is_empty()), "{:?}", files.keys());
    }
    told.extend(files);
    told.extend([("its output".to_owned(), out), ("its log".to_owned(), err.clone())]);
    let exported = String::from_utf8_lossy(&collector.bytes()).into_owned();
    told.push(("its traces".to_owned(), exported));

    // It was all there: the credentials went out, and the log is a trace.
    for canary in [BEARER, BASIC, KEY, QUERY, ACCESS, RENEWED, CHANGED] {
        assert!(!traces(&meant, canary).is_empty(), "{canary} was never sent");
    }
    for part in ["TRACE", "hyper_util::", "h2::", "rustls::", "sqlx"] {
        assert!(err.contains(part), "nothing was heard of {part}");
    }
    let spans = collector.spans();
    for name in ["POST /proxy/{path}", "PUT /api/v1/{path}", "plugin", "renewal", "upstream"] {
        assert!(spans.iter().any(|(_, span)| span.name == name), "no trace tells of {name}");
    }
    all_are_named(&err);
    let key = std::fs::read_to_string(data.join("master.key")).unwrap();
    for canary in CANARIES.into_iter().chain([&*secret, &*token, key.trim()]) {
        for (by, said) in &told {
            let found = traces(said, canary);
            let first = found.first().map(|line| line.chars().take(2000).collect::<String>());
            assert!(found.is_empty(), "{canary} is in {by}, {} lines: {first:?}", found.len());
        }
    }
}

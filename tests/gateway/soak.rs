//! Many accounts at once for a long time: each request carries its own account's credential, and
//! memory does not grow.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::random::{Random as _, SeededRandom};
use rustix::process::Pid;
use serde_json::{Value as Json, json};

use crate::bound;
use crate::scene::{Gateway, values};
use crate::upstream::{Reply, Upstream, whole};

/// Of each type.
const ACCOUNTS: usize = 16;
const TYPES: [&str; 4] = ["OAUTH", "BASIC", "BEARER", "API_KEY"];
/// Requests under way at one time.
const PARALLEL: usize = 64;
/// Looks at the memory of the process.
const LOOKS: usize = 20;

fn payload(kind: &str, url: &str) -> Json {
    let mut pattern = json!({"type": kind, "fields": []});
    match kind {
        "OAUTH" => {
            pattern["oauth_config"] = json!({"authorize_uri": "https://127.0.0.1/authorize",
                "token_uri": "https://127.0.0.1/token", "available_scopes": []});
        }
        _ => pattern["fields"] = json!([{"field_name": field(kind), "required": true}]),
    }
    json!({"display_name": format!("Soak {}", kind.replace('_', " ")), "proxy_url": url,
        "proxy_enabled": true, "auth_patterns": [pattern]})
}

fn field(kind: &str) -> &'static str {
    match kind {
        "BASIC" => "username",
        "BEARER" => "token",
        _ => "api_key",
    }
}

fn identifier(kind: &str, number: usize) -> String {
    format!("{kind}-{number}")
}

/// What the account was given.
fn secret(identifier: &str) -> String {
    format!("secret-of-{identifier}")
}

/// What its requests must carry.
fn authorization(identifier: &str) -> Option<String> {
    let secret = secret(identifier);
    Some(match identifier.rsplit_once('-')?.0 {
        "OAUTH" | "BEARER" => format!("Bearer {secret}"),
        "BASIC" => format!("Basic {}", STANDARD.encode(format!("{secret}:"))),
        "API_KEY" => secret,
        _ => return None,
    })
}

/// 200 where `/of/IDENTIFIER/…` came with that account's credential, once.
fn judge(uri: &str, carried: &[&[u8]]) -> u16 {
    let due = uri.strip_prefix("/of/").and_then(|rest| rest.split('/').next());
    match (due.and_then(authorization), carried) {
        (Some(due), [carried]) if due.as_bytes() == *carried => 200,
        _ => 500,
    }
}

/// An upstream that counts what it served well, and what it did not.
async fn upstream(served: &Arc<[AtomicUsize; 2]>) -> Upstream {
    let served = Arc::clone(served);
    Upstream::start(move |request| {
        let carried = request.headers().get_all("authorization").iter();
        let carried: Vec<&[u8]> = carried.map(reqwest::header::HeaderValue::as_bytes).collect();
        let status = judge(request.uri().path(), &carried);
        served[usize::from(status != 200)].fetch_add(1, Ordering::Relaxed);
        let reply: Reply = whole(status, "{}");
        Box::pin(async move { reply })
    })
    .await
}

/// KiB that are resident, where the system tells.
fn resident(id: Pid) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", id.as_raw_pid())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

async fn prepared(gateway: &Gateway, url: &str) -> Vec<(String, String)> {
    let mut accounts = Vec::new();
    for kind in TYPES {
        let settings = match kind {
            "OAUTH" => json!({"client_id": "c", "client_secret": "s"}),
            _ => Json::Null,
        };
        let connection = kind.to_lowercase();
        gateway.connect(&payload(kind, url), &connection, &settings).await;
        for number in 0..ACCOUNTS {
            let identifier = identifier(kind, number);
            let secret = secret(&identifier);
            let details = match kind {
                "OAUTH" => json!({"oauth_token": {"access_token": secret, "refresh_token": "r"}}),
                _ => values(&json!({field(kind): secret})),
            };
            gateway.account(&connection, &identifier, &details).await;
            accounts.push((connection.clone(), identifier));
        }
    }
    accounts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_of_many_at_once_carries_another_accounts_credential() {
    let requests = bound("SOAK_REQUESTS", 4_000);
    let served: Arc<[AtomicUsize; 2]> = Arc::default();
    let upstream = upstream(&served).await;
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--allow-upstream", "127.0.0.0/8", "--allow-http-upstream"];
    let (process, gateway) = Gateway::start(folder.path(), &arguments).await;
    let accounts = Arc::new(prepared(&gateway, &upstream.url("")).await);
    let id = process.id();
    let (begun, memory) = (Arc::new(AtomicUsize::new(0)), Arc::new(std::sync::Mutex::new(vec![])));
    let began = Instant::now();
    let workers = (0..PARALLEL).map(|worker| {
        let (gateway, accounts) = (gateway.clone(), Arc::clone(&accounts));
        let (begun, memory) = (Arc::clone(&begun), Arc::clone(&memory));
        let random = SeededRandom::new(worker as u64);
        tokio::spawn(async move {
            loop {
                let nth = begun.fetch_add(1, Ordering::Relaxed);
                if nth >= requests {
                    return;
                }
                if nth.is_multiple_of((requests / LOOKS).max(1)) {
                    let look = (nth, began.elapsed(), resident(id));
                    memory.lock().unwrap().push(look);
                }
                let mut byte = [0];
                random.fill(&mut byte).unwrap();
                let (connection, identifier) = &accounts[usize::from(byte[0]) % accounts.len()];
                let path = format!("/of/{identifier}/{nth}");
                let request = gateway.proxied("GET", &path, (connection, identifier));
                let answer = request.send().await.unwrap();
                let status = answer.status();
                let body = answer.text().await.unwrap();
                assert_eq!(status, 200, "{identifier}, the {nth}th: {body}");
            }
        })
    });
    let workers: Vec<_> = workers.collect();
    for worker in workers {
        worker.await.unwrap();
    }
    let took = began.elapsed();
    let [well, ill] = [0, 1].map(|it| served[it].load(Ordering::Relaxed));
    assert_eq!((well, ill), (requests, 0));
    let mut table = String::from("requests   seconds   resident MiB\n");
    let end = (requests, took, resident(id));
    for (nth, at, resident) in memory.lock().unwrap().iter().chain([&end]) {
        let resident = resident.map_or("?".to_owned(), |it| format!("{}", it / 1024));
        writeln!(table, "{nth:>8}   {:>7.1}   {resident:>12}", at.as_secs_f64()).unwrap();
    }
    println!("{table}");
}

#[test]
fn the_upstream_of_the_soak_takes_no_others_credential_for_an_accounts_own() {
    let own = authorization("BASIC-3").unwrap();
    assert_eq!(judge("/of/BASIC-3/1", &[own.as_bytes()]), 200);
    assert_eq!(judge("/of/BASIC-4/1", &[own.as_bytes()]), 500);
    assert_eq!(judge("/of/BASIC-3/1", &[own.as_bytes(), own.as_bytes()]), 500);
    assert_eq!(judge("/of/BASIC-3/1", &[]), 500);
    assert_eq!(judge("/elsewhere", &[own.as_bytes()]), 500);
}

//! The real command, from the outside: arguments in; exit code, standard output and standard error
//! out. Nothing but loopback is dialled.

#![allow(
    clippy::unwrap_used,
    clippy::format_collect,
    reason = "outside #[test], tests all the same"
)]

mod batch;
mod demo;
mod errors;
mod inject;
mod languages;
mod plugins;
mod policy;
mod projects;
mod providers;
mod request;
mod schema;
mod testing;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

/// What the command gave.
struct Run {
    code: i32,
    out: String,
    err: String,
}

impl Run {
    fn json(&self) -> Json {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{} {}", self.out, self.err))
    }

    /// Neither stream holds any of these.
    fn hides(&self, secrets: &[&str]) {
        for secret in secrets {
            assert!(!self.out.contains(secret), "{secret} on standard output:\n{}", self.out);
            assert!(!self.err.contains(secret), "{secret} on standard error:\n{}", self.err);
        }
    }
}

fn run(arguments: &[&str]) -> Run {
    run_with(arguments, b"")
}

fn run_with(arguments: &[&str], input: &[u8]) -> Run {
    run_in(arguments, input, &[])
}

/// The same, with these variables in its environment.
fn run_in(arguments: &[&str], input: &[u8], variables: &[(&str, &str)]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(arguments)
        // Compiling the bundle once is enough for all of these.
        .env("COUNTERSIGN_CACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("command-cache"))
        .env_remove("COUNTERSIGN_PLUGINS")
        .env_remove("COUNTERSIGN_LOG")
        .env_remove("COUNTERSIGN_POLICY")
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A command that reads nothing may end before all is written.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Run {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder of JSON files for one test.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn json(&self, name: &str, json: &Json) -> String {
        self.bytes(name, json.to_string().as_bytes())
    }

    fn bytes(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

/// A file of the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn repository_json(path: &str) -> Json {
    serde_json::from_slice(&std::fs::read(repository(path)).unwrap()).unwrap()
}

fn payload(name: &str) -> Json {
    repository_json(&format!("tests/vectors/payloads/{name}.json"))
}

fn details(details: &Json) -> Json {
    json!({"identifier": "u1", "authorization_details": {"static_auth": {"details": details}}})
}

/// An OAUTH account whose access token is long past its end.
fn stale() -> Json {
    json!({"identifier": "u1", "authorization_details": {
        "oauth_token": {"access_token": "canary-old-access", "refresh_token": "canary-refresh",
            "scopes": ["profile"]},
        "token_expires_at": "2020-01-01T00:00:00Z",
    }})
}

fn oauth_connection() -> Json {
    json!({"client_id": "client-1", "client_secret": "canary-client-secret"})
}

/// The headers of an answer, without the `accept` that every request has where its caller gave
/// none.
fn headers(answer: &Json) -> Json {
    let headers = answer["headers"].as_array().unwrap().iter();
    headers.filter(|pair| **pair != json!(["accept", "*/*"])).cloned().collect()
}

/// What a token endpoint answers.
fn token_reply() -> Json {
    let token = json!({"access_token": "canary-new-access", "refresh_token": "canary-new-refresh",
        "token_type": "Bearer", "expires_in": 3600});
    json!({"status": 200, "headers": [["content-type", "application/json"]],
        "body": {"text": token.to_string()}})
}

const OAUTH_CANARIES: &[&str] = &[
    "canary-old-access",
    "canary-refresh",
    "canary-client-secret",
    "canary-new-access",
    "canary-new-refresh",
];

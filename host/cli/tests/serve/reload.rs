//! What a running server takes of a new configuration.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::{Client, Response, StatusCode};
use rustix::process::Signal;
use serde_json::Value as Json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::process::Process;
use crate::world::{ask_token, populate, token};

const WELL: &[u8] = b"HTTP/1.1 200 OK\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\
    connection: close\r\n\r\n";

/// A server whose configuration is a file, and whose policy is one too.
struct Scene {
    folder: TempDir,
    server: Process,
    token: String,
    http: Client,
    upstream: Arc<Upstream>,
}

/// Answers each request, but those to `/hang`.
#[derive(Default)]
struct Upstream {
    seen: AtomicUsize,
    come: Notify,
}

impl Upstream {
    async fn start() -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let upstream = Arc::new(Self::default());
        let this = Arc::clone(&upstream);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let this = Arc::clone(&this);
                tokio::spawn(async move {
                    let mut read = Vec::new();
                    while !read.windows(4).any(|it| it == b"\r\n\r\n") {
                        if stream.read_buf(&mut read).await.unwrap_or_default() == 0 {
                            return;
                        }
                    }
                    this.seen.fetch_add(1, Ordering::SeqCst);
                    this.come.notify_one();
                    if !read.starts_with(b"GET /hang ") {
                        let _ = stream.write_all(WELL).await;
                    }
                    // The rest of the request, or the end.
                    while stream.read_buf(&mut read).await.unwrap_or_default() > 0 {}
                });
            }
        });
        (upstream, url)
    }

    fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (upstream, url) = Upstream::start().await;
        std::fs::write(policy(folder.path()), "{}").unwrap();
        configure(folder.path(), "");
        let arguments = ["--allow-upstream", "127.0.0.0/8", "--allow-http-upstream"];
        let server = Process::serve(folder.path(), &arguments);
        populate(folder.path(), &url).await;
        let (id, secret) = client(&server);
        let token = token(server.url(), &id, &secret).await;
        let http = Client::builder().no_proxy().build().unwrap();
        Self { folder, server, token, http, upstream }
    }

    /// Has the server read these lines, and this policy.
    fn reload(&mut self, lines: &str, of_policy: &str) {
        self.read(lines, of_policy);
        self.server.logs("reloaded");
    }

    fn read(&mut self, lines: &str, of_policy: &str) {
        configure(self.folder.path(), lines);
        std::fs::write(policy(self.folder.path()), of_policy).unwrap();
        self.server.signal(Signal::HUP);
    }

    fn request(&self, path: &str, body: &'static str) -> reqwest::RequestBuilder {
        let method = if body.is_empty() { "GET" } else { "POST" }.parse().unwrap();
        let request = self.http.request(method, format!("{}/proxy{path}", self.server.url()));
        let request = request.header("connection_name", "slow").header("identifier", "user");
        request.bearer_auth(&self.token).body(body)
    }

    async fn ask(&self, path: &str, body: &'static str) -> Response {
        self.request(path, body).send().await.unwrap()
    }

    /// The code of a refusal; nothing where there is none.
    async fn code(&self, path: &str, body: &'static str) -> String {
        code(&self.ask(path, body).await)
    }

    /// How long a new token lives, in seconds.
    async fn lifetime(&self) -> u64 {
        let (id, secret) = client(&self.server);
        let reply = ask_token(&self.http, self.server.url(), &id, &secret).await;
        assert_eq!(reply.status(), StatusCode::OK);
        let json: Json = serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap();
        json["expires_in"].as_u64().unwrap()
    }
}

fn policy(folder: &Path) -> PathBuf {
    folder.join("policy.json")
}

fn configure(folder: &Path, lines: &str) {
    let text = format!("policy = '{}'\n{lines}", policy(folder).display());
    std::fs::write(folder.join("countersign.toml"), text).unwrap();
}

fn client(server: &Process) -> (String, String) {
    let shown = |name| server.shown(name).unwrap();
    (shown("COUNTERSIGN_CLIENT_ID"), shown("COUNTERSIGN_CLIENT_SECRET"))
}

fn code(reply: &Response) -> String {
    let code = reply.headers().get(countersign_gateway::FAULT_HEADER);
    code.map(|code| code.to_str().unwrap().to_owned()).unwrap_or_default()
}

const NARROW: &str = r#"{"BEARER": ["read account/token"]}"#;

#[tokio::test]
async fn a_narrower_policy_holds_for_an_account_whose_answer_was_remembered() {
    let mut scene = Scene::new().await;
    for _ in 0..2 {
        assert_eq!(scene.ask("/", "").await.status(), StatusCode::OK);
    }
    scene.reload("", NARROW);
    assert_eq!(scene.code("/", "").await, "edit_refused");
    assert_eq!(scene.upstream.seen(), 2);
    scene.reload("", "{}");
    assert_eq!(scene.ask("/", "").await.status(), StatusCode::OK);
    // A configuration that names no policy narrows nothing.
    scene.reload("", NARROW);
    std::fs::write(scene.folder.path().join("countersign.toml"), "").unwrap();
    scene.server.signal(Signal::HUP);
    scene.server.logs("reloaded");
    assert_eq!(scene.ask("/", "").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn lower_limits_hold_for_the_next_request() {
    let mut scene = Scene::new().await;
    assert_eq!(scene.lifetime().await, 24 * 3600);
    let reply = scene.ask("/", "four").await;
    assert_eq!(reply.status(), StatusCode::OK);
    assert!(!reply.headers().contains_key("set-cookie"));
    let lines = "[limits]\nlongest_body = 3\nlongest_document = 3\ntoken_lifetime = \"90s\"\n\
        most_in_flight_per_account = 1\npass_cookies = true\n";
    scene.reload(lines, "{}");
    assert!(!scene.server.log().contains("started again"), "{}", scene.server.log());
    assert_eq!(scene.lifetime().await, 90);
    assert_eq!(scene.code("/", "four").await, "body_too_large");
    let made = scene.http.post(format!("{}/api/v1/clients", scene.server.url()));
    let made = made.bearer_auth(&scene.token).header("content-type", "application/json");
    assert_eq!(code(&made.body("{\"a\":1}").send().await.unwrap()), "body_too_large");
    assert!(scene.ask("/", "").await.headers().contains_key("set-cookie"));

    let seen = scene.upstream.seen();
    let waiting = tokio::spawn(scene.request("/hang", "").send());
    while scene.upstream.seen() == seen {
        scene.upstream.come.notified().await;
    }
    assert_eq!(scene.code("/", "").await, "too_many_requests");
    scene.reload("limits.most_in_flight = 1\n", "{}");
    assert_eq!(scene.code("/", "").await, "overloaded");
    waiting.abort();

    scene.reload("limits.deadline = \"100ms\"\nlimits.tokens_per_minute = 1\n", "{}");
    assert_eq!(scene.code("/hang", "").await, "upstream_timeout");
    assert_eq!(scene.lifetime().await, 24 * 3600);
    let (id, secret) = client(&scene.server);
    // The number is the same, and so it counts on.
    scene.reload("limits.tokens_per_minute = 1\n", "{}");
    let reply = ask_token(&scene.http, scene.server.url(), &id, &secret).await;
    assert_eq!(reply.status(), StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn anything_wrong_leaves_the_old_configuration_in_force_whole() {
    let mut scene = Scene::new().await;
    scene.reload("limits.token_lifetime = \"90s\"\n", NARROW);
    for (lines, of_policy, told) in [
        ("deadlin = \"1s\"\n", "{}", "limits.deadlin"),
        ("deadline = 1\n", "{}", "limits.deadline"),
        ("longest_body = [\n", "{}", "countersign.toml"),
        ("", "{", "policy.json: not JSON"),
        ("", r#"{"BEARER": ["write all"], "NONE": []}"#, "no plugin answers to it"),
    ] {
        let lines = format!("[limits]\ntoken_lifetime = \"91s\"\n{lines}");
        let before = scene.server.log().len();
        scene.read(&lines, of_policy);
        scene.server.logs("the configuration was not");
        let log = &scene.server.log()[before..];
        assert!(!log.contains("reloaded"), "{log}");
        assert!(log.contains("the old one goes on") && log.contains(told), "{told}: {log}");
        assert_eq!(scene.code("/", "").await, "edit_refused", "{told}");
        assert_eq!(scene.lifetime().await, 90, "{told}");
    }
    scene.reload("limits.token_lifetime = \"91s\"\n", "{}");
    assert_eq!(scene.lifetime().await, 91);
    assert_eq!(scene.ask("/", "").await.status(), StatusCode::OK);
}

/// A type that is pinned to what nobody has is served by nobody.
#[tokio::test]
async fn pins_are_taken_and_given_up() {
    let mut scene = Scene::new().await;
    scene.reload(&format!("pins = [\"BEARER={}\"]\n", "0".repeat(64)), "{}");
    assert_eq!(scene.code("/", "").await, "auth_type_unknown");
    scene.reload("", "{}");
    assert_eq!(scene.ask("/", "").await.status(), StatusCode::OK);
}

/// What a running server cannot take is told at each reload, until it is started again.
#[tokio::test]
async fn what_waits_for_the_next_start_is_named_until_then() {
    let mut scene = Scene::new().await;
    for _ in 0..2 {
        let before = scene.server.log().len();
        scene.reload("limits.cached_accounts = 7\nlimits.deadline = \"7s\"\n", "{}");
        let log = &scene.server.log()[before..];
        let told = log.lines().find(|line| line.contains("started again")).unwrap();
        assert!(told.contains("limits.cached_accounts") && !told.contains("deadline"), "{told}");
    }
}

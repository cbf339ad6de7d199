//! `countersign request`, against a real upstream on loopback.

use std::time::Duration;

use bytes::Bytes;
use countersign_cli::upstream::Upstream;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde_json::json;
use tokio::runtime::Runtime;

use super::*;

/// An upstream, and the flags that lead to it.
struct Loopback {
    upstream: Upstream,
    runtime: Runtime,
    files: Files,
    flags: Vec<String>,
}

impl Loopback {
    fn new(host: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let hosts = [host];
        let start = Upstream::start(&hosts, |request| async move {
            let path = request.uri().path();
            if path.ends_with("/-/oauth_token") {
                // As a token server far away: whoever does not wait for it is gone by then.
                tokio::time::sleep(Duration::from_millis(300)).await;
                let reply = token_reply();
                let text = reply["body"]["text"].as_str().unwrap().to_owned();
                let mut reply = Response::new(Full::new(Bytes::from(text)));
                let kind = HeaderValue::from_static("application/json");
                reply.headers_mut().insert("content-type", kind);
                return reply;
            }
            // Says whether the credential came, without saying it back.
            let came = request.headers().get("authorization");
            let came = came.and_then(|it| it.to_str().ok()).unwrap_or_default();
            let known = ["Bearer canary-token", "Bearer canary-new-access"].contains(&came);
            let body = String::from_utf8_lossy(request.body()).into_owned();
            let text = format!("{} {path} known={known} body={body}", request.method());
            let mut reply = Response::new(Full::new(Bytes::from(text)));
            *reply.status_mut() = StatusCode::IM_A_TEAPOT;
            reply.headers_mut().insert("x-upstream", HeaderValue::from_static("here"));
            reply
        });
        let upstream = runtime.block_on(start).unwrap();
        let files = Files::new();
        let authority = files.bytes("ca.pem", upstream.authority().as_bytes());
        let flags = vec![
            "--resolve".to_owned(),
            format!("{host}:443={}", upstream.address()),
            "--upstream-ca".to_owned(),
            authority,
        ];
        Self { upstream, runtime, files, flags }
    }

    fn request(&self, provider: &str, account: &str, more: &[&str]) -> Run {
        let flags = self.flags.iter().map(String::as_str);
        let mut arguments = vec!["request", "--provider", provider, "--account", account];
        arguments.extend(flags);
        arguments.extend(more);
        run(&arguments)
    }
}

#[test]
fn the_reply_streams_to_standard_output_with_its_head_on_request() {
    let loopback = Loopback::new("api.example.com");
    let provider = loopback.files.json("p.json", &payload("bearer"));
    let account = loopback.files.json("a.json", &details(&json!({"token": "canary-token"})));
    let plain = loopback.request(&provider, &account, &["/v1/x", "--log", "off"]);
    assert_eq!(plain.out, "GET /v1/x known=true body=", "{}", plain.err);
    assert_eq!((plain.code, plain.err.as_str()), (0, ""));

    let more = ["-i", "POST", "/v1/x", "--data", "hello", "--log", "trace"];
    let full = loopback.request(&provider, &account, &more);
    assert_eq!(full.code, 0, "{}", full.err);
    let (head, body) = full.out.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/2.0 418 I'm a teapot\r\n"), "{head}");
    assert!(head.contains("\r\nx-upstream: here"), "{head}");
    assert_eq!(body, "POST /v1/x known=true body=hello");
    full.hides(&["canary-token"]);
    assert!(full.err.contains("DEVELOPMENT"), "mapping a host is loud: {}", full.err);
}

#[test]
fn a_request_is_sent_only_within_the_operators_policy() {
    let loopback = Loopback::new("api.example.com");
    let provider = loopback.files.json("p.json", &payload("bearer"));
    let account = loopback.files.json("a.json", &details(&json!({"token": "canary-token"})));
    for (write, sent) in [("write header/authorization", true), ("write header/x-key", false)] {
        let policy = json!({"BEARER": ["read account/token", write]});
        let policy = loopback.files.json("policy.json", &policy);
        let more = ["/v1/x", "--log", "off", "--policy", &policy];
        let run = loopback.request(&provider, &account, &more);
        assert_eq!((run.code == 0, run.out.contains("known=true")), (sent, sent), "{}", run.err);
        assert_eq!(run.err.contains("error[edit_refused]: "), !sent, "{}", run.err);
        assert_eq!(run.err.contains("the operator's policy narrows"), !sent, "{}", run.err);
    }
}

#[test]
fn a_renewed_state_is_in_its_file_before_it_is_used() {
    let loopback = Loopback::new("app.asana.com");
    let provider = loopback.files.json("p.json", &payload("asana"));
    let account = loopback.files.json("a.json", &stale());
    let connection = loopback.files.json("c.json", &oauth_connection());
    let state = loopback.files.path("state.json");
    let more = ["--connection", &connection, "--state", &state, "/1.0/users/me"];
    for what in ["renewed", "read from the file"] {
        let run = loopback.request(&provider, &account, &more);
        assert_eq!(run.code, 0, "{what}: {}", run.err);
        assert!(run.out.contains("known=true"), "{what}: {}", run.out);
        run.hides(OAUTH_CANARIES);
        let kept: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
        assert_eq!(kept["secrets"]["refresh_token"], "canary-new-refresh", "{what}");
        assert_eq!(kept["version"], 1, "{what}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let permissions = std::fs::metadata(&state).unwrap().permissions();
        assert_eq!(permissions.mode() & 0o777, 0o600);
    }

    let more = ["--connection", &connection, "/1.0/users/me"];
    let unkept = loopback.request(&provider, &account, &more);
    assert!(unkept.err.contains("--state FILE"), "losing a state is told: {}", unkept.err);
}

/// The server has used up the old refresh token by then.
#[test]
fn a_renewal_in_the_background_is_in_the_file_when_the_command_ends() {
    let loopback = Loopback::new("app.asana.com");
    let provider = loopback.files.json("p.json", &payload("asana"));
    let account = loopback.files.json("a.json", &stale());
    let connection = loopback.files.json("c.json", &oauth_connection());
    let due = json!({
        "secrets": {"access_token": "canary-token", "refresh_token": "canary-refresh"},
        "attributes": {}, "version": 4,
        "renew_at": "2001-01-01T00:00:00Z", "expires_at": "2999-01-01T00:00:00Z",
    });
    let state = loopback.files.json("state.json", &due);
    let more = ["--connection", &connection, "--state", &state, "/1.0/users/me"];
    let run = loopback.request(&provider, &account, &more);
    assert!(run.code == 0 && run.out.contains("known=true"), "{} {}", run.out, run.err);
    let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
    assert_eq!(kept["secrets"]["refresh_token"], "canary-new-refresh");
    assert_eq!(kept["version"], 5);
}

#[test]
fn a_state_file_that_cannot_be_written_is_told_before_anything_is_sent() {
    let loopback = Loopback::new("app.asana.com");
    let provider = loopback.files.json("p.json", &payload("asana"));
    let account = loopback.files.json("a.json", &stale());
    let connection = loopback.files.json("c.json", &oauth_connection());
    let more = ["--connection", &connection, "--state", "/proc/state.json", "/1.0/users/me"];
    let run = loopback.request(&provider, &account, &more);
    assert!(run.code != 0 && run.err.contains("/proc/state.json"), "{}", run.err);
    assert!(run.err.contains("store_failed"), "{}", run.err);
}

#[test]
fn without_the_development_flags_loopback_is_out_of_reach() {
    let loopback = Loopback::new("api.example.com");
    let address = loopback.upstream.address();
    let mut provider = payload("bearer");
    provider["proxy_url"] = format!("https://127.0.0.1:{}", address.port()).into();
    let provider = loopback.files.json("p.json", &provider);
    let account = loopback.files.json("a.json", &details(&json!({"token": "canary-token"})));
    for (more, code) in [
        (&[][..], "address_refused"),
        // Let through, but not trusted.
        (&["--allow-upstream", "127.0.0.0/8"], "upstream_unreachable"),
    ] {
        let arguments = ["request", "--provider", &provider, "--account", &account, "/v1"];
        let run = run(&[&arguments[..], more].concat());
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{code}");
        assert!(run.err.contains(&format!("error[{code}]: ")), "{code}: {}", run.err);
        run.hides(&["canary-token"]);
    }
    loopback.runtime.shutdown_background();
}

#[test]
fn plain_http_is_sent_only_where_it_is_allowed() {
    let files = Files::new();
    let mut provider = payload("bearer");
    // Port 9 answers nobody: what is tested ends before, or at, the dial.
    provider["proxy_url"] = "http://127.0.0.1:9".into();
    let provider = files.json("p.json", &provider);
    let account = files.json("a.json", &details(&json!({"token": "canary-token"})));
    let arguments = ["request", "--provider", &provider, "--account", &account, "/v1"];
    for (more, code) in [
        (&[][..], "target_refused"),
        (&["--allow-http-upstream"], "address_refused"),
        (&["--allow-http-upstream", "--allow-upstream", "127.0.0.1/32"], "upstream_unreachable"),
    ] {
        let run = run(&[&arguments[..], more].concat());
        assert_eq!(run.code, 1);
        assert!(run.err.contains(&format!("error[{code}]: ")), "{code}: {}", run.err);
        let told = run.err.contains("--allow-http-upstream");
        assert_eq!(told, code == "target_refused", "the fix names the flag: {}", run.err);
    }
}

#[test]
fn a_mapping_that_is_none_is_refused_with_the_form_of_one() {
    let files = Files::new();
    let provider = files.json("p.json", &payload("bearer"));
    let account = files.json("a.json", &details(&json!({"token": "canary-token"})));
    let arguments = ["request", "--provider", &provider, "--account", &account, "/v1"];
    let run = run(&[&arguments[..], &["--resolve", "api.example.com=127.0.0.1"]].concat());
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    for part in ["HOST:PORT=ADDR", "api.example.com:443=127.0.0.1:8443"] {
        assert!(run.err.contains(part), "{part}: {}", run.err);
    }
}

//! What is around the program does not change where a request goes, nor does the log tell of it.

use std::io::Write;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use countersign::egress::{Egress, EgressConfig};
use http::Request;
use http_body_util::{BodyExt, Full};
use tracing_subscriber::fmt::MakeWriter;

use crate::tls::{self, Protocol, TlsUpstream};
use crate::upstream::{EMPTY, Recorder, Then};
use crate::{config, egress, get};

const CHILD: &str = "COUNTERSIGN_TEST_PROXY_CHILD";

/// Runs itself again with proxies in the environment: that can only be set for another process.
#[tokio::test]
async fn proxies_of_the_environment_are_ignored() {
    if std::env::var_os(CHILD).is_some() {
        let upstream = Recorder::start(EMPTY, Then::KeepOpen).await;
        egress().send(get(&upstream.url("/direct"))).await.unwrap();
        assert_eq!(upstream.request_line(), "GET /direct HTTP/1.1");
        let encrypted = TlsUpstream::start(Protocol::Http1, Arc::default()).await;
        encrypted.egress().send(get(&tls::url("/direct"))).await.unwrap();
        return;
    }
    let proxy = Recorder::start(EMPTY, Then::KeepOpen).await;
    let address = proxy.url("");
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "isolation::proxies_of_the_environment_are_ignored", "--nocapture"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"]
    {
        child.env(name, &address);
    }
    child
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env_remove("REQUEST_METHOD")
        .env(CHILD, "1");
    child.stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || child.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    assert_eq!(proxy.connections(), 0);
}

/// A log that the test can read.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn logged() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

#[test]
fn every_exception_that_the_operator_makes_is_loud_in_the_log() {
    let (log, _guard) = logged();
    let exceptions = EgressConfig {
        allow_http: true,
        allowed_networks: vec!["10.0.0.0/8".parse().unwrap()],
        resolve: vec!["api.example:443=127.0.0.1:8443".parse().unwrap()],
        ..config()
    };
    Egress::new(exceptions).unwrap();
    let warnings = log.text();
    for said in ["api.example", "127.0.0.1:8443", "certificates=1", "10.0.0.0/8", "unencrypted"] {
        assert!(
            warnings.lines().any(|line| line.contains("WARN") && line.contains(said)),
            "{said}: {warnings}"
        );
    }
}

#[tokio::test]
async fn row_17_no_credential_is_in_the_log_even_at_trace_level() {
    let (log, _guard) = logged();
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let upstream = TlsUpstream::start(protocol, Arc::default()).await;
        let request = Request::post(tls::url("/canary?key=canary"))
            .header("authorization", "Bearer canary")
            .header("x-api-key", "canary")
            .body(Full::from(Bytes::from("canary")))
            .unwrap();
        upstream.egress().send(request).await.unwrap().into_body().collect().await.unwrap();
    }
    let text = log.text();
    assert!(text.contains("TRACE"), "the client's own log is read too: {text}");
    for form in ["canary", "Y2FuYXJ5", "63616e617279"] {
        let leak = text.lines().find(|line| line.contains(form));
        assert!(leak.is_none(), "{leak:?}");
    }
}

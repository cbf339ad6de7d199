//! What a collector is told of requests, what upstreams are, and what becomes of a collector that is
//! away.

use std::time::{Duration, Instant};

use countersign_cli::upstream::{Upstream, echo};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use serde_json::Value as Json;

use crate::collector::{Collector, attributes, hex};
use crate::process::Process;
use crate::world::{populate, token};

const HOST: &str = "api.example.com";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
const CALLERS: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A server before an upstream that echoes, with the status that the path ends in.
struct Scene {
    process: Process,
    token: String,
    _upstream: Upstream,
    _folder: tempfile::TempDir,
}

impl Scene {
    async fn new(more: &[&str], variables: &[(&str, &str)]) -> Self {
        let upstream = Upstream::start(&[HOST], |request| async move {
            let mut reply = echo(&request);
            let last = request.uri().path().rsplit('/').next();
            if let Some(status) = last.and_then(|it| it.parse().ok()) {
                *reply.status_mut() = status;
            }
            reply
        })
        .await
        .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let authority = folder.path().join("ca.pem");
        std::fs::write(&authority, upstream.authority()).unwrap();
        let mapping = format!("{HOST}:443={}", upstream.address());
        let mut arguments =
            vec!["--upstream-ca", authority.to_str().unwrap(), "--resolve", &mapping];
        arguments.extend(more);
        let data = folder.path().join("data");
        let process = Process::serve_with(&data, &arguments, variables);
        populate(&data, &format!("https://{HOST}")).await;
        let id = process.shown("COUNTERSIGN_CLIENT_ID").unwrap();
        let secret = process.shown("COUNTERSIGN_CLIENT_SECRET").unwrap();
        let token = token(process.url(), &id, &secret).await;
        Self { process, token, _upstream: upstream, _folder: folder }
    }

    /// The status, and the headers that the upstream got.
    async fn proxied(&self, path: &str, headers: &[(&str, &str)]) -> (u16, Vec<(String, String)>) {
        let request = reqwest::Client::new().get(format!("{}/proxy{path}", self.process.url()));
        let mut request = request.bearer_auth(&self.token);
        let account = [("connection_name", "slow"), ("identifier", "user")];
        let given = |name| headers.iter().any(|(given, _)| *given == name);
        for (name, value) in account.iter().filter(|(name, _)| !given(*name)).chain(headers) {
            request = request.header(*name, *value);
        }
        let reply = request.send().await.unwrap();
        let status = reply.status().as_u16();
        let json: Json = serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap();
        let got = serde_json::from_value(json["headers"].clone()).unwrap_or_default();
        (status, got)
    }
}

fn all<'a>(headers: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    headers.iter().filter(|(it, _)| it == name).map(|(_, value)| value.as_str()).collect()
}

fn named<'a>(spans: &'a [Span], name: &str) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

/// A path, headers, and the status, the error and whether it is the server's.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], u16, &'a str, bool);

const PROXIED: &str = "GET /proxy/{path}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxied_request_is_one_trace_that_goes_on_with_the_callers() {
    let collector = Collector::start().await;
    let endpoint = format!("traces.endpoint={}", collector.url());
    // Whatever else is heard of, it is not exported.
    let scene = Scene::new(&["--set", &endpoint, "--log", "trace"], &[]).await;
    let headers = [
        ("traceparent", CALLERS),
        ("tracestate", "other=canary-state"),
        ("baggage", "k=canary-baggage"),
        ("x-request-id", "r-42"),
    ];
    let (status, got) = scene.proxied("/canary-path/x?q=canary-query", &headers).await;
    assert_eq!(status, 200);
    assert_eq!(all(&got, "tracestate"), ["other=canary-state"]);
    assert_eq!(all(&got, "baggage"), ["k=canary-baggage"]);
    assert_eq!(scene.process.stop().code, Some(0));

    let (resources, spans): (Vec<_>, Vec<Span>) = collector.spans().into_iter().unzip();
    let service = ("service.name".to_owned(), "countersign".to_owned());
    assert!(resources.iter().all(|it| attributes(&it.attributes).contains(&service)));
    let spans: Vec<_> = spans.into_iter().filter(|it| hex(&it.trace_id) == TRACE).collect();
    let [root] = named(&spans, PROXIED)[..] else { panic!("{spans:?}") };
    assert_eq!(hex(&root.parent_span_id), PARENT);
    assert_eq!(root.kind(), SpanKind::Server);
    let own = format!("00-{TRACE}-{}-01", hex(&root.span_id));
    assert_eq!(all(&got, "traceparent"), [own.as_str()]);
    let expected = [
        ("countersign.auth_type", "BEARER"),
        ("countersign.connection", "slow"),
        ("countersign.provider", "slow"),
        ("http.request.method", "GET"),
        ("http.response.status_code", "200"),
        ("http.route", "/proxy/{path}"),
        ("request_id", "r-42"),
    ];
    assert_eq!(attributes(&root.attributes), expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    let [plugin] = named(&spans, "plugin")[..] else { panic!("{spans:?}") };
    assert_eq!(plugin.parent_span_id, root.span_id);
    let expected = [("countersign.plugin".to_owned(), "bearer".to_owned())];
    assert_eq!(attributes(&plugin.attributes), expected);
    let [upstream] = named(&spans, "upstream")[..] else { panic!("{spans:?}") };
    assert_eq!(upstream.parent_span_id, root.span_id);
    assert_eq!(upstream.kind(), SpanKind::Client);
    let expected = [("http.response.status_code".to_owned(), "200".to_owned())];
    assert_eq!(attributes(&upstream.attributes), expected);
    assert_eq!(spans.len(), 3, "{spans:?}");

    for (_, span) in collector.spans() {
        let ours = ["plugin", "upstream", "POST /oauth/token", PROXIED];
        assert!(ours.contains(&&*span.name), "{}", span.name);
        assert!(span.events.is_empty() && span.links.is_empty() && span.trace_state.is_empty());
    }
    let bytes = String::from_utf8_lossy(&collector.bytes()).into_owned();
    assert!(!bytes.contains("canary"), "{bytes}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_begins_where_the_caller_has_none_and_tells_how_requests_ended() {
    let collector = Collector::start().await;
    let endpoint = format!("traces.endpoint={}", collector.url());
    let scene = Scene::new(&["--set", &endpoint, "--set", "traces.service_name=gw"], &[]).await;
    let torn = [("traceparent", "00-canary-canary-01"), ("tracestate", "other=1")];
    let nobody = [("connection_name", "canary-connection")];
    let none = [("traceparent", "")];
    let cases: [Case<'_>; 5] = [
        ("/v1", &[], 200, "", false),
        ("/v1", &torn, 200, "", false),
        ("/404", &none, 404, "", false),
        ("/503", &[], 503, "503", true),
        ("/v1", &nobody, 404, "not_found", false),
    ];
    let mut parents = Vec::new();
    for (path, headers, status, ..) in &cases {
        let (got_status, got) = scene.proxied(path, headers).await;
        assert_eq!(got_status, *status, "{path}");
        assert_eq!(all(&got, "tracestate"), [""; 0]);
        parents.push(all(&got, "traceparent").concat());
    }
    let health = format!("{}/healthz", scene.process.url());
    assert_eq!(reqwest::get(health).await.unwrap().status(), 200);
    assert_eq!(scene.process.stop().code, Some(0));

    let (resources, spans): (Vec<_>, Vec<Span>) = collector.spans().into_iter().unzip();
    let service = ("service.name".to_owned(), "gw".to_owned());
    assert!(resources.iter().all(|it| attributes(&it.attributes).contains(&service)));
    let mut roots = named(&spans, PROXIED);
    roots.sort_by_key(|span| span.start_time_unix_nano);
    assert_eq!(roots.len(), cases.len());
    for ((root, parent), (path, _, status, error, failed)) in roots.iter().zip(parents).zip(&cases)
    {
        assert!(root.parent_span_id.is_empty(), "{path}");
        let attributes = attributes(&root.attributes);
        let of = |name: &str| {
            let found = attributes.iter().find(|(key, _)| key == name);
            found.map_or("", |(_, value)| value.as_str()).to_owned()
        };
        assert_eq!(of("http.response.status_code"), status.to_string(), "{path}");
        assert_eq!(of("error.type"), *error, "{path}");
        let is_error = root.status.as_ref().is_some_and(|it| it.code() == StatusCode::Error);
        assert_eq!(is_error, *failed, "{path}");
        if *error != "not_found" {
            let own = format!("00-{}-{}-01", hex(&root.trace_id), hex(&root.span_id));
            assert_eq!(parent, own, "{path}");
        }
    }
    assert!(!spans.iter().any(|span| span.name.contains("health") || span.name == "request"));
    let bytes = String::from_utf8_lossy(&collector.bytes()).into_owned();
    assert!(!bytes.contains("canary"), "{bytes}");
}

/// There is no other thread that could send it while the server waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_at_the_end_is_sent_though_the_server_has_one_thread() {
    let collector = Collector::start().await;
    let endpoint = format!("traces.endpoint={}", collector.url());
    let scene = Scene::new(&["--set", &endpoint, "--set", "threads=1"], &[]).await;
    assert_eq!(scene.proxied("/v1", &[("traceparent", CALLERS)]).await.0, 200);
    let ended = scene.process.stop();
    assert_eq!(ended.code, Some(0));
    assert!(!ended.err.contains("the last traces did not reach"), "{}", ended.err);
    assert!(collector.spans().iter().any(|(_, span)| hex(&span.trace_id) == TRACE));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_kept_is_not_exported_and_upstreams_are_told_so() {
    let collector = Collector::start().await;
    let endpoint = format!("traces.endpoint={}", collector.url());
    let scene = Scene::new(&["--set", &endpoint, "--set", "traces.sample=0"], &[]).await;
    let unsampled = format!("00-{TRACE}-{PARENT}-00");
    let (_, got) = scene.proxied("/v1", &[("traceparent", &unsampled)]).await;
    let [told] = all(&got, "traceparent")[..] else { panic!("{got:?}") };
    assert!(told.starts_with(&format!("00-{TRACE}-")) && told.ends_with("-00"), "{told}");
    assert!(!told.contains(PARENT));
    let (_, got) = scene.proxied("/v1", &[]).await;
    assert!(all(&got, "traceparent").concat().ends_with("-00"), "{got:?}");
    // The caller keeps this one.
    scene.proxied("/v1", &[("traceparent", CALLERS)]).await;
    assert_eq!(scene.process.stop().code, Some(0));
    let spans = collector.spans();
    assert!(!spans.is_empty());
    for (_, span) in spans {
        assert_eq!(hex(&span.trace_id), TRACE);
        assert_eq!(span.name == PROXIED, hex(&span.parent_span_id) == PARENT);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_collector_nothing_is_exported_and_headers_pass_as_they_are() {
    let collector = Collector::start().await;
    // Of a sidecar's environment, and not our configuration.
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())];
    let scene = Scene::new(&["--log", "trace"], &variables).await;
    let headers = [("traceparent", CALLERS), ("tracestate", "a=b"), ("baggage", "k=v")];
    let (_, got) = scene.proxied("/v1", &headers).await;
    for (name, value) in headers {
        assert_eq!(all(&got, name), [value]);
    }
    let torn = [("traceparent", "torn"), ("tracestate", "a=b")];
    let (_, got) = scene.proxied("/v1", &torn).await;
    for (name, value) in torn {
        assert_eq!(all(&got, name), [value]);
    }
    assert_eq!(scene.process.stop().code, Some(0));
    assert!(collector.bytes().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_hangs_or_is_away_holds_up_neither_requests_nor_the_end() {
    let hanging = Collector::hanging().await;
    let away = "http://127.0.0.1:1".to_owned();
    for url in [hanging.url().to_owned(), away] {
        let endpoint = format!("traces.endpoint={url}");
        let more = ["--set", &endpoint, "--set", "traces.timeout=1s"];
        let mut scene = Scene::new(&more, &[]).await;
        for _ in 0..20 {
            assert_eq!(scene.proxied("/v1", &[]).await.0, 200);
        }
        scene.process.logs("traces do not reach the collector");
        // Said once, however many batches there are.
        assert_eq!(scene.proxied("/v1", &[]).await.0, 200);
        let began = Instant::now();
        let ended = scene.process.stop();
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        // A busy machine needs some of it for itself.
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        assert_eq!(ended.err.matches("traces do not reach the collector").count(), 1);
    }
}

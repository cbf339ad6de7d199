//! Collectors of traces on loopback: one that keeps whatever it is sent, and one that hangs.

use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use prost::bytes::Bytes;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Ends when dropped.
pub(crate) struct Collector {
    url: String,
    /// Each with its path and what kind of body it said to be.
    taken: Arc<Mutex<Vec<(String, String, Bytes)>>>,
    task: JoinHandle<()>,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let taken = Arc::<Mutex<Vec<_>>>::default();
        let kept = Arc::clone(&taken);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                let service = service_fn(move |request: Request<Incoming>| {
                    let kept = Arc::clone(&kept);
                    async move {
                        let (head, body) = request.into_parts();
                        let kind = head.headers.get("content-type");
                        let kind = kind.map_or("", |it| it.to_str().unwrap()).to_owned();
                        let body = body.collect().await?.to_bytes();
                        kept.lock().unwrap().push((head.uri.path().to_owned(), kind, body));
                        Ok::<_, hyper::Error>(Response::new(Empty::<Bytes>::new()))
                    }
                });
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { url, taken, task }
    }

    /// One that takes connections and says nothing.
    pub(crate) async fn hanging() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                held.push(stream);
            }
        });
        Self { url, taken: Arc::default(), task }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// All that it was sent, byte for byte.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.taken.lock().unwrap().iter().flat_map(|(_, _, body)| body.to_vec()).collect()
    }

    /// The spans, with who made them.
    pub(crate) fn spans(&self) -> Vec<(Resource, Span)> {
        let mut spans = Vec::new();
        for (path, kind, body) in &*self.taken.lock().unwrap() {
            assert_eq!((&**path, &**kind), ("/v1/traces", "application/x-protobuf"));
            for of_one in ExportTraceServiceRequest::decode(body.clone()).unwrap().resource_spans {
                let resource = of_one.resource.unwrap();
                let scopes = of_one.scope_spans.into_iter();
                let all = scopes.flat_map(|scope| scope.spans);
                spans.extend(all.map(|span| (resource.clone(), span)));
            }
        }
        spans
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The names and values of attributes, in order.
pub(crate) fn attributes(attributes: &[KeyValue]) -> Vec<(String, String)> {
    let mut read: Vec<_> = attributes
        .iter()
        .map(|it| {
            let value = match it.value.as_ref().and_then(|value| value.value.as_ref()) {
                Some(Value::StringValue(text)) => text.clone(),
                Some(Value::IntValue(number)) => number.to_string(),
                other => panic!("{other:?}"),
            };
            (it.key.clone(), value)
        })
        .collect();
    read.sort();
    read
}

/// An id, as headers write it.
pub(crate) fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

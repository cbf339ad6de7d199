//! TLS upstreams under a throw-away authority, HTTP/1.1 and HTTP/2.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use countersign::egress::{Egress, EgressConfig, EgressConfigError, EgressError};
use http::{HeaderMap, HeaderValue, Request, Response, Version};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use crate::{AUTHORITY, config, get};

/// What an upstream speaks, and all that it offers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// Requests as the upstream saw them, and how many of them to turn away as not worked on.
#[derive(Default)]
pub(crate) struct Seen {
    heads: Mutex<Vec<http::request::Parts>>,
    turn_away: AtomicUsize,
}

/// A TLS server for `api.example`, on loopback.
pub(crate) struct TlsUpstream {
    port: u16,
    connections: Arc<Mutex<Vec<AbortHandle>>>,
}

impl TlsUpstream {
    pub(crate) async fn start(protocol: Protocol, seen: Arc<Seen>) -> Self {
        Self::start_with(protocol, move || {
            let seen = Arc::clone(&seen);
            Box::new(move |request| Box::pin(answer(request, Arc::clone(&seen))))
        })
        .await
    }

    /// With another handler for each connection.
    pub(crate) async fn start_with(
        protocol: Protocol,
        handler: impl Fn() -> Handler + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let acceptor = acceptor(protocol);
        let connections = Arc::<Mutex<Vec<_>>>::default();
        let open = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, handler) = (acceptor.clone(), handler());
                let served = tokio::spawn(async move {
                    // A client that does not trust us hangs up here.
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = service_fn(handler);
                    let io = TokioIo::new(stream);
                    let _ = match protocol {
                        Protocol::Http1 => {
                            hyper::server::conn::http1::Builder::new()
                                .serve_connection(io, service)
                                .await
                        }
                        Protocol::Http2 => {
                            hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                                .serve_connection(io, service)
                                .await
                        }
                    };
                });
                open.lock().unwrap().push(served.abort_handle());
            }
        });
        Self { port, connections }
    }

    /// How many there have been.
    pub(crate) fn connections(&self) -> usize {
        self.connections.lock().unwrap().len()
    }

    /// Closes those that are open.
    pub(crate) fn close(&self) {
        self.connections.lock().unwrap().iter().for_each(AbortHandle::abort);
    }

    fn mapped(&self, config: EgressConfig) -> Egress {
        let mapping = format!("api.example:443=127.0.0.1:{}", self.port).parse().unwrap();
        Egress::new(EgressConfig { resolve: vec![mapping], ..config }).unwrap()
    }

    /// An egress that finds and trusts this upstream.
    pub(crate) fn egress(&self) -> Egress {
        self.mapped(config())
    }
}

/// As a payload would name it: no port, no loopback.
pub(crate) fn url(path: &str) -> String {
    format!("https://api.example{path}")
}

fn acceptor(protocol: Protocol) -> TlsAcceptor {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["api.example".to_owned()])
        .unwrap()
        .signed_by(&key, &AUTHORITY.issuer)
        .unwrap();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    config.alpn_protocols = match protocol {
        Protocol::Http1 => vec![b"http/1.1".to_vec()],
        Protocol::Http2 => vec![b"h2".to_vec()],
    };
    TlsAcceptor::from(Arc::new(config))
}

/// What an upstream does with a request.
pub(crate) type Handler = Box<
    dyn Fn(Request<Incoming>) -> Pin<Box<dyn Future<Output = Result<Reply, h2::Error>> + Send>>
        + Send
        + Sync,
>;

pub(crate) type Reply = Response<http_body_util::combinators::BoxBody<Bytes, Infallible>>;

async fn answer(request: Request<Incoming>, seen: Arc<Seen>) -> Result<Reply, h2::Error> {
    let (head, body) = request.into_parts();
    let _ = body.collect().await;
    seen.heads.lock().unwrap().push(head);
    if seen.turn_away.load(Ordering::SeqCst) > 0 {
        seen.turn_away.fetch_sub(1, Ordering::SeqCst);
        return Err(h2::Reason::REFUSED_STREAM.into());
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let frames = [Ok(Frame::data(Bytes::from("hello"))), Ok(Frame::trailers(trailers))];
    let body = StreamBody::new(futures_util::stream::iter(frames));
    Ok(Response::new(BodyExt::boxed(body)))
}

#[tokio::test]
async fn an_upstream_under_a_given_authority_is_reached_and_under_another_it_is_not() {
    let upstream = TlsUpstream::start(Protocol::Http1, Arc::default()).await;
    let reply = upstream.egress().send(get(&url("/"))).await.unwrap();
    assert_eq!(reply.into_body().collect().await.unwrap().to_bytes(), "hello");

    let key = rcgen::KeyPair::generate().unwrap();
    let other = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap().pem();
    let distrustful = EgressConfig { upstream_ca: vec![other.into_bytes()], ..config() };
    let error = upstream.mapped(distrustful).send(get(&url("/"))).await.unwrap_err();
    assert!(matches!(error, EgressError::Tls { .. }), "{error:?}");
    assert!(!error.may_have_been_sent());
}

#[tokio::test]
async fn a_mapping_does_not_change_whose_certificate_is_asked_for() {
    let upstream = TlsUpstream::start(Protocol::Http1, Arc::default()).await;
    let mapping = format!("other.example:443=127.0.0.1:{}", upstream.port).parse().unwrap();
    let egress = Egress::new(EgressConfig { resolve: vec![mapping], ..config() }).unwrap();
    let error = egress.send(get("https://other.example/")).await.unwrap_err();
    assert!(matches!(error, EgressError::Tls { .. }), "{error:?}");
}

#[tokio::test]
async fn http_2_carries_the_same_request_and_the_replys_trailers() {
    let seen = Arc::new(Seen::default());
    let upstream = TlsUpstream::start(Protocol::Http2, Arc::clone(&seen)).await;
    let mut request = get(&url("//a%2Fb?x=%27"));
    request.headers_mut().insert("connection", HeaderValue::from_static("authorization"));
    request.headers_mut().insert("authorization", HeaderValue::from_static("ours"));
    *request.version_mut() = Version::HTTP_10;
    let reply = upstream.egress().send(request).await.unwrap();
    assert_eq!(reply.version(), Version::HTTP_2);
    let whole = reply.into_body().collect().await.unwrap();
    assert_eq!(whole.trailers().unwrap()["grpc-status"], "0");
    assert_eq!(whole.to_bytes(), "hello");
    let heads = seen.heads.lock().unwrap();
    assert_eq!(heads[0].uri.to_string(), "https://api.example//a%2Fb?x=%27");
    assert_eq!(heads[0].headers["authorization"], "ours");
}

#[tokio::test]
async fn what_an_upstream_says_it_has_not_worked_on_is_not_repeated_either() {
    let seen = Arc::new(Seen::default());
    let upstream = TlsUpstream::start(Protocol::Http2, Arc::clone(&seen)).await;
    seen.turn_away.store(1, Ordering::SeqCst);
    let error = upstream.egress().send(get(&url("/"))).await.unwrap_err();
    assert!(matches!(error, EgressError::Protocol { .. }), "{error:?}");
    assert_eq!(seen.heads.lock().unwrap().len(), 1);
}

#[test]
fn a_bundle_without_a_certificate_is_refused_and_named() {
    for bundle in ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
    {
        let broken = EgressConfig {
            upstream_ca: vec![AUTHORITY.pem.clone().into_bytes(), bundle.as_bytes().to_vec()],
            ..config()
        };
        let error = Egress::new(broken).err();
        assert!(
            matches!(
                error,
                Some(EgressConfigError::UpstreamCa { index: 1 } | EgressConfigError::Tls(_))
            ),
            "{bundle:?}: {error:?}"
        );
    }
}

//! Client certificates: each on connections of its own, and nothing on one that is another's.

use std::convert::Infallible;
use std::sync::{Arc, LazyLock, Mutex};

use bytes::Bytes;
use countersign::egress::{
    ClientCertificate, Egress, EgressConfig, EgressError, OwnConnection, Route, Tunnel, WebSocket,
};
use countersign::secret::Secret;
use http::{Request, Response, StatusCode, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{
    ALL_VERSIONS, HandshakeKind, RootCertStore, ServerConfig, SupportedProtocolVersion, version,
};

use crate::tls::url;
use crate::upstream::{EMPTY, Recorder, Then};
use crate::{AUTHORITY, SOON, config, egress, get};

/// Whose certificates the upstream takes.
static CLIENTS: LazyLock<(rcgen::Certificate, rcgen::Issuer<'static, rcgen::KeyPair>)> =
    LazyLock::new(authority);

fn authority() -> (rcgen::Certificate, rcgen::Issuer<'static, rcgen::KeyPair>) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    (params.self_signed(&key).unwrap(), rcgen::Issuer::new(params, key))
}

/// A certificate in that name, for that holder.
fn certificate(issuer: &rcgen::Issuer<'static, rcgen::KeyPair>, name: &str) -> ClientCertificate {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    let chain = params.signed_by(&key, issuer).unwrap().pem();
    let (chain, key) = (Secret::new(chain), Secret::new(key.serialize_pem()));
    ClientCertificate::parse(["c", "k"], &chain, &key, &[name]).unwrap()
}

fn of(name: &str) -> ClientCertificate {
    certificate(&CLIENTS.1, name)
}

fn with(certificate: &ClientCertificate) -> Route {
    Route::default().with(certificate.clone())
}

/// Who has shaken hands, connection by connection.
struct Upstream {
    port: u16,
    names: Arc<Mutex<Vec<String>>>,
    /// Whether each of them took up a session.
    resumed: Arc<Mutex<Vec<bool>>>,
    open: Arc<Mutex<Vec<AbortHandle>>>,
}

impl Upstream {
    /// Answers with the name that the connection's certificate is in.
    async fn start(versions: &[&'static SupportedProtocolVersion], protocol: &[u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let acceptor = acceptor(versions, protocol);
        let names = Arc::<Mutex<Vec<_>>>::default();
        let open = Arc::<Mutex<Vec<AbortHandle>>>::default();
        let resumed = Arc::<Mutex<Vec<_>>>::default();
        let (noted, handles) = (Arc::clone(&names), Arc::clone(&open));
        let kinds = Arc::clone(&resumed);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, noted) = (acceptor.clone(), Arc::clone(&noted));
                let kinds = Arc::clone(&kinds);
                let served = tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let peer = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
                    let name = name_in(&peer);
                    noted.lock().unwrap().push(name.clone());
                    let kind = stream.get_ref().1.handshake_kind();
                    kinds.lock().unwrap().push(kind == Some(HandshakeKind::Resumed));
                    let service = service_fn(move |request| {
                        let name = name.clone();
                        async move { Ok::<_, Infallible>(answer(request, name)) }
                    });
                    let _ = auto::Builder::new(TokioExecutor::new())
                        .serve_connection_with_upgrades(TokioIo::new(stream), service)
                        .await;
                });
                handles.lock().unwrap().push(served.abort_handle());
            }
        });
        Self { port, names, resumed, open }
    }

    fn egress(&self) -> Egress {
        let mapping = format!("api.example:443=127.0.0.1:{}", self.port).parse().unwrap();
        Egress::new(EgressConfig { resolve: vec![mapping], ..config() }).unwrap()
    }

    fn names(&self) -> Vec<String> {
        self.names.lock().unwrap().clone()
    }
}

/// The one DNS name, as it stands in the certificate.
fn name_in(certificate: &[u8]) -> String {
    let text = String::from_utf8_lossy(certificate);
    let at = text.find("client-").unwrap();
    text[at..].chars().take("client-a".len()).collect()
}

fn answer(mut request: Request<hyper::body::Incoming>, name: String) -> Response<Full<Bytes>> {
    if !request.headers().contains_key("upgrade") {
        return Response::new(Full::from(name));
    }
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut io = TokioIo::new(upgrade.await.unwrap());
        io.write_all(name.as_bytes()).await.unwrap();
        io.shutdown().await.unwrap();
    });
    Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header("upgrade", "websocket")
        .header("connection", "upgrade")
        .header("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        .body(Full::default())
        .unwrap()
}

fn acceptor(versions: &[&'static SupportedProtocolVersion], protocol: &[u8]) -> TlsAcceptor {
    let key = rcgen::KeyPair::generate().unwrap();
    let names = ["api.example", "login.example"].map(str::to_owned);
    let certificate =
        rcgen::CertificateParams::new(names).unwrap().signed_by(&key, &AUTHORITY.issuer).unwrap();
    let mut clients = RootCertStore::empty();
    clients.add(CLIENTS.0.der().clone()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(clients), Arc::clone(&provider));
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![protocol.to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

async fn whole(egress: &Egress, route: Route) -> Result<(Version, Bytes), EgressError> {
    whole_from(egress, route, &url("/")).await
}

async fn whole_from(
    egress: &Egress,
    route: Route,
    url: &str,
) -> Result<(Version, Bytes), EgressError> {
    let reply = egress.send_by(route, get(url)).await?;
    Ok((reply.version(), reply.into_body().collect().await?.to_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_request_comes_with_its_own_certificate_whoever_else_sends() {
    for (protocol, version) in [(&b"h2"[..], Version::HTTP_2), (b"http/1.1", Version::HTTP_11)] {
        let upstream = Upstream::start(ALL_VERSIONS, protocol).await;
        let egress = upstream.egress();
        let certificates = ["client-a", "client-b"].map(|name| (name, of(name)));
        for (name, certificate) in &certificates {
            assert_eq!(whole(&egress, with(certificate)).await.unwrap().1, name);
        }
        let mut requests = JoinSet::new();
        for nth in 0..50 {
            let (egress, (name, certificate)) = (egress.clone(), certificates[nth % 2].clone());
            requests.spawn(async move {
                let answered = whole(&egress, with(&certificate)).await.unwrap();
                assert_eq!(answered, (version, Bytes::from(name)));
            });
        }
        requests.join_all().await;
        let before = upstream.names().len();
        // The connection that each has takes as many requests at once as HTTP/2 does.
        assert!(version == Version::HTTP_11 || before == 2, "{before} connections");
        // What is there is used again, each by its own.
        for (name, certificate) in &certificates {
            assert_eq!(whole(&egress, with(certificate)).await.unwrap().1, name);
        }
        assert_eq!(upstream.names().len(), before);
    }
}

#[tokio::test]
async fn without_a_certificate_or_with_another_authoritys_no_request_is_served() {
    let upstream = Upstream::start(ALL_VERSIONS, b"http/1.1").await;
    let egress = upstream.egress();
    assert_eq!(whole(&egress, with(&of("client-a"))).await.unwrap().1, "client-a");
    let stranger = certificate(&authority().1, "client-a");
    for route in [Route::default(), with(&stranger)] {
        let error = whole(&egress, route).await.unwrap_err();
        // In TLS 1.3 the server looks at it once the handshake has ended for the client.
        assert!(matches!(error, EgressError::Tls { .. } | EgressError::Closed { .. }), "{error:?}");
    }
    assert_eq!(upstream.names(), ["client-a"]);
}

/// A session that is taken up again counts as the certificate that it began with.
#[tokio::test]
async fn a_session_is_not_taken_up_again_with_another_certificate() {
    for versions in [&[&version::TLS12][..], &[&version::TLS13]] {
        let upstream = Upstream::start(versions, b"http/1.1").await;
        let egress = upstream.egress();
        let certificates = ["client-a", "client-b"].map(|name| (name, of(name)));
        for (name, certificate) in [&certificates[..], &certificates].concat() {
            assert_eq!(whole(&egress, with(&certificate)).await.unwrap().1, name);
            // The next one has to shake hands.
            upstream.open.lock().unwrap().drain(..).for_each(|it| it.abort());
        }
        // One that nobody has heard of has nothing to take up.
        assert!(whole(&egress, Route::default()).await.is_err());
    }
}

#[tokio::test]
async fn sessions_are_taken_up_again_with_the_api_and_with_the_server_of_its_tokens() {
    for versions in [&[&version::TLS12][..], &[&version::TLS13]] {
        let upstreams = [
            Upstream::start(versions, b"http/1.1").await,
            Upstream::start(versions, b"http/1.1").await,
        ];
        let hosts = ["api.example", "login.example"];
        let mapping = |nth: usize| format!("{}:443=127.0.0.1:{}", hosts[nth], upstreams[nth].port);
        let resolve = [0, 1].map(|nth| mapping(nth).parse().unwrap()).into();
        let egress = Egress::new(EgressConfig { resolve, ..config() }).unwrap();
        let a = of("client-a");
        for _ in 0..2 {
            for (host, upstream) in hosts.iter().zip(&upstreams) {
                whole_from(&egress, with(&a), &format!("https://{host}/")).await.unwrap();
                upstream.open.lock().unwrap().drain(..).for_each(|it| it.abort());
            }
        }
        for upstream in &upstreams {
            assert_eq!(*upstream.resumed.lock().unwrap(), [false, true]);
        }
    }
}

#[tokio::test]
async fn no_certificate_goes_with_a_request_that_is_not_encrypted() {
    let upstream = Recorder::start(EMPTY, Then::KeepOpen).await;
    for route in [with(&of("client-a")), with(&of("client-a")).on(OwnConnection::default())] {
        let error = egress().send_by(route, get(&upstream.url("/"))).await.unwrap_err();
        assert!(matches!(error, EgressError::CertificateWithoutTls { .. }), "{error:?}");
        assert_eq!((error.kind().as_str(), error.may_have_been_sent()), ("target_refused", false));
    }
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn a_connection_of_its_own_is_one_certificates_too() {
    let upstream = Upstream::start(ALL_VERSIONS, b"http/1.1").await;
    let (egress, own) = (upstream.egress(), OwnConnection::default());
    let (a, b) = (of("client-a"), of("client-b"));
    for (certificate, name) in [(&a, "client-a"), (&a, "client-a"), (&b, "client-b")] {
        let answered = whole(&egress, with(certificate).on(own.clone())).await.unwrap();
        assert_eq!(answered.1, name);
    }
    assert_eq!(upstream.names(), ["client-a", "client-b"]);
    // Nor is it in the pool of that certificate.
    whole(&egress, with(&b)).await.unwrap();
    assert_eq!(upstream.names().len(), 3);
}

#[tokio::test]
async fn a_websocket_is_opened_with_it() {
    let upstream = Upstream::start(ALL_VERSIONS, b"http/1.1").await;
    let (a, own) = (of("client-a"), OwnConnection::default());
    for route in [with(&a), with(&a).on(own)] {
        let request = Request::get(url("/"))
            .header("upgrade", "websocket")
            .header("connection", "Upgrade")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("sec-websocket-version", "13")
            .body(Full::<Bytes>::default())
            .unwrap();
        let (mut parts, body) = request.into_parts();
        let websocket = WebSocket::of(&parts).unwrap().unwrap();
        parts.extensions.insert(websocket);
        let request = Request::from_parts(parts, body);
        let mut reply = upstream.egress().send_by(route, request).await.unwrap();
        assert_eq!(reply.status(), StatusCode::SWITCHING_PROTOCOLS);
        let mut said = String::new();
        Tunnel::take(&mut reply).unwrap().read_to_string(&mut said).await.unwrap();
        assert_eq!(said, "client-a");
    }
}

#[tokio::test]
async fn a_fetch_goes_out_with_it() {
    let upstream = Upstream::start(ALL_VERSIONS, b"h2").await;
    let request = Request::get(url("/")).body(Bytes::new()).unwrap();
    let fetched = upstream.egress().fetch_by(with(&of("client-a")), request, 100, SOON).await;
    assert_eq!(fetched.unwrap().into_body(), "client-a");
}

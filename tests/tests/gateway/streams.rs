//! HTTP/2 with trailers on both sides, as a gRPC upstream needs it.

use std::sync::Arc;

use bytes::Bytes;
use countersign::Egress;
use countersign::egress::EgressConfig;
use countersign_gateway::Settings;
use http::{HeaderMap, Request, Response, Version};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::scene::{Scene, bearer};

/// Over TLS, HTTP/2 alone: answers with the request's trailers among its own.
async fn upstream() -> (Egress, tokio::task::JoinHandle<()>) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["api.test".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
    let mut config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key.into())
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let tls = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let running = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let stream = TokioIo::new(tls.accept(stream).await.unwrap());
            let service = hyper::service::service_fn(echo);
            let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(builder.serve_connection(stream, service));
        }
    });
    let config = EgressConfig {
        resolve: vec![format!("api.test:443={address}").parse().unwrap()],
        upstream_ca: vec![cert.pem().into_bytes()],
        ..EgressConfig::default()
    };
    (Egress::new(config).unwrap(), running)
}

type Frames =
    StreamBody<futures_util::stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, hyper::Error>>>>;

async fn echo(request: Request<Incoming>) -> Result<Response<Frames>, hyper::Error> {
    assert_eq!(request.headers()["te"], "trailers");
    let credential = request.headers()["authorization"].clone();
    let collected = request.into_body().collect().await?;
    let mut trailers = collected.trailers().cloned().unwrap_or_default();
    trailers.insert("grpc-status", "0".parse().unwrap());
    for name in ["countersign-error", "countersign-request-id", "alt-svc", "set-cookie"] {
        trailers.insert(name, "evil".parse().unwrap());
    }
    trailers.insert("seen-credential", credential);
    let frames = vec![Ok(Frame::data(collected.to_bytes())), Ok(Frame::trailers(trailers))];
    let mut reply = Response::new(StreamBody::new(futures_util::stream::iter(frames)));
    reply.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    Ok(reply)
}

#[tokio::test]
async fn trailers_pass_both_ways() {
    let (egress, running) = upstream().await;
    let scene =
        Scene::reaching(egress, countersign::Settings::default(), Settings::default()).await;
    scene.provide("api", &bearer("api", "https://api.test")).await;
    scene.account("api", "u1", "canary").await;

    let stream = TokioIo::new(TcpStream::connect(scene.address).await.unwrap());
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let mut trailers = HeaderMap::new();
    for (name, value) in [("checksum", "7"), ("authorization", "Bearer evil"), ("identifier", "u2")]
    {
        trailers.insert(name, value.parse().unwrap());
    }
    let frames: [Result<_, std::convert::Infallible>; 2] =
        [Ok(Frame::data(Bytes::from("\0\0\0\0\x01x"))), Ok(Frame::trailers(trailers))];
    let request = Request::post(scene.url("/proxy/pkg.Service/Method"))
        .version(Version::HTTP_2)
        .header("authorization", format!("Bearer {}", scene.token))
        .header("connection_name", "api")
        .header("identifier", "u1")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(StreamBody::new(futures_util::stream::iter(frames)))
        .unwrap();
    let reply = sender.send_request(request).await.unwrap();
    assert_eq!((reply.status(), reply.version()), (http::StatusCode::OK, Version::HTTP_2));
    let collected = reply.into_body().collect().await.unwrap();
    let trailers = collected.trailers().cloned().unwrap();
    assert_eq!(collected.to_bytes(), "\0\0\0\0\x01x");
    assert_eq!(trailers["grpc-status"], "0");
    assert!(trailers.values().all(|value| value != "evil"), "{trailers:?}");
    assert_eq!(trailers["checksum"], "7");
    assert_eq!(trailers["seen-credential"], "Bearer canary");
    assert!(!trailers.contains_key("authorization") && !trailers.contains_key("te"));
    assert!(!trailers.contains_key("identifier"), "the gateway's own");
    running.abort();
}

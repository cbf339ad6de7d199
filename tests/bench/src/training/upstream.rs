//! Two upstreams: one of HTTP/1.1, and one of TLS that speaks HTTP/2 as well.

use std::convert::Infallible;
use std::sync::Arc;

use anyhow::Result;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A running one, until the runtime ends.
pub(super) struct Upstream {
    scheme: &'static str,
    port: u16,
}

impl Upstream {
    pub(super) async fn plain() -> Result<Self> {
        Self::start(None).await
    }

    /// And the authority that its certificate comes from, as PEM.
    pub(super) async fn secure() -> Result<(Self, String)> {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok((Self::start(Some(TlsAcceptor::from(Arc::new(config)))).await?, cert.pem()))
    }

    pub(super) fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    async fn start(tls: Option<TlsAcceptor>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let scheme = if tls.is_some() { "https" } else { "http" };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Small packets go at once, as those of every server do.
                let _ = stream.set_nodelay(true);
                let tls = tls.clone();
                tokio::spawn(async move {
                    let server = auto::Builder::new(TokioExecutor::new());
                    // How a connection ends is the gateway's to choose.
                    match tls {
                        None => {
                            let stream = TokioIo::new(stream);
                            let _ = server.serve_connection(stream, service_fn(answer)).await;
                        }
                        Some(tls) => {
                            let Ok(stream) = tls.accept(stream).await else { return };
                            let stream = TokioIo::new(stream);
                            let _ = server.serve_connection(stream, service_fn(answer)).await;
                        }
                    }
                });
            }
        });
        Ok(Self { scheme, port })
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    // One that breaks off is answered all the same: nobody waits for it.
    let _ = body.collect().await;
    let (status, length) = match parts.uri.path() {
        "/v1/missing" => (404, 20),
        "/v1/large" => (200, 100_000),
        _ => (200, 500),
    };
    let mut reply = Response::new(Full::from(format!("{{\"it\":\"{}\"}}", "x".repeat(length))));
    *reply.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    let json = http::HeaderValue::from_static("application/json");
    reply.headers_mut().insert(http::header::CONTENT_TYPE, json);
    Ok(reply)
}

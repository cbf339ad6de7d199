//! A local HTTPS server that answers with what it received.
//!
//! It listens on loopback under a certificate of a throw-away authority of its own, made at start
//! and kept in memory only. It serves every host name that it is given, so that untouched provider
//! payloads can be sent to it over TLS.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context as _;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Collected, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A running server. Ends when dropped.
pub struct Upstream {
    address: SocketAddr,
    authority: String,
    task: JoinHandle<()>,
}

impl Upstream {
    /// Starts a server for these host names that answers by `answer`.
    pub async fn start<A, F>(hosts: &[&str], answer: A) -> anyhow::Result<Self>
    where
        A: Fn(Request<Bytes>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
    {
        let (config, authority) = certificates(hosts).context("making certificates")?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, answer) = (acceptor.clone(), answer.clone());
                tokio::spawn(async move {
                    // A client that does not trust us, or goes away, is no concern of the others.
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = service_fn(move |request: Request<Incoming>| {
                        let answer = answer.clone();
                        async move {
                            let (parts, body) = request.into_parts();
                            let body =
                                body.collect().await.map(Collected::to_bytes).unwrap_or_default();
                            let reply = answer(Request::from_parts(parts, body)).await;
                            Ok::<_, Infallible>(reply)
                        }
                    });
                    let connection =
                        hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Ok(Self { address, authority, task })
    }

    /// A server that answers 200 with [`echo`].
    pub async fn echo(hosts: &[&str]) -> anyhow::Result<Self> {
        Self::start(hosts, |request| async move { echo(&request) }).await
    }

    /// Where it listens, on loopback.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of its authority, as PEM.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The request as JSON: `method`, `url` (path and query), `headers` as a list of pairs, `body`.
pub fn echo(request: &Request<Bytes>) -> Response<Full<Bytes>> {
    let headers: Vec<_> = request
        .headers()
        .iter()
        .map(|(name, value)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let authority = request.uri().authority().map(ToString::to_string);
    let json = serde_json::json!({
        "method": request.method().as_str(),
        "url": request.uri().path_and_query().map(ToString::to_string),
        "authority": authority,
        "headers": headers,
        "body": String::from_utf8_lossy(request.body()),
    });
    let mut response = Response::new(Full::new(Bytes::from(json.to_string())));
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}

fn certificates(hosts: &[&str]) -> anyhow::Result<(rustls::ServerConfig, String)> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let names: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
    let certificate = CertificateParams::new(names)?.signed_by(&key, &authority)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((config, authority.pem()))
}

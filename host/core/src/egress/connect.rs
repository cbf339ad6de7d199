//! From an origin to a connection that requests can be sent on: dialled, and with TLS where the
//! scheme is `https`, all within one time limit.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

use super::dial::Dial;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What is offered to a server over TLS (RFC 7301). Without TLS it is HTTP/1.1.
#[derive(Clone, Copy)]
pub(super) enum Protocols {
    /// HTTP/2 and HTTP/1.1, as the server likes.
    All,
    Http1,
}

impl Protocols {
    fn names(self) -> &'static [&'static [u8]] {
        match self {
            Self::All => &[b"h2", b"http/1.1"],
            Self::Http1 => &[b"http/1.1"],
        }
    }
}

/// Connects.
#[derive(Clone)]
pub(super) struct Connector {
    https: HttpsConnector<Dial>,
    longest: Duration,
}

/// Connecting took too long.
#[derive(Debug, thiserror::Error)]
#[error("connecting took longer than {0:?}")]
pub(super) struct TooSlow(pub(super) Duration);

impl Connector {
    /// Which schemes may be used was decided where the destination was made.
    pub(super) fn new(
        dial: Dial,
        mut tls: ClientConfig,
        protocols: Protocols,
        longest: Duration,
    ) -> Self {
        tls.alpn_protocols = protocols.names().iter().map(|name| name.to_vec()).collect();
        Self { https: HttpsConnector::from((dial, tls)), longest }
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, origin: Uri) -> Self::Future {
        let longest = self.longest;
        let connecting = timeout(longest, self.https.call(origin));
        Box::pin(async move { connecting.await.map_err(|_| TooSlow(longest))? })
    }
}

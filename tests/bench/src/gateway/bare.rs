//! A proxy that does nothing but forward, made of what the gateway is made of: hyper towards the
//! caller, hyper-util's client towards the upstream, and a map of headers in memory. What it costs is what the
//! gateway cannot go below on these libraries; what the gateway costs beyond it is the gateway's own.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};

/// What it is told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The upstream's port
    #[arg(long)]
    upstream: u16,
    /// How many accounts there are
    #[arg(long)]
    accounts: usize,
}

struct Bare {
    http: Client<HttpConnector, Incoming>,
    upstream: String,
    credentials: HashMap<String, HeaderValue>,
}

/// Forwards until it is killed.
pub(crate) fn run(options: &Options) -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(serve(options))
}

async fn serve(options: &Options) -> Result<()> {
    let credential = |nth| {
        let value = HeaderValue::try_from(format!("Bearer token-{nth}"))?;
        anyhow::Ok((format!("user-{nth}"), value))
    };
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let bare = Arc::new(Bare {
        http: Client::builder(TokioExecutor::new()).build(connector),
        upstream: format!("http://127.0.0.1:{}", options.upstream),
        credentials: (0..options.accounts).map(credential).collect::<Result<_>>()?,
    });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    crate::say(&format!("listening on {}", listener.local_addr()?));
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(Arc::clone(&bare).connection(stream));
    }
}

impl Bare {
    async fn connection(self: Arc<Self>, stream: TcpStream) {
        let service = service_fn(|request| self.forward(request));
        let connection = hyper::server::conn::http1::Builder::new();
        // The load closes its connections as it likes.
        let _ = connection.serve_connection(TokioIo::new(stream), service).await;
    }

    async fn forward(&self, request: Request<Incoming>) -> Result<Response<Incoming>> {
        let (mut parts, body) = request.into_parts();
        let account = parts.headers.remove("identifier").context("whose?")?;
        let credential = self.credentials.get(account.to_str()?).context("whose?")?;
        parts.headers.insert(AUTHORIZATION, credential.clone());
        parts.headers.remove("connection_name");
        parts.headers.remove(HOST);
        let path = parts.uri.path_and_query().context("a path")?.as_str();
        let path = path.strip_prefix("/proxy").context("a path below /proxy")?;
        parts.uri = [&self.upstream, path].concat().parse()?;
        Ok(self.http.request(Request::from_parts(parts, body)).await?)
    }
}

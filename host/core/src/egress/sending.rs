//! A request that a client has, until the head of its reply is here.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::Response;
use hyper::body::Incoming;
use hyper_util::client::legacy::ResponseFuture;
use tokio::time::timeout_at;
use tracing::Span;

use super::error::{EgressError, Phase};
use super::outgoing::Progress;
use super::websocket::WebSocket;

/// Dropping it ends the exchange.
pub(crate) struct Sending {
    pub(super) by: By,
    pub(super) host: Arc<str>,
    pub(super) progress: Progress,
    /// What it asks for beside an answer.
    pub(super) websocket: Option<WebSocket>,
    /// The step of the request's trace that it is.
    pub(super) span: Span,
}

/// Over which connection it goes.
pub(super) enum By {
    /// One of a pool, or of HTTP/2: one that others use as well.
    Pool(ResponseFuture),
    /// One that nobody else uses.
    Own(Pin<Box<dyn Future<Output = Result<Response<Incoming>, EgressError>> + Send>>),
}

impl Sending {
    /// Waits for the head of the reply for as long as the request's body moves, and so long after.
    pub(super) async fn first_byte(
        &mut self,
        longest: Duration,
    ) -> Result<Response<Incoming>, EgressError> {
        loop {
            let last = self.progress.last();
            match timeout_at(last + longest, self.by.reply(&self.host)).await {
                Ok(reply) => return reply,
                Err(_) if self.progress.last() > last => {}
                Err(_) => {
                    let (host, after) = (Arc::clone(&self.host), Some(longest));
                    return Err(EgressError::TimedOut { host, after, phase: Phase::FirstByte });
                }
            }
        }
    }
}

impl By {
    /// May be dropped and waited for anew, until it is ready.
    async fn reply(&mut self, host: &Arc<str>) -> Result<Response<Incoming>, EgressError> {
        match self {
            Self::Pool(sent) => sent.await.map_err(|error| EgressError::from_client(&error, host)),
            Self::Own(sent) => sent.await,
        }
    }
}

//! The reply's body on its way back: every frame as it comes, trailers too, and an end to silence.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use super::error::{EgressError, Phase};
use super::headers::settle_trailers;
use super::outgoing::Progress;

/// The body of a reply, streamed. Dropping it ends the exchange.
pub struct ReplyBody {
    /// `None` where the connection has left HTTP.
    body: Option<Incoming>,
    host: Arc<str>,
    idle: Duration,
    /// Set while a frame is waited for. A caller that is slow to ask is not the upstream's fault.
    alarm: Option<Pin<Box<Sleep>>>,
    /// An upstream that still takes the request's body is not silent.
    upload: Progress,
}

impl ReplyBody {
    pub(super) fn new(
        body: Option<Incoming>,
        host: Arc<str>,
        idle: Duration,
        upload: Progress,
    ) -> Self {
        Self { body, host, idle, alarm: None, upload }
    }

    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let idle = self.idle;
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + idle)));
        while alarm.as_mut().poll(cx).is_ready() {
            let uploading_until = self.upload.last() + idle;
            if uploading_until <= Instant::now() {
                return Poll::Ready(());
            }
            alarm.as_mut().reset(uploading_until);
        }
        Poll::Pending
    }
}

impl std::fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReplyBody").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = EgressError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, EgressError>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        match Pin::new(body).poll_frame(cx) {
            Poll::Ready(frame) => {
                this.alarm = None;
                Poll::Ready(frame.map(|frame| match frame {
                    Ok(mut frame) => {
                        if let Some(trailers) = frame.trailers_mut() {
                            settle_trailers(trailers);
                        }
                        Ok(frame)
                    }
                    Err(error) => Err(EgressError::from_body(&error, &this.host)),
                }))
            }
            Poll::Pending => this.poll_alarm(cx).map(|()| {
                let (host, after) = (Arc::clone(&this.host), Some(this.idle));
                Some(Err(EgressError::TimedOut { host, after, phase: Phase::Idle }))
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

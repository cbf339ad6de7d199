//! Whether anybody is still at the other end of a connection, and reads.
//!
//! The protocols' own limits do not tell: an HTTP/2 client that only answers pings is alive, and one
//! that takes nothing of a reply makes no time pass for whoever waits to write it. So a connection
//! notes its requests and what is taken of its replies; one on which no request has been under way for
//! long enough is ended in order, and one whose peer has let a reply lie for too long is dropped.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use countersign::body::BodyError;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use super::Bounds;
use crate::answer::AnswerBody;

/// Nothing is waited for from the peer.
const NEVER: u64 = u64::MAX;

/// What is noted of one connection.
pub(super) struct Watch {
    bounds: Bounds,
    began: Instant,
    under_way: Mutex<UnderWay>,
}

struct UnderWay {
    /// When there was last a request, in milliseconds.
    last: u64,
    /// Since when the peer has let what it was given lie, for each request: one, or as many as
    /// there are streams.
    replies: Vec<Arc<AtomicU64>>,
}

/// What is to become of a connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has been of no use for long enough.
    Idle,
    /// Its peer takes nothing.
    Stalled,
}

/// One request of a connection, from its head to the end of its reply.
pub(super) struct Request {
    watch: Arc<Watch>,
    since: Arc<AtomicU64>,
}

impl Watch {
    pub(super) fn new(bounds: Bounds) -> Arc<Self> {
        let under_way = UnderWay { last: 0, replies: Vec::new() };
        Arc::new(Self { bounds, began: Instant::now(), under_way: Mutex::new(under_way) })
    }

    /// One request more.
    pub(super) fn request(self: &Arc<Self>) -> Request {
        let since = Arc::new(AtomicU64::new(NEVER));
        self.lock().replies.push(Arc::clone(&since));
        Request { watch: Arc::clone(self), since }
    }

    /// Ends where the connection is to.
    pub(super) async fn verdict(&self) -> Verdict {
        loop {
            tokio::time::sleep(self.bounds.stalled / 4).await;
            if let Some(verdict) = self.judge() {
                return verdict;
            }
        }
    }

    fn judge(&self) -> Option<Verdict> {
        let (now, under_way) = (self.now(), self.lock());
        let Bounds { idle, stalled, .. } = self.bounds;
        let longer =
            |since: u64, most: Duration| u128::from(now.saturating_sub(since)) >= most.as_millis();
        let lies = |since: &Arc<AtomicU64>| longer(since.load(Ordering::Relaxed), stalled);
        if under_way.replies.iter().any(lies) {
            return Some(Verdict::Stalled);
        }
        let idle = under_way.replies.is_empty() && longer(under_way.last, idle);
        idle.then_some(Verdict::Idle)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(NEVER - 1)
    }

    fn lock(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Request {
    /// Its reply, from now on.
    pub(super) fn reply(self, body: AnswerBody) -> Reply {
        self.since.store(self.watch.now(), Ordering::Relaxed);
        Reply { body, request: self }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        let now = self.watch.now();
        let mut under_way = self.watch.lock();
        let mut replies = under_way.replies.iter();
        if let Some(own) = replies.position(|since| Arc::ptr_eq(since, &self.since)) {
            under_way.replies.swap_remove(own);
        }
        under_way.last = now;
    }
}

/// A reply that notes what is taken of it.
pub(super) struct Reply {
    body: AnswerBody,
    request: Request,
}

impl Body for Reply {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        // Where there is nothing to take it is the upstream that is waited for.
        let since = if polled.is_pending() { NEVER } else { self.request.watch.now() };
        self.request.since.store(since, Ordering::Relaxed);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use http_body_util::{BodyExt as _, Full, StreamBody};

    use super::*;

    const IDLE: Duration = Duration::from_mins(5);
    const STALLED: Duration = Duration::from_mins(2);

    fn watch() -> Arc<Watch> {
        Watch::new(Bounds { idle: IDLE, stalled: STALLED, ..Bounds::default() })
    }

    fn whole(text: &'static str) -> AnswerBody {
        AnswerBody::Whole(Full::from(text))
    }

    async fn pass(time: Duration) {
        tokio::time::advance(time).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_requests_is_idle_after_a_while() {
        let watch = watch();
        pass(IDLE * 9 / 10).await;
        assert_eq!(watch.judge(), None);
        let request = watch.request();
        pass(IDLE * 2).await;
        assert_eq!(watch.judge(), None, "a request is under way");
        drop(request);
        pass(IDLE * 9 / 10).await;
        assert_eq!(watch.judge(), None, "one was, a moment ago");
        pass(IDLE / 10).await;
        assert_eq!(watch.judge(), Some(Verdict::Idle));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reply_that_nobody_takes_is_stalled() {
        let watch = watch();
        let _untaken = watch.request().reply(whole("x"));
        let busy = watch.request();
        pass(STALLED * 9 / 10).await;
        assert_eq!(watch.judge(), None);
        drop(busy);
        pass(STALLED / 10).await;
        assert_eq!(watch.judge(), Some(Verdict::Stalled), "whatever else is asked meanwhile");
    }

    #[tokio::test(start_paused = true)]
    async fn a_reply_that_an_upstream_has_not_sent_is_nobodys_fault() {
        let watch = watch();
        let pending = StreamBody::new(futures_util::stream::pending::<Result<_, BodyError>>());
        let mut reply = watch.request().reply(AnswerBody::upstream(pending));
        assert!(reply.frame().now_or_never().is_none());
        pass(STALLED * 10).await;
        assert_eq!(watch.judge(), None);
        let mut taken = watch.request().reply(whole("x"));
        pass(STALLED / 2).await;
        taken.frame().await.unwrap().unwrap();
        pass(STALLED / 2).await;
        assert_eq!(watch.judge(), None, "it is being read");
    }
}

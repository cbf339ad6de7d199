//! The caller's body, on its way to the upstream.
//!
//! A body streams unless somebody must see it. [`RequestBody::spool`] reads up to a limit; within
//! it the body is whole, may be shown and may be sent again; past it what was read goes ahead of
//! the rest, and nothing is lost. Trailers come along both ways, as far as they may be sent.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::TRAILER;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;

use crate::authorize::Sieve;
use crate::egress;

/// What can go wrong while reading it: the caller's side broke off.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// A body that streams, or that is whole.
pub struct RequestBody {
    inner: Inner,
    /// What the trailers of a stream have still to pass.
    sieve: Option<Sieve>,
}

/// What is known of a body.
pub(crate) enum KnownBody {
    /// All of it.
    Whole(Bytes),
    /// How long it is, where that is known.
    Length(Option<u64>),
}

enum Inner {
    Whole { bytes: Bytes, trailers: Option<Box<HeaderMap>> },
    Stream { ahead: Bytes, rest: UnsyncBoxBody<Bytes, BodyError> },
}

impl RequestBody {
    /// Takes any body over.
    pub fn new<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        if body.is_end_stream() {
            return Self::whole(Bytes::new());
        }
        let rest = body.map_err(Into::into).boxed_unsync();
        Self::of(Inner::Stream { ahead: Bytes::new(), rest })
    }

    /// A body that is known whole, without trailers.
    pub fn whole(bytes: Bytes) -> Self {
        Self::of(Inner::Whole { bytes, trailers: None })
    }

    fn of(inner: Inner) -> Self {
        Self { inner, sieve: None }
    }

    /// The same once more, where it is known whole.
    pub(crate) fn again(&self) -> Option<Self> {
        match &self.inner {
            Inner::Whole { bytes, trailers } => {
                let (bytes, trailers) = (bytes.clone(), trailers.clone());
                Some(Self::of(Inner::Whole { bytes, trailers }))
            }
            Inner::Stream { .. } => None,
        }
    }

    /// Lets only those trailers through that the sieve does, and has `trailer` announce them: all
    /// that there are, or of a stream those that the caller announced.
    pub(crate) fn sifted(mut self, headers: &mut HeaderMap, sieve: impl FnOnce() -> Sieve) -> Self {
        match &mut self.inner {
            Inner::Whole { trailers, .. } => {
                if let Some(found) = trailers {
                    sieve().sift(found);
                }
                *trailers = trailers.take().filter(|trailers| !trailers.is_empty());
                match trailers {
                    None => drop(headers.remove(TRAILER)),
                    Some(trailers) => egress::say_trailer(headers, trailers.keys()),
                }
            }
            Inner::Stream { .. } => {
                let sieve = sieve();
                egress::announce(headers, |name| sieve.admits(name));
                self.sieve = Some(sieve);
            }
        }
        self
    }

    /// The bytes, where all of them are known.
    pub fn as_whole(&self) -> Option<&Bytes> {
        match &self.inner {
            Inner::Whole { bytes, .. } => Some(bytes),
            Inner::Stream { .. } => None,
        }
    }

    /// What is known of it: as cheap to take along as a pointer.
    pub(crate) fn known(&self) -> KnownBody {
        match &self.inner {
            Inner::Whole { bytes, .. } => KnownBody::Whole(bytes.clone()),
            Inner::Stream { .. } => KnownBody::Length(self.length()),
        }
    }

    /// The length, where it is known.
    pub fn length(&self) -> Option<u64> {
        self.size_hint().exact()
    }

    /// Reads until the end or past `limit` bytes, whichever comes first.
    pub(crate) async fn spool(self, limit: usize) -> Result<Self, BodyError> {
        let (ahead, mut rest) = match self.inner {
            Inner::Stream { ahead, rest } if rest.size_hint().lower() <= limit as u64 => {
                (ahead, rest)
            }
            inner => return Ok(Self { inner, ..self }),
        };
        let mut read = BytesMut::from(ahead);
        while read.len() <= limit {
            match rest.frame().await {
                None => return Ok(Self::whole(read.freeze())),
                Some(frame) => match frame?.into_data() {
                    Ok(data) => read.extend_from_slice(&data),
                    // They end it.
                    Err(frame) => {
                        let trailers = frame.into_trailers().ok().map(Box::new);
                        return Ok(Self::of(Inner::Whole { bytes: read.freeze(), trailers }));
                    }
                },
            }
        }
        Ok(Self::of(Inner::Stream { ahead: read.freeze(), rest }))
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Self { inner, sieve } = &mut *self;
        let (Inner::Whole { bytes: ahead, .. } | Inner::Stream { ahead, .. }) = inner;
        if !ahead.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(ahead)))));
        }
        match inner {
            Inner::Whole { trailers, .. } => {
                Poll::Ready(trailers.take().map(|trailers| Ok(Frame::trailers(*trailers))))
            }
            Inner::Stream { rest, .. } => {
                let mut frame = ready!(Pin::new(rest).poll_frame(context));
                if let Some(Ok(frame)) = &mut frame
                    && let Some(trailers) = frame.trailers_mut()
                    && let Some(sieve) = sieve
                {
                    sieve.sift(trailers);
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Whole { bytes, trailers } => bytes.is_empty() && trailers.is_none(),
            Inner::Stream { ahead, rest } => ahead.is_empty() && rest.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Whole { bytes, .. } => SizeHint::with_exact(bytes.len() as u64),
            Inner::Stream { ahead, rest } => {
                let (ahead, rest) = (ahead.len() as u64, rest.size_hint());
                let mut hint = SizeHint::new();
                hint.set_lower(ahead.saturating_add(rest.lower()));
                if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(ahead)) {
                    hint.set_upper(upper);
                }
                hint
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;

    use http::{HeaderName, HeaderValue};

    use super::*;

    struct Chunks(VecDeque<&'static str>);

    /// The same, and trailers after them.
    struct Trailed(Chunks, Option<HeaderMap>);

    impl Body for Trailed {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let next = ready!(Pin::new(&mut self.0).poll_frame(context));
            Poll::Ready(next.or_else(|| Some(Ok(Frame::trailers(self.1.take()?)))))
        }
    }

    fn sum() -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static("x-sum"), HeaderValue::from_static("7"))])
    }

    impl Body for Chunks {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(self.0.pop_front().map(|it| Ok(Frame::data(Bytes::from(it)))))
        }
    }

    #[tokio::test]
    async fn a_body_within_the_limit_is_whole_and_one_past_it_loses_nothing() {
        for (limit, whole) in [(6, true), (5, false), (0, false)] {
            let body = RequestBody::new(Chunks(["ab", "cd", "ef"].into()));
            let spooled = body.spool(limit).await.unwrap();
            assert_eq!(spooled.as_whole().is_some(), whole, "limit {limit}");
            let sent = spooled.collect().await.unwrap().to_bytes();
            assert_eq!(sent, "abcdef", "limit {limit}");
        }
    }

    #[tokio::test]
    async fn trailers_are_kept_within_the_limit_and_past_it_and_for_another_try() {
        for (limit, whole) in [(6, true), (5, false), (0, false)] {
            let body = RequestBody::new(Trailed(Chunks(["ab", "cd", "ef"].into()), Some(sum())));
            let spooled = body.spool(limit).await.unwrap();
            assert_eq!(spooled.as_whole().is_some(), whole, "limit {limit}");
            let again = spooled.again();
            assert_eq!(again.is_some(), whole, "limit {limit}");
            for body in [Some(spooled), again].into_iter().flatten() {
                assert!(!body.is_end_stream());
                let sent = body.collect().await.unwrap();
                assert_eq!(sent.trailers(), Some(&sum()), "limit {limit}");
                assert_eq!(sent.to_bytes(), "abcdef", "limit {limit}");
            }
        }
        let alone = RequestBody::new(Trailed(Chunks(VecDeque::new()), Some(sum())));
        let alone = alone.spool(9).await.unwrap();
        assert!(alone.as_whole().is_some_and(Bytes::is_empty) && !alone.is_end_stream());
    }

    #[tokio::test]
    async fn an_empty_body_is_whole_from_the_start() {
        let body = RequestBody::new(http_body_util::Empty::<Bytes>::new());
        assert_eq!(body.as_whole().map(Bytes::len), Some(0));
    }
}

//! The caller's body, on its way to the upstream.
//!
//! A body streams unless somebody must see it. [`RequestBody::spool`] reads up to a limit; within
//! it the body is whole, may be shown and may be sent again; past it what was read goes ahead of
//! the rest, and nothing is lost.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;

/// What can go wrong while reading it: the caller's side broke off.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// A body that streams, or that is whole.
pub struct RequestBody(Inner);

/// What is known of a body.
pub(crate) enum KnownBody {
    /// All of it.
    Whole(Bytes),
    /// How long it is, where that is known.
    Length(Option<u64>),
}

enum Inner {
    Whole(Bytes),
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
        Self(Inner::Stream { ahead: Bytes::new(), rest })
    }

    /// A body that is known whole.
    pub fn whole(bytes: Bytes) -> Self {
        Self(Inner::Whole(bytes))
    }

    /// The bytes, where all of them are known.
    pub fn as_whole(&self) -> Option<&Bytes> {
        match &self.0 {
            Inner::Whole(bytes) => Some(bytes),
            Inner::Stream { .. } => None,
        }
    }

    /// What is known of it: as cheap to take along as a pointer.
    pub(crate) fn known(&self) -> KnownBody {
        match &self.0 {
            Inner::Whole(bytes) => KnownBody::Whole(bytes.clone()),
            Inner::Stream { .. } => KnownBody::Length(self.length()),
        }
    }

    /// The length, where it is known.
    pub fn length(&self) -> Option<u64> {
        self.size_hint().exact()
    }

    /// Reads until the end or past `limit` bytes, whichever comes first.
    pub(crate) async fn spool(self, limit: usize) -> Result<Self, BodyError> {
        let (ahead, mut rest) = match self.0 {
            Inner::Stream { ahead, rest } if rest.size_hint().lower() <= limit as u64 => {
                (ahead, rest)
            }
            other => return Ok(Self(other)),
        };
        let mut read = BytesMut::from(ahead);
        while read.len() <= limit {
            match rest.frame().await {
                None => return Ok(Self::whole(read.freeze())),
                // Trailers end a body; an upstream is not sent them.
                Some(frame) => {
                    if let Ok(data) = frame?.into_data() {
                        read.extend_from_slice(&data);
                    }
                }
            }
        }
        Ok(Self(Inner::Stream { ahead: read.freeze(), rest }))
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let (Inner::Whole(ahead) | Inner::Stream { ahead, .. }) = &mut self.0;
        if !ahead.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(ahead)))));
        }
        match &mut self.0 {
            Inner::Whole(_) => Poll::Ready(None),
            Inner::Stream { rest, .. } => Pin::new(rest).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Whole(bytes) => bytes.is_empty(),
            Inner::Stream { ahead, rest } => ahead.is_empty() && rest.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
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

    use super::*;

    struct Chunks(VecDeque<&'static str>);

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
    async fn an_empty_body_is_whole_from_the_start() {
        let body = RequestBody::new(http_body_util::Empty::<Bytes>::new());
        assert_eq!(body.as_whole().map(Bytes::len), Some(0));
    }
}

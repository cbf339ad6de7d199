//! The request's body on its way out, framed by what it is and not by what was said about it.
//!
//! Whoever disagrees about where a body ends can be made to read one account's request as part of
//! another's on the same connection (docs/pitfalls.md, row 8). So there is one source of
//! truth: the length that the body knows, or else the declared one, which is then enforced.
//!
//! Trailers follow the data, but for those that frame, route or authenticate. HTTP/1.1 has them in
//! the chunked coding alone, and this client sends there only what `trailer` announces. So a body
//! whose trailers are announced goes without a `content-length`, though it is held to it; where none
//! are announced the length is said, and what comes all the same is sent over HTTP/2 and left away
//! over HTTP/1.1.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRAILER, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::Instant;

use super::error::EgressError;
use super::headers::settle_sent_trailers;

/// When something last moved; what the time-outs count from.
#[derive(Clone)]
pub(super) struct Progress(Arc<Mutex<Instant>>);

impl Progress {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    pub(super) fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mark(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

/// Why a body could not be sent to its end. The source's own words are not kept: they are the
/// caller's, and may hold anything.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyFault {
    #[error("not as long as declared")]
    Length,
    #[error("broke off")]
    Aborted,
}

/// How a body is framed.
pub(super) struct Framing {
    /// What it is held to, where that is known.
    length: Option<u64>,
    /// What is said of it in advance.
    said: Option<u64>,
}

/// Sets the headers that frame the body.
pub(super) fn frame<B: Body>(
    method: &Method,
    headers: &mut HeaderMap,
    body: &B,
) -> Result<Framing, EgressError> {
    let length = match body.size_hint().exact() {
        Some(exact) => Some(exact),
        None => declared_length(headers)?,
    };
    let declared = headers.remove(CONTENT_LENGTH).is_some();
    headers.remove(TRANSFER_ENCODING);
    if body.is_end_stream() {
        headers.remove(TRAILER);
    }
    let said = known_in_advance(body, length).filter(|_| !headers.contains_key(TRAILER));
    match said {
        Some(length) if declared => {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        // Unasked, the client would leave the body of these away without a word.
        None if matches!(*method, Method::GET | Method::HEAD) && !body.is_end_stream() => {
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        _ => {}
    }
    Ok(Framing { length, said })
}

/// The length to say. Of a body that claims to be empty but has not ended none is said: the client
/// would believe the claim and not look.
fn known_in_advance<B: Body>(body: &B, length: Option<u64>) -> Option<u64> {
    length.filter(|length| *length > 0 || body.is_end_stream())
}

/// One number, said once or several times the same (RFC 9112, section 6.3).
fn declared_length(headers: &HeaderMap) -> Result<Option<u64>, EgressError> {
    let mut length = None;
    for value in headers.get_all(CONTENT_LENGTH) {
        for number in value.as_bytes().split(|byte| *byte == b',') {
            let number = number.trim_ascii();
            // `parse` alone would take `+5`.
            if !number.iter().all(u8::is_ascii_digit) {
                return Err(EgressError::BodyLength);
            }
            let number = std::str::from_utf8(number)
                .ok()
                .and_then(|number| number.parse::<u64>().ok())
                .ok_or(EgressError::BodyLength)?;
            if *length.get_or_insert(number) != number {
                return Err(EgressError::BodyLength);
            }
        }
    }
    Ok(length)
}

/// A body on its way, whatever it was made of.
pub(super) type UpstreamBody = Pin<Box<dyn Body<Data = Bytes, Error = BodyFault> + Send>>;

pin_project! {
    /// A body that is as long as it said, or fails.
    pub(super) struct Outgoing<B> {
        #[pin]
        body: B,
        rest: Rest,
    }
}

/// What is still to come.
struct Rest {
    remaining: Option<u64>,
    /// The last piece, kept until it is known that nothing follows.
    held: Option<Bytes>,
    /// Only at its end.
    trailers: Option<HeaderMap>,
    hint: SizeHint,
    ended: bool,
    progress: Progress,
}

impl<B: Body<Data = Bytes>> Outgoing<B> {
    pub(super) fn new(body: B, framing: &Framing, progress: Progress) -> Self {
        let Framing { length, said } = *framing;
        let hint = said.map_or_else(SizeHint::default, SizeHint::with_exact);
        let ended = body.is_end_stream() && length.unwrap_or(0) == 0;
        let (held, trailers) = (None, None);
        Self { body, rest: Rest { remaining: length, held, trailers, hint, ended, progress } }
    }
}

impl Rest {
    /// The next piece of data, counted. At the end the trailers are put aside.
    fn poll_data<B: Body<Data = Bytes>>(
        &mut self,
        mut body: Pin<&mut B>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BodyFault>>> {
        loop {
            let next = match ready!(body.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    // Some bodies yield empty pieces; to the chunked coding one would be the end.
                    Ok(data) if data.is_empty() => continue,
                    Ok(data) => Some(data),
                    // Nothing comes after them.
                    Err(frame) => {
                        let mut trailers = frame.into_trailers().unwrap_or_default();
                        settle_sent_trailers(&mut trailers);
                        self.trailers = Some(trailers).filter(|trailers| !trailers.is_empty());
                        None
                    }
                },
                Some(Err(_)) => return Poll::Ready(Some(Err(BodyFault::Aborted))),
                None => None,
            };
            self.progress.mark();
            let taken = next.as_ref().map_or(0, |data| data.len() as u64);
            if let Some(remaining) = &mut self.remaining {
                match remaining.checked_sub(taken) {
                    Some(rest) if rest == 0 || next.is_some() => *remaining = rest,
                    _ => return Poll::Ready(Some(Err(BodyFault::Length))),
                }
            }
            return Poll::Ready(next.map(Ok));
        }
    }
}

impl<B: Body<Data = Bytes>> Body for Outgoing<B> {
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        let this = self.project();
        let (mut body, rest) = (this.body, this.rest);
        if rest.ended {
            return Poll::Ready(rest.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))));
        }
        loop {
            let next = ready!(rest.poll_data(body.as_mut(), cx));
            match next {
                Some(Err(fault)) => {
                    rest.ended = true;
                    rest.trailers = None;
                    return Poll::Ready(Some(Err(fault)));
                }
                // The client stops asking once it has the declared length, so what comes after it
                // would be cut off in silence: look first.
                Some(Ok(data)) if rest.remaining == Some(0) => rest.held = Some(data),
                Some(Ok(data)) => {
                    rest.hint = match rest.remaining {
                        Some(remaining) => SizeHint::with_exact(remaining),
                        None => SizeHint::default(),
                    };
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                None => {
                    rest.ended = true;
                    rest.hint = SizeHint::with_exact(0);
                    let last = rest.held.take().map(Frame::data);
                    let last = last.or_else(|| rest.trailers.take().map(Frame::trailers));
                    return Poll::Ready(last.map(Ok));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.ended && self.rest.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.rest.hint
    }
}

#[cfg(test)]
mod tests;

//! What of a proxied message is the gateway's own.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use countersign::body::BodyError;
use http::header::{
    ALT_SVC, AUTHORIZATION, CONTENT_LENGTH, COOKIE, EXPECT, FORWARDED, SET_COOKIE,
    STRICT_TRANSPORT_SECURITY, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Body, Frame, SizeHint};

use crate::answer::{FAULT_HEADER, REQUEST_ID_HEADER};
use crate::door::{CONNECTION_NAME, IDENTIFIER, is, routes};
use crate::fault::{Fault, FieldFault, Kind};
use crate::service::Whose;

/// Passed on, so that an upstream's log and ours can be joined.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What an upstream says to whoever asked it of the name that it was asked by, which is ours: where
/// else it is served, that it is served over TLS, that cookies and caches of the name are to go.
const OF_THE_NAME: [HeaderName; 3] =
    [ALT_SVC, STRICT_TRANSPORT_SECURITY, HeaderName::from_static("clear-site-data")];

/// Characters: a connection's name has no more, and an identifier half as many.
const LONGEST_NAME: usize = 400;

/// The connection and the account that a request is for.
pub(super) fn whose(headers: &HeaderMap) -> Result<Whose, Fault> {
    let mut faults = Vec::new();
    let mut one = |name: &HeaderName, fix: &str| {
        let read = only(headers, name);
        read.map_err(|what| faults.push(FieldFault::new(name.as_str(), what, fix))).ok()
    };
    let connector = one(&CONNECTION_NAME, "name the connection in this header");
    let identifier = one(&IDENTIFIER, "name whose account it is in this header");
    match (connector, identifier) {
        (Some(connector), Some(identifier)) => Ok(Whose { connector, identifier }),
        _ => Err(Fault::of_fields(faults)),
    }
}

/// The one value of a header. Where its bytes are no UTF-8, a client may have left out what it could
/// not write, and what is left would be another account's name.
fn only(headers: &HeaderMap, wanted: &HeaderName) -> Result<String, &'static str> {
    let mut values = headers.iter().filter(|(name, _)| is(name, wanted)).map(|(_, value)| value);
    let value = values.next().ok_or("is missing")?;
    if values.next().is_some() {
        return Err("is given twice");
    }
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| "is not UTF-8")?;
    // What HTTP takes for blank (RFC 9110, section 5.5). Others make another name of it.
    let text = text.trim_matches([' ', '\t']);
    match text.chars().count() {
        0 => Err("is empty"),
        1..=LONGEST_NAME => Ok(text.to_owned()),
        _ => Err("is longer than any name"),
    }
}

/// What is on a request for the gateway alone, and what is only for the next hop.
pub(super) fn strip(headers: &mut HeaderMap, pass_cookies: bool) {
    headers.remove(AUTHORIZATION);
    take_own(headers);
    // The server has answered it.
    headers.remove(EXPECT);
    // They tell who the caller is.
    headers.remove(FORWARDED);
    if !pass_cookies {
        headers.remove(COOKIE);
    }
}

/// The headers that only say which account it is for.
fn take_own(headers: &mut HeaderMap) {
    let own: Vec<HeaderName> = headers.keys().filter(|name| routes(name)).cloned().collect();
    for name in own {
        headers.remove(name);
    }
}

/// Gives it the id that this gateway knows it by, unless the caller has chosen one.
pub(super) fn name(headers: &mut HeaderMap, request: &str) {
    if let (false, Ok(id)) = (headers.contains_key(X_REQUEST_ID), HeaderValue::from_str(request)) {
        headers.insert(X_REQUEST_ID, id);
    }
}

/// What an upstream says about a name that is not its own goes, as does what only we may say.
pub(super) fn settle_reply(headers: &mut HeaderMap, pass_cookies: bool) {
    for name in OF_THE_NAME.iter().chain([&FAULT_HEADER, &REQUEST_ID_HEADER]) {
        headers.remove(name);
    }
    if !pass_cookies {
        headers.remove(SET_COOKIE);
    }
    // To a cache on the way, all accounts' replies have one URL.
    headers.append(VARY, HeaderValue::from_static("authorization, connection_name, identifier"));
}

/// The same of a reply's trailers.
pub(super) fn settle_trailers(trailers: &mut HeaderMap) {
    for name in OF_THE_NAME.iter().chain([&FAULT_HEADER, &REQUEST_ID_HEADER, &SET_COOKIE]) {
        trailers.remove(name);
    }
}

/// A body of at most `most` bytes, whose trailers say nothing that is for the gateway alone.
pub(super) fn bounded<B>(headers: &HeaderMap, body: B, most: u64) -> Result<Bounded<B>, Fault>
where
    B: Body,
{
    let declared = headers.get(CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    if declared.unwrap_or(0).max(body.size_hint().lower()) > most {
        let message = format!("the request's body is longer than {most} bytes");
        return Err(Fault::new(Kind::TooLarge, "body_too_large", message));
    }
    Ok(Bounded { body: Box::pin(body), left: most })
}

/// Breaks off past its bound: the upstream gets no whole request.
pub(super) struct Bounded<B> {
    body: Pin<Box<B>>,
    left: u64,
}

impl<B> Body for Bounded<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BodyError>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = std::task::ready!(self.body.as_mut().poll_frame(context));
        let frame = frame.map(|frame| {
            let mut frame = frame.map_err(Into::into)?;
            if let Some(trailers) = frame.trailers_mut() {
                take_own(trailers);
            }
            let length = frame.data_ref().map_or(0, |data| data.len() as u64);
            self.left = self.left.checked_sub(length).ok_or("the body is too long")?;
            Ok(frame)
        });
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests;

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
use crate::request_id::{RequestId, X_REQUEST_ID};
use crate::service::Whose;

/// What an upstream says to whoever asked it of the name that it was asked by, which is ours: where
/// else it is served, that it is served over TLS, that cookies and caches of the name are to go.
const OF_THE_NAME: [HeaderName; 3] =
    [ALT_SVC, STRICT_TRANSPORT_SECURITY, HeaderName::from_static("clear-site-data")];

/// Characters: a connection's name has no more, and an identifier half as many.
const LONGEST_NAME: usize = 400;

/// The connection and the account that a request is for.
pub(super) fn whose(headers: &HeaderMap) -> Result<Whose, Fault> {
    let [mut connector, mut identifier] = [None, None];
    for (name, value) in headers {
        let read = match name {
            name if is(name, &CONNECTION_NAME) => &mut connector,
            name if is(name, &IDENTIFIER) => &mut identifier,
            _ => continue,
        };
        *read = Some(if read.is_none() { text(value) } else { Err("is given twice") });
    }
    let mut faults = Vec::new();
    let mut one = |read: Option<Result<_, _>>, name: &HeaderName, fix: &str| {
        let read = read.unwrap_or(Err("is missing"));
        read.map_err(|what| faults.push(FieldFault::new(name.as_str(), what, fix))).ok()
    };
    let connector = one(connector, &CONNECTION_NAME, "name the connection in this header");
    let identifier = one(identifier, &IDENTIFIER, "name whose account it is in this header");
    match (connector, identifier) {
        (Some(connector), Some(identifier)) => Ok(Whose::new(connector, identifier)),
        _ => Err(Fault::of_fields(faults)),
    }
}

/// A name. Where its bytes are no UTF-8, a client may have left out what it could not write, and what
/// is left would be another account's name.
fn text(value: &HeaderValue) -> Result<&str, &'static str> {
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| "is not UTF-8")?;
    // What HTTP takes for blank (RFC 9110, section 5.5). Others make another name of it.
    let text = text.trim_matches([' ', '\t']);
    match text.chars().count() {
        0 => Err("is empty"),
        1..=LONGEST_NAME => Ok(text),
        _ => Err("is longer than any name"),
    }
}

/// What is on a request for the gateway alone, and what is only for the next hop.
pub(super) fn strip(headers: &mut HeaderMap, pass_cookies: bool) {
    take(headers, |name| {
        routes(name)
            || *name == AUTHORIZATION
            // The server has answered it.
            || *name == EXPECT
            // It tells who the caller is.
            || *name == FORWARDED
            || (*name == COOKIE && !pass_cookies)
    });
}

/// Takes headers away. Most of what might be there is not, and so it is not looked for: each that is
/// there is looked at once.
fn take(headers: &mut HeaderMap, goes: impl Fn(&HeaderName) -> bool) {
    let gone: Vec<HeaderName> = headers.keys().filter(|name| goes(name)).cloned().collect();
    for name in gone {
        headers.remove(name);
    }
}

/// Gives it the id that this gateway knows it by, unless the caller has chosen one.
/// With it an upstream's log and ours can be joined.
pub(super) fn name(headers: &mut HeaderMap, request: &RequestId) {
    headers.entry(X_REQUEST_ID).or_insert_with(|| request.header());
}

/// What an upstream says about a name that is not its own goes, as does what only we may say.
pub(super) fn settle_reply(headers: &mut HeaderMap, pass_cookies: bool) {
    take(headers, |name| is_ours(name) || (*name == SET_COOKIE && !pass_cookies));
    // To a cache on the way, all accounts' replies have one URL.
    headers.append(VARY, HeaderValue::from_static("authorization, connection_name, identifier"));
}

/// The same of a reply's trailers.
pub(super) fn settle_trailers(trailers: &mut HeaderMap) {
    take(trailers, |name| is_ours(name) || *name == SET_COOKIE);
}

fn is_ours(name: &HeaderName) -> bool {
    OF_THE_NAME.contains(name) || *name == FAULT_HEADER || *name == REQUEST_ID_HEADER
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
    Ok(Bounded { body, left: most })
}

/// Breaks off past its bound: the upstream gets no whole request.
pub(super) struct Bounded<B> {
    body: B,
    left: u64,
}

impl<B> Body for Bounded<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BodyError>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(context));
        let frame = frame.map(|frame| {
            let mut frame = frame.map_err(Into::into)?;
            if let Some(trailers) = frame.trailers_mut() {
                take(trailers, routes);
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

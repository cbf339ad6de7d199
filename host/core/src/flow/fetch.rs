//! The requests of a flow: where they may go, and what they may carry.
//!
//! A fetch goes to a URL equal to, or below the path of, a value that a `fetch` need names; query
//! and fragment of that value are left out of the comparison, and its scheme, host and port are
//! compared exactly, before any name is resolved. So a plugin has nowhere of its own to send a
//! secret: not a host, not a label of one.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use url::Url;
use zeroize::Zeroizing;

use super::{FlowError, Run};
use crate::contract::flow::{Event, Fetch};
use crate::contract::types::HttpResponse;
use crate::egress::{self, Egress, EgressError, Route};
use crate::error::Error;
use crate::needs::header::ban;
use crate::target::{Origin, climbs_to_some};
use crate::view::latin1;

/// Bytes of an answer (the contract's own number).
const MOST_ANSWER: usize = 256 << 10;
/// Bytes of a request: a signed assertion has some 10 KiB.
const MOST_REQUEST: usize = 256 << 10;
/// Headers of a request.
const MOST_HEADERS: usize = 64;

/// Sends the requests of flows. [`Egress`](crate::Egress) is the one to use; tests and `inject`
/// answer from a script instead.
#[async_trait]
pub trait Fetcher: Send + Sync {
    /// Sends the request once and reads at most `limit` bytes of the answer within `deadline`.
    async fn fetch(
        &self,
        request: Request<Bytes>,
        limit: usize,
        deadline: Duration,
    ) -> Result<Response<Bytes>, EgressError>;

    /// The same by a route that is not the ordinary one: with a client certificate. Who does not say
    /// how refuses, and nothing is sent.
    async fn fetch_by(
        &self,
        route: Route,
        request: Request<Bytes>,
        limit: usize,
        deadline: Duration,
    ) -> Result<Response<Bytes>, EgressError> {
        match route.unusual() {
            None => self.fetch(request, limit, deadline).await,
            Some(edit) => Err(EgressError::Unsupported { edit }),
        }
    }
}

#[async_trait]
impl Fetcher for Egress {
    async fn fetch(
        &self,
        request: Request<Bytes>,
        limit: usize,
        deadline: Duration,
    ) -> Result<Response<Bytes>, EgressError> {
        Egress::fetch(self, request, limit, deadline).await
    }

    async fn fetch_by(
        &self,
        route: Route,
        request: Request<Bytes>,
        limit: usize,
        deadline: Duration,
    ) -> Result<Response<Bytes>, EgressError> {
        Egress::fetch_by(self, route, request, limit, deadline).await
    }
}

/// The request and its route, once they are known to be what this plugin may have sent.
pub(super) fn check(mut fetch: Fetch, run: &Run<'_>) -> Result<(Request<Bytes>, Route), Error> {
    let route = match fetch.client_certificate.take() {
        None => Route::default(),
        Some((chain, key)) => {
            let granted = &run.facts.granted;
            if !granted.may_present(&chain) || !granted.may_present(&key) {
                return Err(FlowError::ClientCertificate.into());
            }
            Route::default().with(run.facts.certificate(run.subject, [&chain, &key])?)
        }
    };
    Ok((check_request(fetch, run)?, route))
}

fn check_request(fetch: Fetch, run: &Run<'_>) -> Result<Request<Bytes>, FlowError> {
    let raw = fetch.request;
    // From here on it is overwritten when it is dropped, on its way out as well.
    let body = Zeroizing::new(raw.body);
    if body.len() > MOST_REQUEST || raw.headers.len() > MOST_HEADERS {
        return Err(FlowError::FetchSize(MOST_REQUEST));
    }
    let method = match raw.method.as_str() {
        "GET" => Method::GET,
        "POST" => Method::POST,
        _ => return Err(FlowError::FetchMethod),
    };
    let url = destination(&raw.url, run)?;
    let mut headers = HeaderMap::new();
    for (name, value) in &raw.headers {
        let (name, value) = header(name, value)?;
        headers.append(name, value);
    }
    egress::settle(&mut headers);
    let mut request = Request::new(Bytes::from_owner(body));
    *request.method_mut() = method;
    *request.uri_mut() = url.as_str().parse().map_err(|_| FlowError::FetchUrl)?;
    *request.headers_mut() = headers;
    Ok(request)
}

/// The same error without how long it took: a plugin has no clock but the one that stands still.
fn timeless(error: EgressError) -> EgressError {
    match error {
        EgressError::TimedOut { host, phase, .. } => {
            EgressError::TimedOut { host, after: None, phase }
        }
        error => error,
    }
}

/// An error with what caused it, as far as it does not say that itself.
fn whole(error: &EgressError) -> String {
    let cause = std::error::Error::source(error).map(|it| format!(": {it}"));
    format!("{error}{}", cause.unwrap_or_default())
}

/// Sends it once, and tells the plugin what came of it.
pub(super) async fn send(
    run: &Run<'_>,
    (request, route): (Request<Bytes>, Route),
) -> Result<Event, Error> {
    let left = run.time_left();
    if left.is_zero() {
        return Err(FlowError::TimedOut.into());
    }
    let reply = match run.inner.fetcher.fetch_by(route, request, MOST_ANSWER, left).await {
        Ok(reply) => reply,
        // Policy is the operator's answer, not the network's: the plugin is not asked.
        Err(
            error @ (EgressError::AddressRefused { .. }
            | EgressError::Scheme { .. }
            | EgressError::CertificateWithoutTls { .. }
            | EgressError::Unsupported { .. }),
        ) => return Err(error.into()),
        Err(error) => {
            // The plugin makes words of its own of it, and a caller is told of neither.
            run.facts.tell(&format!("a fetch of its flow failed: {}", whole(&error)));
            return Ok(Event::Failed(timeless(error).to_string()));
        }
    };
    let (parts, body) = reply.into_parts();
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), latin1(value.as_bytes())))
        .collect();
    Ok(Event::Response(HttpResponse {
        status: parts.status.as_u16(),
        headers,
        body: body.to_vec(),
    }))
}

fn destination(text: &str, run: &Run<'_>) -> Result<Url, FlowError> {
    let url = Url::parse(text).map_err(|_| FlowError::FetchUrl)?;
    // What the guest wrote must be what goes on the wire, or the comparison is about another text.
    if url.as_str() != text || url.fragment().is_some() {
        return Err(FlowError::FetchUrl);
    }
    let facts = &run.facts;
    let named = facts.granted.fetch_urls(&facts.values);
    let (name, _) =
        named.iter().find(|(_, base)| is_below(base, &url)).ok_or(FlowError::FetchUrl)?;
    let learnt = name.starts_with("shared/") || name.starts_with("state/");
    if learnt {
        let origin = Origin::of(&url).ok_or(FlowError::FetchUrl)?;
        if !run.subject.lists(&origin) {
            return Err(FlowError::LearntOrigin);
        }
    }
    Ok(url)
}

/// Whether `url` is `base`, or a path below it, on the same origin.
pub(super) fn is_below(base: &str, url: &Url) -> bool {
    let Ok(base) = Url::parse(base) else { return false };
    let same_origin = base.scheme() == url.scheme()
        && base.host() == url.host()
        && base.port_or_known_default() == url.port_or_known_default()
        && url.username().is_empty()
        && url.password().is_none();
    let root = base.path().trim_end_matches('/');
    let path = url.path();
    let below = path == base.path()
        || path.strip_prefix(root).is_some_and(|rest| rest.starts_with('/') || rest.is_empty());
    // `url` has no plain dot segments left; an encoded one, or a backslash, some servers would
    // read as a way up.
    let lower = path.to_ascii_lowercase();
    let climbs =
        ["%2e", "%2f", "%5c"].iter().any(|it| lower[root.len().min(lower.len())..].contains(it));
    same_origin && below && !climbs && !climbs_to_some(path)
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), FlowError> {
    let refused =
        || FlowError::FetchHeader(name.chars().take(80).flat_map(char::escape_default).collect());
    let parsed = HeaderName::try_from(name).map_err(|_| refused())?;
    // A caller's cookies have an edit of their own; a fetch has no cookies but what the plugin gives it,
    // to go on with a login.
    let is_banned = parsed != COOKIE && ban(parsed.as_str()).is_some();
    if is_banned || name.contains('_') {
        return Err(refused());
    }
    let bytes = value.chars().map(u8::try_from).collect::<Result<Vec<u8>, _>>();
    let mut value =
        HeaderValue::from_bytes(&bytes.map_err(|_| refused())?).map_err(|_| refused())?;
    value.set_sensitive(true);
    Ok((parsed, value))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::egress::Phase;

    /// Its clock stands still for a call, and goes by milliseconds.
    #[test]
    fn a_plugin_is_not_told_how_long_its_fetch_took() {
        let after = Some(Duration::from_nanos(29_998_412_713));
        let error =
            EgressError::TimedOut { host: "as.example".into(), after, phase: Phase::Deadline };
        assert!(error.to_string().contains(" after 29.998s ("), "{error}");
        let told = timeless(error).to_string();
        assert_eq!(told, "as.example timed out (the fetch took too long as a whole)");
    }
}

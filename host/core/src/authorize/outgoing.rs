//! The caller's request, from how it came to how it leaves.
//!
//! On `Ok` of [`Answer::apply`] the request goes to the provider's own origin, or to one that the
//! provider lists, under its base path; it has the answer's edits, all of them, and nothing of the
//! caller's that the plugin may write, in its trailers neither. On `Err` there is no request.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, SEC_WEBSOCKET_PROTOCOL, TRAILER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body::Body;
use url::Url;

use crate::body::{BodyError, RequestBody};
use crate::edit;
use crate::egress::{self, Egress, OwnConnection, Route, Sending, WebSocket};
use crate::error::Error;
use crate::needs::Granted;
use crate::remember::Answer;
use crate::target::{TargetError, TargetUrl};

use super::{Place, Sieve};

/// The caller's request, on its way.
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    path: String,
    query: Option<String>,
    headers: HeaderMap,
    /// What `Connection` named.
    nominated: Vec<HeaderName>,
    websocket: Option<WebSocket>,
    pub(crate) body: RequestBody,
}

/// The finished request, and where it goes.
pub(crate) struct Finished {
    /// Its URI is not set.
    request: Request<RequestBody>,
    place: Destined,
}

/// Where a request goes.
enum Destined {
    /// Under the base, as it was joined.
    Joined(TargetUrl),
    /// As an edit has it, which the host admits.
    Edited(Url),
}

/// The caller's request as it would leave, but for the edits.
pub(super) struct Dressed {
    pub(super) headers: HeaderMap,
    pub(super) url: Url,
    /// The URL before the caller's parameters went that the plugin may write.
    joined: TargetUrl,
}

impl Outgoing {
    /// Of the URI only path and query are taken.
    pub(crate) fn new<B>(request: Request<B>) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        let (mut parts, body) = request.into_parts();
        let mut headers = parts.headers;
        let nominated = egress::settle(&mut headers);
        // The destination's own name is the host's business.
        headers.remove(HOST);
        Self {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().map(ToOwned::to_owned),
            headers,
            nominated,
            websocket: parts.extensions.remove(),
            body: RequestBody::new(body),
        }
    }

    /// The same once more, where the body is known whole.
    pub(crate) fn again(&self) -> Option<Self> {
        let body = self.body.again()?;
        Some(Self {
            method: self.method.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            headers: self.headers.clone(),
            nominated: self.nominated.clone(),
            websocket: self.websocket.clone(),
            body,
        })
    }

    /// Whether it asks for a WebSocket.
    pub(crate) fn is_handshake(&self) -> bool {
        self.websocket.is_some()
    }

    pub(crate) async fn spool(&mut self, limit: usize) -> Result<(), Error> {
        let body = std::mem::replace(&mut self.body, RequestBody::whole(Bytes::new()));
        self.body = body.spool(limit).await.map_err(|_| Error::Body)?;
        Ok(())
    }

    /// As it would leave under `base`, but for the edits: without what the plugin may write, and
    /// with the provider's own headers.
    pub(super) fn dressed(&self, place: &Place, granted: &Granted) -> Result<Dressed, TargetError> {
        self.dress(self.headers.clone(), place, granted)
    }

    /// The same of headers that are or were its own.
    fn dress(
        &self,
        mut headers: HeaderMap,
        place: &Place,
        granted: &Granted,
    ) -> Result<Dressed, TargetError> {
        let joined = place.base.join(&self.path, self.query.as_deref())?;
        let mut url = joined.as_url().clone();
        edit::strip(granted, &mut headers, &mut url);
        for (name, value) in &place.headers {
            edit::remove(&mut headers, name);
            headers.insert(name.clone(), value.clone());
        }
        Ok(Dressed { headers, url, joined })
    }
}

impl Answer {
    /// The way that a request with it takes. `own` is the connection of the exchange: the one that is
    /// there is used again, and let go where this answer wants none.
    pub(crate) fn route(&self, own: &mut Option<OwnConnection>) -> Route {
        *own = self.edits.own_connection().then(|| own.take().unwrap_or_default());
        Route { certificate: self.certificate.clone(), own: own.clone() }
    }

    /// Applies the answer, all of it or nothing, and checks where the request would go.
    pub(crate) fn apply(&self, mut outgoing: Outgoing) -> Result<Finished, Error> {
        let Answer { place, granted, .. } = self;
        let theirs_stay = self.edits.append_offers() && !place.names(&SEC_WEBSOCKET_PROTOCOL);
        let theirs = theirs_stay.then(|| outgoing.headers.clone());
        let own = std::mem::take(&mut outgoing.headers);
        let Dressed { mut headers, mut url, joined } = outgoing.dress(own, place, granted)?;
        let mut replaced = None;
        let request = edit::Outgoing { headers: &mut headers, url: &mut url, body: &mut replaced };
        // What `join` has given is admitted; only another one need be looked at again.
        let admits =
            |url: &Url| if url == joined.as_url() { Ok(()) } else { place.base.admits(url) };
        let applied = self.edits.apply(granted, &place.rules, request, admits);
        applied.map_err(|cause| {
            let guest = &self.plugin.guest;
            guest.tell(&format!("an edit of it is refused: {}", cause.nameless()), &self.masker);
            let message = self.masker.mask(&cause.to_string()).into_owned();
            Error::Edit { plugin: guest.name.clone(), message }
        })?;
        let Outgoing { method, nominated, websocket, body, .. } = outgoing;
        let body = match replaced {
            None => body.sifted(&mut headers, || Sieve {
                granted: Arc::clone(granted),
                place: Arc::clone(place),
                nominated,
            }),
            // The trailers were of the body that is gone.
            Some(new) => {
                headers.remove(TRAILER);
                // Servers wait for a body, or for this (RFC 9110, section 8.6); any other length follows
                // from the body itself.
                if new.is_empty() && matches!(method, Method::POST | Method::PUT | Method::PATCH) {
                    headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
                }
                RequestBody::whole(new)
            }
        };
        if let Some(theirs) = theirs {
            edit::join_offers(&mut headers, &theirs);
        }
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.headers_mut() = headers;
        if let Some(websocket) = websocket {
            request.extensions_mut().insert(websocket);
        }
        let unedited = url == *joined.as_url();
        let place = if unedited { Destined::Joined(joined) } else { Destined::Edited(url) };
        Ok(Finished { request, place })
    }
}

impl Finished {
    /// With an absolute URI, for whoever sends it himself.
    pub(crate) fn into_request(self) -> Result<Request<RequestBody>, TargetError> {
        let Self { mut request, place } = self;
        let url = match &place {
            Destined::Joined(url) => url.as_str(),
            Destined::Edited(url) => url.as_str(),
        };
        *request.uri_mut() = url.parse().map_err(|_| TargetError::NotCanonical)?;
        Ok(request)
    }

    /// Begins to send it: [`Egress::head`] waits for what comes back.
    pub(crate) fn send(self, egress: &Egress, route: Route) -> Result<Sending, Error> {
        let (destination, request) = match self.place {
            Destined::Joined(url) => (egress.destination_of(url)?, self.request),
            // Also read once more as whoever sends it reads it.
            Destined::Edited(_) => {
                let request = self.into_request()?;
                (egress.destination(request.uri())?, request)
            }
        };
        Ok(egress.begin(destination, route, request)?)
    }
}

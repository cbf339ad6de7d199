//! `/proxy/…`: a request goes out with an account's credential, and the upstream's reply comes back.
//!
//! The connection's name and the account's identifier come in two headers, and say alone whose
//! credential is used. What is the gateway's own in a request (its token, the two headers) never
//! leaves; what an upstream says about the gateway's name (cookies, HSTS, other services) never comes
//! back. All else passes as it is, both bodies as they stream. On `Err` the fault tells whether the
//! upstream may have seen the request by its code (docs/errors.md).

mod crowd;
mod message;

use std::sync::Arc;

use bytes::Bytes;
use countersign::Countersign;
use countersign::body::BodyError;
use http::{Request, Response, Uri, request};
use http_body::Body;
use tokio::time::timeout;

use crate::answer::{Answer, AnswerBody};
use crate::caller::Caller;
use crate::fault::{Fault, Kind};
use crate::service::Service;
use crate::settings::Settings;

use crowd::{Counted, Crowd};

/// The tool proxy.
pub(crate) struct Proxy {
    service: Arc<Service>,
    host: Countersign,
    settings: Settings,
    crowd: Arc<Crowd>,
}

impl Proxy {
    pub(crate) fn new(service: Arc<Service>, host: Countersign, settings: Settings) -> Self {
        let crowd = Crowd::new(settings.most_in_flight, settings.most_in_flight_per_account);
        Self { service, host, settings, crowd }
    }

    /// Sends one request. `path` is relative to the provider's `proxy_url`.
    pub(crate) async fn answer<B>(
        &self,
        caller: &Caller,
        path: &str,
        mut parts: request::Parts,
        body: B,
    ) -> Result<Answer, Fault>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        let place = self.crowd.enter()?;
        let (connector, identifier) = message::whose(&parts.headers)?;
        let subject = self.service.subject(caller, &connector, &identifier).await?;
        let place = place.of(&connector, &identifier)?;
        let body = message::bounded(&parts.headers, body, self.settings.longest_body)?;
        message::strip(&mut parts.headers, self.settings.pass_cookies);
        message::name(&mut parts.headers, caller.request());
        parts.uri = relative(path, parts.uri.query())?;
        parts.extensions.clear();
        let request = Request::from_parts(parts, body);
        let sent = timeout(self.settings.deadline, self.host.send(&subject, request)).await;
        let reply = match sent {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => return Err(Fault::from(&error)),
            Err(_) => {
                let message = "the upstream has not answered in time; whether it has acted on the \
                               request is not known";
                return Err(Fault::new(Kind::Deadline, "upstream_timeout", message));
            }
        };
        let (mut parts, body) = reply.into_parts();
        message::settle_reply(&mut parts.headers, self.settings.pass_cookies);
        let body = AnswerBody::upstream(Counted::new(body, place));
        Ok(Response::from_parts(parts, body))
    }
}

/// The library looks at nothing else of a URI.
fn relative(path: &str, query: Option<&str>) -> Result<Uri, Fault> {
    let slash = if path.is_empty() { "/" } else { "" };
    let joint = if query.is_some() { "?" } else { "" };
    let text = [slash, path, joint, query.unwrap_or_default()].concat();
    let refused = |_| Fault::new(Kind::Invalid, "path_refused", "the path cannot be read");
    text.parse().map_err(refused)
}

//! `/proxy/…`: a request goes out with an account's credential, and the upstream's reply comes back.
//!
//! The connection's name and the account's identifier come in two headers, and say alone whose
//! credential is used. What is the gateway's own in a request (its token, the two headers) never
//! leaves; what an upstream says about the gateway's name (cookies, HSTS, other services) never comes
//! back. All else passes as it is, both bodies as they stream. On `Err` the fault tells whether the
//! upstream may have seen the request by its code (docs/errors.md).

mod crowd;
mod message;
mod tunnel;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use countersign::body::BodyError;
use countersign::clock::Clock;
use countersign::egress::{HandshakeError, Tunnel, WebSocket};
use countersign::{Countersign, Subject};
use http::uri::PathAndQuery;
use http::{Request, Response, Uri, request};
use http_body::Body;
use hyper::upgrade::OnUpgrade;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::answer::{Answer, AnswerBody};
use crate::caller::Caller;
use crate::door::PROXY;
use crate::fault::{Fault, Kind};
use crate::injections::{Injection, Injections};
use crate::metrics::{self, Metrics};
use crate::service::{Found, Service, Whose};
use crate::settings::{InForce, Settings};
use crate::trace;
use crate::usage::Usage;

pub(crate) use crowd::Crowd;

use crowd::{Counted, Place};

/// The tool proxy.
pub(crate) struct Proxy {
    pub(crate) service: Arc<Service>,
    pub(crate) host: Countersign,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: InForce,
    pub(crate) traces: bool,
    pub(crate) metrics: Arc<Metrics>,
    /// `None` where no audit is kept.
    pub(crate) injections: Option<Arc<Injections>>,
    pub(crate) usage: Arc<Usage>,
    pub(crate) crowd: Arc<Crowd>,
    /// WebSockets, which outlive the requests that began them.
    pub(crate) tunnels: TaskTracker,
}

impl Proxy {
    /// Sends one request.
    pub(crate) async fn answer<B>(
        &self,
        caller: &Caller,
        parts: Box<request::Parts>,
        body: B,
    ) -> Result<Answer, Fault>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BodyError>,
    {
        let began = Instant::now();
        let place = self.crowd.enter()?;
        let whose = message::whose(&parts.headers)?;
        let mut found = None;
        let sent = self.send(caller, &whose, place, &mut found, parts, body).await;
        self.note(caller, &whose, found.as_deref(), &sent, began);
        sent
    }

    /// `found` is set as soon as it is known whose credential the request gets.
    async fn send<B>(
        &self,
        caller: &Caller,
        whose: &Whose,
        place: Place,
        found: &mut Option<Arc<Found>>,
        mut parts: Box<request::Parts>,
        body: B,
    ) -> Result<Answer, Fault>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BodyError>,
    {
        let Settings { longest_body, pass_cookies, deadline, tunnel_idle, .. } =
            **self.settings.load();
        let subject = found.insert(self.service.find(caller, whose).await?).subject();
        let place = match account(subject) {
            Some(account) => place.of(account)?,
            None => place,
        };
        let body = message::bounded(&parts.headers, body, longest_body)?;
        let websocket = WebSocket::of(&parts).map_err(malformed)?;
        let upgrade = parts.extensions.remove::<OnUpgrade>();
        message::strip(&mut parts.headers, pass_cookies);
        message::name(&mut parts.headers, caller.request());
        parts.uri = relative(&parts.uri)?;
        parts.extensions.clear();
        let mut request = Request::from_parts(*parts, body);
        if let (Some(websocket), Some(_)) = (websocket, &upgrade) {
            request.extensions_mut().insert(websocket);
        }
        // Boxed, as it is most of what a request has room for, and all of that is moved as it begins.
        let sending = Box::pin(self.host.send(subject, request));
        let sent = timeout(deadline, sending).await;
        let mut reply = sent.map_err(|_| late())?.map_err(|error| Fault::from(&error))?;
        let tunnel = Tunnel::take(&mut reply);
        let (mut parts, body) = reply.into_parts();
        message::settle_reply(&mut parts.headers, pass_cookies);
        let body = match (tunnel, upgrade) {
            (Some(tunnel), Some(upgrade)) => {
                let run = tunnel::run(upgrade, tunnel, tunnel_idle, place);
                self.tunnels.spawn(run.in_current_span());
                AnswerBody::upstream(body)
            }
            _ => AnswerBody::upstream(Counted::new(body, place)),
        };
        Ok(Response::from_parts(parts, body))
    }

    /// For the audit and the metrics.
    fn note(
        &self,
        caller: &Caller,
        whose: &Whose,
        found: Option<&Found>,
        sent: &Result<Answer, Fault>,
        began: Instant,
    ) {
        let (outcome, status) = match sent {
            Ok(answer) => ("sent", Some(answer.status().as_u16())),
            Err(fault) => (fault.code, None),
        };
        let subject = found.map(Found::subject);
        let account = subject.and_then(|it| account(it));
        let now = self.clock.unix_millis();
        if let (Some(account), Some(found), Some(_)) = (account, found, status) {
            self.usage.note(account, found.used(), now);
        }
        if let Some(subject) = subject {
            let outcome = status.map_or(outcome, metrics::class);
            self.metrics.proxied(subject.pattern().auth_type(), outcome, began.elapsed());
            if self.traces {
                let provider = subject.provider().identifier();
                trace::subject(whose.connector(), provider, subject.pattern().auth_type());
            }
        }
        // Who asks for what is not there, or may not, gets no credential: that is for the log.
        let (Some(injections), Some(account)) = (&self.injections, account) else { return };
        injections.note(&Injection {
            at: now,
            request: caller.request().as_str(),
            client: caller.client(),
            connection: whose.connector(),
            identifier: whose.identifier(),
            account,
            provider: subject.map(|it| it.provider().identifier()),
            outcome,
            status,
        });
    }
}

/// Its id: subjects of the service are made of rows.
fn account(subject: &Subject) -> Option<&Arc<str>> {
    Some(&subject.state_key().row.as_ref()?.id)
}

fn malformed(error: HandshakeError) -> Fault {
    Fault::new(Kind::Invalid, "invalid_request", error.to_string())
}

fn late() -> Fault {
    let message = "the upstream has not answered in time; whether it has acted on the request is not \
                   known";
    Fault::new(Kind::Deadline, "upstream_timeout", message)
}

/// What is below `/proxy`. The library looks at nothing else of a URI.
fn relative(uri: &Uri) -> Result<Uri, Fault> {
    let whole = uri.path_and_query().map_or("", PathAndQuery::as_str);
    let below = whole.strip_prefix(PROXY).unwrap_or_default();
    let slash = if below.starts_with('/') { "" } else { "/" };
    let refused = |_| Fault::new(Kind::Invalid, "path_refused", "the path cannot be read");
    [slash, below].concat().try_into().map(PathAndQuery::into).map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_the_proxy_is_the_path_to_the_upstream() {
        for (uri, below) in [
            ("/proxy", "/"),
            ("/proxy/", "/"),
            ("/proxy?a=b", "/?a=b"),
            ("/proxy/v1/tickets", "/v1/tickets"),
            ("/proxy/v1/tickets?", "/v1/tickets?"),
            ("/proxy/v1/tickets?page=2&next=/proxy/x?", "/v1/tickets?page=2&next=/proxy/x?"),
            ("/proxy//evil.example/x", "//evil.example/x"),
            ("https://gateway.example/proxy/v1/%2F%20?q=%3F", "/v1/%2F%20?q=%3F"),
        ] {
            let relative = relative(&uri.parse().unwrap()).unwrap();
            assert_eq!(relative.path_and_query().unwrap(), below, "{uri}");
            assert_eq!((relative.scheme(), relative.authority()), (None, None), "{uri}");
        }
    }
}

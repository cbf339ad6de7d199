//! A connection of HTTP/1.1 for one request and its repeats alone: what a scheme needs that
//! authenticates the connection and not the request (NTLM, Negotiate).
//!
//! It is dialled as every other one is, under the same policy, but taken from no pool and put into
//! none. It stays open between the requests of one exchange, is closed once the last of those who
//! hold it lets go and the reply has come, and so is never lent to anybody. Where the upstream has
//! closed it meanwhile, or the next request goes elsewhere, that request gets a new one: it then
//! lacks what the old one had proven, which the upstream says and the plugin sees.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::HOST;
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use tower_service::Service as _;

use super::certificate::Identity;
use super::connect::Connector;
use super::error::EgressError;
use super::outgoing::UpstreamBody;

/// A connection that one exchange has to itself. Clones are the same one; it is opened with the first
/// request that is sent on it.
#[derive(Clone, Default)]
pub struct OwnConnection(Arc<Mutex<Option<Open>>>);

/// One that is open, between two requests.
struct Open {
    /// Scheme, host and port.
    origin: Uri,
    /// Of the certificate that was presented.
    identity: Option<Identity>,
    sender: SendRequest<UpstreamBody>,
}

impl OwnConnection {
    /// Whether the two are the same connection.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Sends it there, whose URI is absolute, and waits for the head of the reply.
    pub(super) async fn request(
        self,
        connector: Connector,
        identity: Option<Identity>,
        mut request: Request<UpstreamBody>,
        host: Arc<str>,
    ) -> Result<Response<Incoming>, EgressError> {
        let origin = take_origin(&mut request)?;
        if let Some(mut open) = self.take(&origin, identity)
            && open.sender.ready().await.is_ok()
        {
            match open.sender.try_send_request(request).await {
                Ok(reply) => return Ok(self.keep(open, reply)),
                // It was closed before a byte of this was written.
                Err(mut refused) => match refused.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(EgressError::from_exchange(refused.error(), &host)),
                },
            }
        }
        let mut open = Open::dial(connector, origin, identity, &host).await?;
        let sent = open.sender.send_request(request).await;
        let reply = sent.map_err(|error| EgressError::from_exchange(&error, &host))?;
        Ok(self.keep(open, reply))
    }

    /// The one that is open to there, as that one. Another is closed.
    fn take(&self, origin: &Uri, identity: Option<Identity>) -> Option<Open> {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        open.filter(|open| open.origin == *origin && open.identity == identity)
    }

    fn keep(&self, open: Open, reply: Response<Incoming>) -> Response<Incoming> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(open);
        reply
    }
}

impl Open {
    async fn dial(
        mut connector: Connector,
        origin: Uri,
        identity: Option<Identity>,
        host: &Arc<str>,
    ) -> Result<Self, EgressError> {
        let connecting = async {
            poll_fn(|context| connector.poll_ready(context)).await?;
            connector.call(origin.clone()).await
        };
        let dialled = connecting.await.map_err(|error| EgressError::from_dial(&*error, host))?;
        let shaken = handshake(dialled).await;
        let (sender, connection) =
            shaken.map_err(|error| EgressError::from_exchange(&error, host))?;
        // It ends with the last reply, once nobody can send another request. What goes wrong on it is
        // told to whoever waits for a reply.
        tokio::spawn(connection.with_upgrades());
        Ok(Self { origin, identity, sender })
    }
}

/// Leaves of the URI what goes on the first line (RFC 9112, section 3.2.1), and says the rest in
/// `host`. Both are what the pools' client makes of it.
fn take_origin(request: &mut Request<UpstreamBody>) -> Result<Uri, EgressError> {
    let malformed = || EgressError::Url { reason: "it is malformed" };
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    let authority = parts.authority.as_ref().ok_or_else(malformed)?;
    let host = HeaderValue::from_str(authority.as_str()).map_err(|_| malformed())?;
    let path = parts.path_and_query.replace(PathAndQuery::from_static("/"));
    *request.uri_mut() = path.map(Uri::from).unwrap_or_default();
    request.headers_mut().insert(HOST, host);
    Uri::from_parts(parts).map_err(|_| malformed())
}

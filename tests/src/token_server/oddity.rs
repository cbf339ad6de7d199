//! What token endpoints answer that RFC 6749 does not have.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value as Json, json};

/// One way to be odd.
#[derive(Clone, Debug)]
pub enum Oddity {
    /// This status and body, and no token.
    Says(u16, &'static str),
    /// 429 with this `Retry-After`, in seconds.
    SlowDown(u32),
    /// A page of HTML under 200.
    Page,
    /// 10 MB under 200.
    Huge,
    /// Tokens, with one member changed: `null` leaves it out.
    With(&'static str, Json),
}

impl Oddity {
    /// Whether tokens were made, and so whether a refresh token was used.
    pub(super) fn gives_tokens(&self) -> bool {
        matches!(self, Self::With(..))
    }

    pub(super) fn reply(self, mut tokens: Json) -> Response<Full<Bytes>> {
        let (status, kind, body) = match self {
            Self::Says(status, body) => (status, "application/json", Bytes::from(body)),
            Self::SlowDown(_) => (429, "text/plain", Bytes::from("slow down")),
            Self::Page => (200, "text/html", Bytes::from("<html><h1>Maintenance</h1></html>")),
            Self::Huge => (200, "application/json", Bytes::from(vec![b' '; 10 << 20])),
            Self::With(name, ref value) => {
                tokens[name] = value.clone();
                if value.is_null()
                    && let Some(tokens) = tokens.as_object_mut()
                {
                    tokens.remove(name);
                }
                (200, "application/json", Bytes::from(json!(tokens).to_string()))
            }
        };
        let mut reply = Response::new(Full::new(body));
        *reply.status_mut() = StatusCode::from_u16(status).expect("a status");
        reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Self::SlowDown(seconds) = self {
            reply.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        reply
    }
}

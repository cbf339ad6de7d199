//! What goes back to a caller: an upstream's reply, the management API's answer, or a fault.
//!
//! A fault is told twice over: in a JSON body of the shape that the official SDKs read
//! (`google.rpc.Status` with one `ErrorInfo`), and by its code in the header [`FAULT_HEADER`]. An
//! answer with that header is the gateway's own; one without it is the upstream's, whatever its
//! status.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::response::IntoResponse;
use bytes::Bytes;
use countersign::body::BodyError;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value as Json, json};

use crate::fault::{Fault, Kind};

/// Tells the gateway's own failures from an upstream's. Its value is the fault's code.
pub const FAULT_HEADER: HeaderName = HeaderName::from_static("countersign-error");

/// The id of the request, in every answer.
pub const REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("countersign-request-id");

/// The message that the official SDKs unpack.
const ERROR_INFO: &str = "type.googleapis.com/scalekit.v1.errdetails.ErrorInfo";

/// The body of an answer.
pub enum AnswerBody {
    /// Known whole.
    Whole(Full<Bytes>),
    /// Of the management API.
    Api(axum::body::Body),
    /// An upstream's, as it comes.
    Upstream(Pin<Box<dyn Body<Data = Bytes, Error = BodyError> + Send>>),
}

/// A whole answer.
pub type Answer = Response<AnswerBody>;

impl AnswerBody {
    /// An upstream's.
    pub(crate) fn upstream<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        Self::Upstream(Box::pin(body.map_err(Into::into)))
    }
}

/// A JSON document. Answers of the gateway's own are never kept by anyone on the way.
pub(crate) fn document(status: StatusCode, json: &Json) -> Answer {
    let mut answer = Response::new(AnswerBody::Whole(Full::from(json.to_string())));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Text of some kind.
pub(crate) fn text(kind: &'static str, text: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(AnswerBody::Whole(Full::new(text.into())));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// A fault, with the id of the request that came to it.
pub(crate) fn fault(fault: &Fault, request: &str) -> Answer {
    dressed(fault, &fault_document(fault, request))
}

/// The same with the word that RFC 6749, section 5.2, has for it.
pub(crate) fn token_fault(fault: &Fault, word: &str, request: &str) -> Answer {
    let mut document = fault_document(fault, request);
    document["error"] = word.into();
    document["error_description"] = fault.message.as_str().into();
    dressed(fault, &document)
}

fn dressed(fault: &Fault, json: &Json) -> Answer {
    let mut answer = document(status(fault.kind), json);
    let headers = answer.headers_mut();
    headers.insert(FAULT_HEADER, HeaderValue::from_static(fault.code));
    if fault.kind == Kind::Unauthenticated {
        // RFC 6750, section 3.
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    // RFC 9110, section 15.5.6.
    if let Some(allow) = &fault.allow {
        headers.insert(ALLOW, HeaderValue::clone(allow));
    }
    if let Some(after) = fault.retry_after {
        // Whole seconds (RFC 9110, section 10.2.3), never too early.
        let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

fn fault_document(fault: &Fault, request: &str) -> Json {
    let mut info = json!({
        "@type": ERROR_INFO,
        "error_code": fault.code,
        "request_info": {"request_id": request},
    });
    if !fault.fields.is_empty() {
        let violations: Vec<Json> = fault
            .fields
            .iter()
            .map(|it| json!({"field": it.field, "description": it.what, "constraint": it.fix}))
            .collect();
        info["validation_error_info"] = json!({"field_violations": violations});
    }
    let mut document = json!({
        "code": rpc_code(fault.kind),
        "error_code": fault.code,
        "message": fault.message,
        "details": [info],
    });
    if let Some(affected) = &fault.affected {
        let accounts = affected.accounts.iter().map(
            |(connector, identifier)| json!({"connector": connector, "identifier": identifier}),
        );
        document["affected"] = json!({
            "connections": affected.connections,
            "accounts": accounts.collect::<Vec<_>>(),
        });
    }
    document
}

/// As `google.api` maps codes of gRPC to statuses of HTTP.
pub(crate) fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid | Kind::Precondition => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Exists | Kind::Overtaken => StatusCode::CONFLICT,
        Kind::Method => StatusCode::METHOD_NOT_ALLOWED,
        Kind::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Kind::Upstream => StatusCode::BAD_GATEWAY,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Deadline => StatusCode::GATEWAY_TIMEOUT,
    }
}

/// `google.rpc.Code`.
pub(crate) fn rpc_code(kind: Kind) -> u8 {
    match kind {
        Kind::Invalid | Kind::MediaType => 3,
        Kind::TooLarge => 11,
        Kind::Method => 12,
        Kind::Deadline => 4,
        Kind::NotFound => 5,
        Kind::Exists => 6,
        Kind::Forbidden => 7,
        Kind::TooMany => 8,
        Kind::Precondition => 9,
        Kind::Overtaken => 10,
        Kind::Internal => 13,
        Kind::Upstream | Kind::Unavailable => 14,
        Kind::Unauthenticated => 16,
    }
}

/// A handler's fault travels as an extension: only the gateway knows the request's id.
impl IntoResponse for Fault {
    fn into_response(self) -> axum::response::Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(context).map_err(|never| match never {}),
            Self::Api(body) => Pin::new(body).poll_frame(context).map_err(Into::into),
            Self::Upstream(body) => body.as_mut().poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Api(body) => body.is_end_stream(),
            Self::Upstream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Api(body) => body.size_hint(),
            Self::Upstream(body) => body.size_hint(),
        }
    }
}

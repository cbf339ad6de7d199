//! One call: who makes it, on what, and with what.

use axum::RequestPartsExt as _;
use axum::body::Body;
use axum::extract::{FromRequest, RawPathParams, Request};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::Value as Json;

use super::Api;
use super::parameters::Parameters;
use crate::caller::Caller;
use crate::fault::{Fault, FieldFault, Kind};

/// One call. Its body is read where something is written in it, and left unread otherwise.
pub(super) struct Call {
    pub(super) caller: Caller,
    /// What the path names; empty where it names nothing.
    pub(super) name: String,
    pub(super) parameters: Parameters,
    /// What is wrong with it.
    pub(super) faults: Vec<FieldFault>,
    headers: HeaderMap,
    body: Body,
    longest: usize,
}

impl FromRequest<Api> for Call {
    type Rejection = Fault;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Fault> {
        let (mut parts, body) = request.into_parts();
        let path = parts.extract::<RawPathParams>().await.map_err(|_| {
            Fault::field("path", "is no UTF-8", "write names percent-encoded, as UTF-8")
        })?;
        let name = path.iter().next().map(|(_, name)| name.to_owned()).unwrap_or_default();
        let caller = parts.extensions.get::<Caller>().cloned();
        let caller = caller.ok_or_else(|| {
            Fault::new(Kind::Internal, "internal", "the request has come past the gateway's door")
        })?;
        Ok(Self {
            caller,
            name,
            parameters: Parameters::parse(parts.uri.query().unwrap_or_default()),
            faults: Vec::new(),
            headers: parts.headers,
            body,
            longest: api.settings.load().longest_document,
        })
    }
}

impl Call {
    /// The JSON document in its body.
    pub(super) async fn document(&mut self) -> Result<Json, Fault> {
        if !is_json(&self.headers) {
            let message = "the body is read as JSON: send `content-type: application/json`";
            return Err(Fault::new(Kind::MediaType, "unsupported_media_type", message));
        }
        let body = Limited::new(std::mem::take(&mut self.body), self.longest);
        let body = body.collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                let message = format!("the body is longer than {} bytes", self.longest);
                return Fault::new(Kind::TooLarge, "body_too_large", message);
            }
            Fault::new(Kind::Invalid, "body_unreadable", "the body broke off")
        })?;
        serde_json::from_slice(&body.to_bytes()).map_err(|error| {
            let what = format!(
                "is no JSON, or nested too deep: line {}, column {}",
                error.line(),
                error.column(),
            );
            Fault::field("", &what, "send one JSON object")
        })
    }

    /// Refuses a call that has any fault. To be asked where there is nothing more to be found.
    pub(super) fn ready(mut self) -> Result<Caller, Fault> {
        self.parameters.end(&mut self.faults);
        if self.faults.is_empty() { Ok(self.caller) } else { Err(Fault::of_fields(self.faults)) }
    }

    /// Who calls, and what is wrong so far: for what the service adds to.
    pub(super) fn judged(mut self) -> (Caller, Vec<FieldFault>) {
        self.parameters.end(&mut self.faults);
        (self.caller, self.faults)
    }
}

/// `application/json`, or what is written in it (RFC 6839), whatever its parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let suffixed = essence.strip_prefix("application/").is_some_and(|it| it.ends_with("+json"));
    essence == "application/json" || suffixed
}

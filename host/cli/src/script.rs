//! Fetches answered from a script instead of the network, and written down.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use countersign::egress::{EgressError, Route};
use countersign::flow::Fetcher;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use serde_json::Value as Json;

use crate::case;
use crate::json::{Object, invalid};

use crate::failure::Failure;

/// Gives its replies in order, one for each fetch.
pub(crate) struct Script {
    record: Mutex<Record>,
    /// Whether a fetch may go without TLS, as the real way out would let it.
    allow_http: bool,
}

#[derive(Default)]
struct Record {
    replies: VecDeque<Response<Bytes>>,
    fetches: Vec<Fetch>,
    missing: Option<String>,
}

/// A fetch as it would have been sent.
#[derive(Clone)]
pub(crate) struct Fetch {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) route: Route,
}

impl Script {
    pub(crate) fn new(replies: Vec<Response<Bytes>>, allow_http: bool) -> Self {
        let record = Mutex::new(Record { replies: replies.into(), ..Record::default() });
        Self { record, allow_http }
    }

    /// Reads `{"status"?, "headers"?, "body"?}`.
    pub(crate) fn reply(json: &Json, path: &str) -> Result<Response<Bytes>, Failure> {
        let object = Object::open(json, path, &["status", "headers", "body"])?;
        let status = match object.get("status") {
            None => StatusCode::OK,
            Some(json) => json
                .as_u64()
                .and_then(|it| StatusCode::from_u16(u16::try_from(it).ok()?).ok())
                .ok_or_else(|| invalid(&object.at("status"), "is no status from 100 to 999"))?,
        };
        let mut reply = Response::new(object.body("body")?.unwrap_or_default());
        *reply.status_mut() = status;
        for (name, value) in object.pairs("headers")? {
            let (name, value) = case::header(name, value, &object.at("headers"))?;
            reply.headers_mut().append(name, value);
        }
        Ok(reply)
    }

    /// What was fetched so far.
    pub(crate) fn fetches(&self) -> Vec<Fetch> {
        self.record().fetches.clone()
    }

    /// The origin of a fetch that there was no reply for.
    pub(crate) fn missing(&self) -> Option<String> {
        self.record().missing.clone()
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        // Each change is whole by itself, so a panic elsewhere left nothing half done.
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Fetcher for Script {
    async fn fetch(
        &self,
        request: Request<Bytes>,
        limit: usize,
        deadline: Duration,
    ) -> Result<Response<Bytes>, EgressError> {
        self.fetch_by(Route::default(), request, limit, deadline).await
    }

    /// Nothing leaves, and what was asked of the connection is kept.
    async fn fetch_by(
        &self,
        route: Route,
        request: Request<Bytes>,
        limit: usize,
        _: Duration,
    ) -> Result<Response<Bytes>, EgressError> {
        let (parts, body) = request.into_parts();
        let host = parts.uri.host().unwrap_or_default().into();
        // What the real way out refuses before it dials.
        let scheme = parts.uri.scheme_str().unwrap_or_default().to_owned();
        if scheme != "https" && !self.allow_http {
            return Err(EgressError::Scheme { host });
        }
        let mut record = self.record();
        let authority = parts.uri.authority().map(ToString::to_string).unwrap_or_default();
        record.fetches.push(Fetch {
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
            body,
            route,
        });
        match record.replies.pop_front() {
            Some(reply) if reply.body().len() > limit => Err(EgressError::TooLarge { host, limit }),
            Some(reply) => Ok(reply),
            None => {
                record.missing = Some(format!("{scheme}://{authority}"));
                // One of the errors that end a flow at once: the plugin would make its own story
                // of any other.
                Err(EgressError::AddressRefused { host })
            }
        }
    }
}

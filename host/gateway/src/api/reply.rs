//! Answers that are no fault.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use countersign_vault::Listed;
use http::StatusCode;
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

use super::page::{Edges, Rows, tokens};
use crate::answer;

/// A status and a document.
pub(super) struct Reply(StatusCode, Json);

impl Reply {
    /// Something was made.
    pub(super) fn created(json: Json) -> Self {
        Self(StatusCode::CREATED, json)
    }

    /// It is done, or this is what was asked for.
    pub(super) fn ok(json: Json) -> Self {
        Self(StatusCode::OK, json)
    }

    /// It is done, and there is nothing to tell.
    pub(super) fn done() -> Self {
        Self::ok(json!({}))
    }

    /// A page of a list, under `name`.
    pub(super) fn list<T>(
        name: &str,
        rows: Rows,
        listed: &Listed<T>,
        json: Vec<Json>,
        edges: Edges,
    ) -> Self {
        let (next, previous) = tokens(rows, listed, edges);
        let mut object = Map::new();
        object.insert(name.to_owned(), json.into());
        object.insert("total_size".to_owned(), listed.total.into());
        object.insert("next_page_token".to_owned(), next.into());
        object.insert("prev_page_token".to_owned(), previous.into());
        Self::ok(Json::Object(object))
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        answer::document(self.0, &self.1).map(|body| Body::new(body.map_err(axum::Error::new)))
    }
}

/// RFC 3339, of Unix milliseconds.
pub(super) fn time(millis: u64) -> Json {
    let timestamp = i64::try_from(millis).ok().and_then(|it| Timestamp::from_millisecond(it).ok());
    timestamp.map_or(Json::Null, |it| it.to_string().into())
}

/// Puts a member in place where there is something to say.
pub(super) fn put(json: &mut Json, key: &str, value: Option<impl Into<Json>>) {
    if let Some(value) = value {
        json[key] = value.into();
    }
}

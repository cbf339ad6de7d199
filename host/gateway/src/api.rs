//! The management API: REST and JSON over the service.

use std::sync::{Arc, LazyLock};

use axum::Router;
use serde_json::{Value as Json, json};

use crate::fault::Fault;
use crate::service::Service;
use crate::settings::Settings;

/// All of it. Each request has a [`Caller`](crate::Caller) among its extensions.
pub(crate) fn router(_service: Arc<Service>, _settings: &Settings) -> Router {
    Router::new().fallback(|| async { Fault::not_found("path") })
}

/// The OpenAPI document.
pub(crate) fn description() -> &'static Json {
    static DESCRIPTION: LazyLock<Json> = LazyLock::new(|| json!({"openapi": "3.1.0"}));
    &DESCRIPTION
}

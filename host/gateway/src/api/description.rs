//! The OpenAPI document.
use serde_json::{Value as Json, json};
use std::sync::LazyLock;
/// The OpenAPI document.
pub(crate) fn description() -> &'static Json {
    static DESCRIPTION: LazyLock<Json> = LazyLock::new(|| json!({"openapi": "3.1.0"}));
    &DESCRIPTION
}

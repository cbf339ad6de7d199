//! The OpenAPI document: every path, parameter, body, answer and error.
//!
//! Limits are the very constants that calls are held to. A test compares the paths and methods with the
//! router's, and `tests/schemathesis/run.sh` holds a running server to the whole of it.

mod operations;
mod schemas;

use std::sync::LazyLock;

use http::StatusCode;
use serde_json::{Map, Value as Json, json};

use operations::{Operation, operations};

/// Statuses that any call of the management API may end with.
const ANY: [u16; 4] = [400, 401, 403, 503];

/// The OpenAPI document.
pub(crate) fn description() -> &'static Json {
    static DESCRIPTION: LazyLock<Json> = LazyLock::new(describe);
    &DESCRIPTION
}

fn describe() -> Json {
    let mut paths = beside();
    for operation in operations() {
        let path = format!("/api/v1{}", operation.path);
        paths[path][operation.method] = operation.json();
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Countersign",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The management API of the gateway. Every failure has one shape, the \
                schema `Fault`, and its code in the header `countersign-error` as well. Requests to \
                /proxy/ are passed on to upstreams, and are no part of this description.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"client": []}],
        "paths": paths,
        "components": {
            "schemas": schemas::schemas(),
            "headers": {
                "RequestId": {
                    "description": "The id of the request, in the log and in the audit. That of \
                        `x-request-id`, where the caller sends one that is plain.",
                    "required": true,
                    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
                },
                "Error": {
                    "description": "The fault's code. Answers that come from an upstream have none.",
                    "required": true,
                    "schema": {"type": "string", "minLength": 1},
                },
                "NoStore": {
                    "required": true,
                    "schema": {"type": "string", "const": "no-store"},
                },
            },
            "securitySchemes": {
                "client": {
                    "type": "oauth2",
                    "description": "The token goes into `Authorization: Bearer`. Roles are the \
                        client's, not the token's.",
                    "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": {}}},
                },
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "The client's id and secret, form-encoded (RFC 6749, section \
                        2.3.1).",
                },
            },
        },
    })
}

impl Operation {
    fn json(&self) -> Json {
        let mut responses = Map::new();
        let (status, schema) = self.answer;
        let mut good = answer(status, schema);
        if let Some(links) = links(self.id) {
            good["links"] = links;
        }
        responses.insert(status.to_string(), good);
        let of_body: &[u16] = if self.body.is_some() { &[413, 415] } else { &[] };
        for status in ANY.iter().chain(self.faults).chain(of_body) {
            responses.insert(status.to_string(), answer(*status, "Fault"));
        }
        let mut json = json!({
            "operationId": self.id,
            "summary": self.summary,
            "tags": [self.tag()],
            "parameters": self.parameters,
            "responses": responses,
        });
        if !self.more.is_empty() {
            json["description"] = self.more.into();
        }
        if let Some(schema) = self.body {
            json["requestBody"] = json!({
                "required": true,
                "content": {"application/json": {"schema": reference(schema)}},
            });
        }
        json
    }

    /// The first word of its path.
    fn tag(&self) -> &'static str {
        self.path[1..].split(['/', ':']).next().unwrap_or_default()
    }
}

/// What the answer of a call that makes something is good for.
fn links(id: &str) -> Option<Json> {
    let (parameter, place, others): (_, _, &[&str]) = match id {
        "createProvider" => {
            ("identifier", "/provider/identifier", &["updateProvider", "deleteProvider"])
        }
        "createConnection" => (
            "id",
            "/connection/id",
            &[
                "getConnection",
                "updateConnection",
                "enableConnection",
                "disableConnection",
                "deleteConnection",
            ],
        ),
        "createAccount" => ("id", "/connected_account/id", &["getAccount", "revealAccount"]),
        "createClient" => ("id", "/client/id", &["getClient", "rotateClient", "revokeClient"]),
        _ => return None,
    };
    let value = format!("$response.body#{place}");
    let link = |other: &&str| {
        let link = json!({"operationId": other, "parameters": {parameter: value}});
        ((*other).to_owned(), link)
    };
    let mut links: Map<String, Json> = others.iter().map(link).collect();
    if id == "createAccount" {
        let name = json!({"id": value});
        let changed = json!({"id": value, "connected_account": {}});
        for (other, body) in [("deleteAccount", name), ("updateAccount", changed)] {
            links.insert(other.to_owned(), json!({"operationId": other, "requestBody": body}));
        }
    }
    Some(links.into())
}

fn reference(schema: &str) -> Json {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

fn answer(status: u16, schema: &str) -> Json {
    let reason = StatusCode::from_u16(status).ok().and_then(|it| it.canonical_reason());
    let header = |name: &str| json!({"$ref": format!("#/components/headers/{name}")});
    let mut headers =
        json!({"countersign-request-id": header("RequestId"), "cache-control": header("NoStore")});
    if status >= 400 {
        headers["countersign-error"] = header("Error");
    }
    json!({
        "description": reason.unwrap_or_default(),
        "headers": headers,
        "content": {"application/json": {"schema": reference(schema)}},
    })
}

/// The paths beside the management API.
fn beside() -> Json {
    let read = |id: &str, summary: &str, schema: Json, faults: &[u16]| {
        let mut ok = answer(200, "Fault");
        ok["content"]["application/json"]["schema"] = schema;
        let mut responses = json!({"200": ok});
        for status in [400].iter().chain(faults) {
            responses[status.to_string()] = answer(*status, "Fault");
        }
        json!({"get": {"operationId": id, "summary": summary, "tags": ["process"], "security": [],
            "responses": responses}})
    };
    let status = |word: &str| {
        json!({"type": "object", "required": ["status"], "additionalProperties": false,
            "properties": {"status": {"const": word}}})
    };
    json!({
        "/oauth/token": {"post": {
            "operationId": "token",
            "summary": "A token for a client (RFC 6749, section 4.4)",
            "tags": ["token"],
            "security": [{}, {"basic": []}],
            "requestBody": {
                "required": true,
                "content": {"application/x-www-form-urlencoded": {"schema": reference("TokenForm")}},
            },
            "responses": {
                "200": answer(200, "Token"),
                "400": answer(400, "TokenFault"),
                "401": answer(401, "TokenFault"),
                "429": answer(429, "TokenFault"),
                "503": answer(503, "TokenFault"),
            },
        }},
        "/healthz": read("health", "Whether the process is there", status("ok"), &[]),
        "/readyz": read("ready", "Whether it takes requests", status("ready"), &[503]),
        "/openapi.json": read("description", "This document",
            json!({"type": "object", "required": ["openapi"]}), &[]),
        "/keys": read("keys", "Keys that tokens are signed with, of which there are none",
            json!({"type": "object", "required": ["keys"],
                "properties": {"keys": {"type": "array", "maxItems": 0}}}), &[]),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::api::routes;

    #[test]
    fn what_is_described_is_routed_and_the_reverse() {
        let described = operations().into_iter().map(|it| (it.path, it.method.to_uppercase()));
        let described: BTreeSet<_> = described.collect();
        let mut routed = BTreeSet::new();
        for (path, methods) in routes() {
            // A router says which methods it has by its `Debug` alone.
            let debug = format!("{methods:?}");
            let allow = debug.split("allow_header: Bytes(\n").last().unwrap_or(&debug);
            let allow = allow.split("b\"").nth(1).unwrap().split('"').next().unwrap();
            routed.extend(allow.split(',').map(|it| (path, it.to_owned())));
        }
        routed.retain(|(_, method)| method != "HEAD");
        assert_eq!(described, routed);
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_schema_is_used() {
        let text = description().to_string();
        let mut used = BTreeSet::new();
        for part in text.split("\"$ref\":\"#").skip(1) {
            let pointer = part.split('"').next().unwrap();
            assert!(description().pointer(pointer).is_some(), "{pointer}");
            used.insert(pointer.rsplit('/').next().unwrap().to_owned());
        }
        let schemas = description()["components"]["schemas"].as_object().unwrap();
        for schema in schemas.keys() {
            assert!(used.contains(schema), "nothing is of the schema {schema}");
        }
    }
}

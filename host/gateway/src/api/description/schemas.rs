//! Every document that is sent and answered.

use serde_json::{Map, Value as Json, json};

use super::operations::connector;
use super::reference;
use crate::api::{account, connection};

/// All of them, by name.
pub(super) fn schemas() -> Json {
    let mut all = Map::new();
    for schemas in [faults(), providers(), connections(), accounts(), clients()] {
        if let Json::Object(schemas) = schemas {
            all.extend(schemas);
        }
    }
    Json::Object(all)
}

/// Each of these members and no other, all there but those whose name ends in `?`.
fn object(members: Json) -> Json {
    let Json::Object(members) = members else { return Json::Null };
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (name, schema) in members {
        if let Some(name) = name.strip_suffix('?') {
            properties.insert(name.to_owned(), schema);
        } else {
            required.push(name.clone());
            properties.insert(name, schema);
        }
    }
    json!({"type": "object", "properties": properties, "required": required,
        "additionalProperties": false})
}

fn text() -> Json {
    json!({"type": "string"})
}

fn texts() -> Json {
    json!({"type": "array", "items": text()})
}

fn flag() -> Json {
    json!({"type": "boolean"})
}

fn time() -> Json {
    json!({"type": "string", "format": "date-time"})
}

fn id(prefix: &str) -> Json {
    json!({"type": "string", "pattern": format!("^{prefix}_[0-9]{{18}}$")})
}

fn version() -> Json {
    json!({"type": "integer", "minimum": 1,
        "description": "Counted up on each change."})
}

/// The same, and null, which counts as absent.
fn or_null(mut schema: Json) -> Json {
    let kind = schema["type"].take();
    schema["type"] = json!([kind, "null"]);
    schema
}

/// A list of `schema` under `name`, and what leads to other pages.
fn list(name: &str, schema: &str) -> Json {
    let mut members = json!({
        "total_size": {"type": "integer", "minimum": 0},
        "next_page_token": {"type": "string", "maxLength": 32},
        "prev_page_token": {"type": "string", "maxLength": 32},
    });
    members[name] = json!({"type": "array", "items": reference(schema)});
    object(members)
}

fn one(name: &str, schema: &str) -> Json {
    let mut members = json!({});
    members[name] = reference(schema);
    object(members)
}

fn faults() -> Json {
    let violation = object(json!({
        "field": {"type": "string", "description": "Where, as the caller wrote it: \
            `auth_patterns[0].type`. Empty for the whole document."},
        "description": {"type": "string", "description": "What is wrong."},
        "constraint": {"type": "string", "description": "What to do about it."},
    }));
    let info = object(json!({
        "@type": {"const": "type.googleapis.com/scalekit.v1.errdetails.ErrorInfo"},
        "error_code": text(),
        "request_info": object(json!({"request_id": text()})),
        "validation_error_info?": object(json!({
            "field_violations": {"type": "array", "minItems": 1, "items": violation},
        })),
    }));
    let affected = object(json!({
        "connections": texts(),
        "accounts": {"type": "array",
            "items": object(json!({"connector": text(), "identifier": text()}))},
    }));
    let fault = json!({
        "code": {"type": "integer", "minimum": 1, "maximum": 16,
            "description": "`google.rpc.Code`."},
        "error_code": {"type": "string", "description": "A stable word for programs."},
        "message": {"type": "string", "description": "A sentence for people."},
        "details": {"type": "array", "items": info, "minItems": 1, "maxItems": 1},
        "affected?": affected,
    });
    let mut token_fault = fault.clone();
    token_fault["error"] = json!({"type": "string", "description": "RFC 6749, section 5.2."});
    token_fault["error_description"] = text();
    json!({
        "Fault": object(fault),
        "TokenFault": object(token_fault),
        "Nothing": object(json!({})),
        "TokenForm": {
            "type": "object",
            "required": ["grant_type"],
            "properties": {
                "grant_type": {"const": "client_credentials"},
                "client_id": {"type": "string", "description": "Here, or in `Authorization: Basic`."},
                "client_secret": text(),
            },
        },
        "Token": object(json!({
            "access_token": text(),
            "token_type": {"const": "Bearer"},
            "expires_in": {"type": "integer", "minimum": 0, "description": "Seconds."},
        })),
    })
}

fn providers() -> Json {
    let pattern = json!({
        "type": "object",
        "required": ["type"],
        "description": "One way in. Members that are not known are kept.",
        "properties": {
            "type": {"type": "string", "minLength": 1, "maxLength": 64, "description":
                "OAUTH, BASIC, BEARER, API_KEY, or another that a loaded plugin answers to."},
            "name": or_null(text()),
            "display_name": or_null(text()),
            "description": or_null(text()),
            "fields": or_null(json!({"type": "array", "items": {"type": "object"}})),
            "account_fields": or_null(json!({"type": "array", "items": {"type": "object"}})),
            "oauth_config": or_null(json!({"type": "object"})),
            "auth_header_key_override": or_null(text()),
            "auth_field_mutations": or_null(json!({"type": "object"})),
        },
    });
    let name = json!({"type": "string", "minLength": 1, "maxLength": 200,
        "pattern": "^[a-zA-Z0-9 ]*[a-zA-Z0-9][a-zA-Z0-9 ]*$"});
    let url = json!({"type": "string", "minLength": 1, "maxLength": 2048});
    let patterns = json!({"type": "array", "minItems": 1, "items": reference("AuthPattern")});
    let metadata = json!({"type": "object", "maxProperties": 20,
        "propertyNames": {"minLength": 3, "maxLength": 25},
        "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 256}});
    let small = json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX});
    let icon = json!({"type": "string", "pattern": "^(https://.*)?$"});
    let optional = json!({
        "description": or_null(text()),
        "icon_src": or_null(icon.clone()),
        "categories": or_null(texts()),
        "display_priority": or_null(small.clone()),
        "coming_soon": or_null(flag()),
        "metadata": or_null(metadata.clone()),
    });
    let mut payload = optional.clone();
    let mut change = optional;
    let needed = [
        ("display_name", name),
        ("proxy_url", url),
        ("auth_patterns", patterns),
        ("proxy_enabled", flag()),
    ];
    for (member, schema) in &needed {
        payload[*member] = schema.clone();
        change[*member] = or_null(schema.clone());
    }
    let required: Vec<&str> = needed.iter().map(|(member, _)| *member).collect();
    let of_one_type = json!({"type": "object"});
    json!({
        "AuthPattern": pattern,
        "ProviderPayload": {
            "type": "object", "properties": payload, "required": required,
            "description": "Members that are not known are kept. Those that answers add are not \
                taken from a payload, so that what is read can be sent.",
            "examples": [{
                "display_name": "My Bearer Token Provider",
                "auth_patterns": [{"type": "BEARER", "fields": [{"field_name": "token",
                    "label": "Bearer Token", "input_type": "password", "required": true}]}],
                "proxy_url": "https://api.example.com",
                "proxy_enabled": true,
            }],
        },
        "ProviderChange": {"type": "object", "properties": change},
        "OneProvider": one("provider", "Provider"),
        "Providers": list("providers", "Provider"),
        "Provider": {
            "type": "object",
            "required": ["id", "identifier", "display_name", "description", "categories",
                "auth_patterns", "icon_src", "display_priority", "coming_soon", "proxy_url",
                "proxy_enabled", "is_custom", "is_custom_mcp", "metadata", "version",
                "created_at", "updated_at"],
            "properties": {
                "id": id("prov"),
                "identifier": {"type": "string", "minLength": 1,
                    "description": "What calls name it by; derived from the first display name."},
                "display_name": text(),
                "description": text(),
                "categories": texts(),
                "auth_patterns": {"type": "array", "minItems": 1, "items": of_one_type},
                "icon_src": icon,
                "display_priority": small,
                "coming_soon": flag(),
                "proxy_url": text(),
                "proxy_enabled": flag(),
                "is_custom": {"const": true},
                "is_custom_mcp": flag(),
                "metadata": metadata,
                "version": version(),
                "created_at": time(),
                "updated_at": time(),
            },
        },
    })
}

fn connections() -> Json {
    let name = json!({"type": "string", "maxLength": connection::LONGEST_NAME});
    let settings = json!({"type": "object"});
    let sent = json!({
        "provider_key": or_null(json!({"type": "string",
            "maxLength": connection::LONGEST_PROVIDER})),
        "key_id": or_null(name.clone()),
        "auth_pattern": or_null(name.clone()),
        "type": or_null(name),
        "auth_mode": {"enum": ["USER", "", null]},
        "enabled": or_null(flag()),
        "oauth_config": or_null(settings.clone()),
        "static_config": or_null(settings.clone()),
        "connection": {"type": "null"},
    });
    let mut new = sent.clone();
    new["provider_key"] =
        json!({"type": "string", "minLength": 1, "maxLength": connection::LONGEST_PROVIDER});
    new["enabled"] = json!({"enum": [true, null]});
    let wrapped = |schema: &str| {
        json!({"type": "object", "required": ["connection"], "additionalProperties": false,
            "properties": {"connection": reference(schema), "flags": {
                "description": "Whether it is for signing in. No connection here is; ignored."}}})
    };
    let head = json!({
        "id": id("conn"),
        "provider_key": {"type": "string", "description": "The provider's identifier."},
        "key_id": {"type": "string", "description": "What callers name it by."},
        "type?": {"type": "string", "description": "The type of its auth pattern."},
        "status": {"const": "COMPLETED"},
        "enabled": flag(),
        "auth_mode": {"const": "USER"},
        "created_at": time(),
    });
    let mut whole = head.clone();
    whole["auth_pattern?"] = text();
    whole["oauth_config?"] = settings;
    whole["static_config?"] = object(json!({"static_config": {"type": "object"}}));
    whole["secret_settings"] = json!({"type": "array", "items": text(),
        "description": "The names of settings that no answer tells: `client_secret`."});
    whole["version"] = version();
    whole["updated_at"] = time();
    json!({
        "ConnectionSettings": {
            "type": "object", "properties": new, "required": ["provider_key"],
            "description": "Members that are not named here are settings, as those of \
                `oauth_config` and `static_config` are.",
            "examples": [{"provider_key": "my-bearer-token-provider", "key_id": "bearer-1"}],
        },
        "ConnectionSettingsChange": {"type": "object", "properties": sent},
        "NewConnection": {"anyOf": [wrapped("ConnectionSettings"), reference("ConnectionSettings")]},
        "ConnectionChange": {"anyOf": [wrapped("ConnectionSettingsChange"),
            reference("ConnectionSettingsChange")]},
        "OneConnection": one("connection", "Connection"),
        "Connections": list("connections", "Connection"),
        "AppConnections": list("connections", "AppConnection"),
        "Toggled": object(json!({"enabled": flag(), "connection": reference("Connection")})),
        "Connection": object(whole),
        "AppConnection": object(head),
    })
}

fn accounts() -> Json {
    let short = json!({"type": "string", "maxLength": account::LONGEST_ID});
    let named = |more: Json| {
        let mut members = json!({
            "connector?": or_null(connector()),
            "identifier?": or_null(json!({"type": "string",
                "maxLength": account::LONGEST_IDENTIFIER})),
            "organization_id?": or_null(short.clone()),
            "user_id?": or_null(short.clone()),
        });
        if let Json::Object(more) = more {
            for (member, schema) in more {
                members[member] = schema;
            }
        }
        object(members)
    };
    let is = |member: &str| json!({"required": [member], "properties": {member: {"type": "string", "minLength": 1}}});
    let (id_said, connector_said) = (is("id"), is("connector"));
    let identifier_said = json!({"anyOf": [is("identifier"), is("organization_id")]});
    let by_name = json!({"allOf": [connector_said, identifier_said]});
    let either = json!([id_said, by_name]);
    let sent = object(json!({
        "authorization_details?": or_null(json!({"type": "object", "properties": {
            "static_auth": {"type": ["object", "null"]},
            "oauth_token": {"type": ["object", "null"]},
        }, "description": "`{\"static_auth\": {\"details\": {…}}}` or `{\"oauth_token\": {…}}`; \
            none, or an empty token, where there are no credentials yet."})),
        "api_config?": or_null(json!({"type": "object"})),
    }));
    let mut new = named(json!({"connected_account": sent}));
    new["allOf"] = by_name["allOf"].clone();
    new["examples"] = json!([{"connector": "bearer-1", "identifier": "user-1", "connected_account":
        {"authorization_details": {"static_auth": {"details": {"token": "t"}}}}}]);
    let mut change = named(json!({"id?": or_null(short.clone()), "connected_account": sent}));
    change["anyOf"] = either.clone();
    let mut name = named(json!({"id?": or_null(short.clone())}));
    name["anyOf"] = either;
    let shown = json!({
        "id": id("ca"),
        "identifier": text(),
        "provider": text(),
        "connector": text(),
        "connection_id": id("conn"),
        "status": {"enum": ["ACTIVE", "EXPIRED", "PENDING_AUTH", "PENDING_VERIFICATION",
            "DISCONNECTED"]},
        "authorization_type": {"enum": ["OAUTH", "API_KEY", "BASIC", "BEARER_TOKEN", "OAUTH_M2M",
            "TRELLO_OAUTH1", "GOOGLE_DWD", "TRUSTED_IDP", "SMART_FHIR", "NO_AUTH", "CUSTOM"],
            "description": "In the SDKs' words; CUSTOM for a type that they do not know."},
        "auth_type": {"type": "string", "description": "The type of the auth pattern as it is."},
        "is_org_wide_credential": {"const": false},
        "version": version(),
        "created_at": time(),
        "updated_at": time(),
        "token_expires_at?": time(),
        "last_used_at?": time(),
    });
    let mut revealed = shown.clone();
    revealed["authorization_details"] = json!({"type": "object"});
    revealed["api_config"] = json!({"type": "object"});
    json!({
        "NewAccount": new,
        "AccountChange": change,
        "AccountName": name,
        "OneAccount": one("connected_account", "Account"),
        "OneRevealedAccount": one("connected_account", "RevealedAccount"),
        "Accounts": list("connected_accounts", "Account"),
        "Account": object(shown),
        "RevealedAccount": object(revealed),
    })
}

fn clients() -> Json {
    let roles = json!({"type": "array", "minItems": 1, "items": {"enum": ["proxy", "manage",
        "reveal"]}});
    let name = json!({"type": "string", "minLength": 1, "maxLength": 200,
        "pattern": "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$"});
    let identifier = json!({"type": "string", "minLength": 1, "maxLength": 200,
        "pattern": "^[^\\x00-\\x1f\\x7f-\\x9f]*$"});
    let connection = json!({"type": "string", "minLength": 1, "maxLength": 400,
        "pattern": "^[a-zA-Z0-9_: -]*$"});
    let limit =
        |items: Json| json!({"type": "array", "minItems": 1, "maxItems": 1000, "items": items});
    json!({
        "NewClient": object(json!({
            "name": name,
            "roles": roles,
            "connections?": or_null(limit(connection)),
            "identifiers?": or_null(limit(identifier)),
        })),
        "OneClient": one("client", "Client"),
        "IssuedClient": object(json!({
            "client": reference("Client"),
            "client_secret": {"type": "string", "pattern": "^sks_[A-Za-z0-9_-]{43}$"},
        })),
        "Clients": object(json!({
            "clients": {"type": "array", "items": reference("Client")},
            "total_size": {"type": "integer", "minimum": 0},
        })),
        "Client": object(json!({
            "id": text(),
            "name": text(),
            "roles": roles,
            "connections?": texts(),
            "identifiers?": texts(),
            "created_at": time(),
            "updated_at": time(),
        })),
        "Audit": list("audit", "Audited"),
        "Audited": object(json!({
            "id": id("au"),
            "at": time(),
            "client": {"type": "string", "description": "Who, by the client's id."},
            "request_id": text(),
            "action": {"type": "string", "description": "`provider.create` and so on."},
            "subject": {"type": "string", "description": "The id or the name of what was changed."},
        })),
    })
}

//! What went wrong at a gateway, or on the way to it.

use countersign::code::Code;
use http::StatusCode;
use serde_json::{Value as Json, json};

use crate::codes;
use crate::failure::Failure;

/// A word of the library and of the gateway both, which mean different things by it.
const INVALID: &str = "invalid_request";

/// The gateway's own codes that a command meets, each with what is to be done and by whom: as
/// docs/api.md has it.
const OWN: [(&str, &str, &str); 11] = [
    ("not_found", "Look for the name with `list`.", CALLER),
    ("already_exists", "Choose another name, or change what is there.", CALLER),
    ("in_use", "Remove first what uses it.", CALLER),
    ("overtaken", "Somebody else was quicker: look again, and repeat it.", CALLER),
    ("not_given", "Give the secrets again.", CALLER),
    ("forbidden", "Ask with a client that has the role, or no limits.", CALLER),
    ("unauthenticated", "Get a token, or give the id and the secret of a client.", CALLER),
    ("invalid_client", "Check COUNTERSIGN_CLIENT_ID and COUNTERSIGN_CLIENT_SECRET.", CALLER),
    ("connection_disabled", "Enable it: `countersign connection enable NAME`.", CALLER),
    ("unusable", "Mend the provider or the connection as the message says.", "whoever configures"),
    ("too_many_requests", "Wait, and repeat it.", CALLER),
];
const CALLER: &str = "whoever runs the command";

/// The gateway's own answer to what it does not do.
pub(super) fn refusal(status: StatusCode, body: &[u8]) -> Failure {
    let Ok(fault) = serde_json::from_slice::<Json>(body) else { return no_gateway(status) };
    let Some(code) = fault["error_code"].as_str() else { return no_gateway(status) };
    let info = &fault["details"][0];
    let fields = info["validation_error_info"]["field_violations"].as_array();
    let fields: Vec<&Json> = fields.into_iter().flatten().collect();
    let member = |field: &Json, name: &str| field[name].as_str().unwrap_or_default().to_owned();
    let mut message = format!("{code}: {}", fault["message"].as_str().unwrap_or_default());
    for (nth, field) in fields.iter().enumerate() {
        let (name, what) = (member(field, "field"), member(field, "description"));
        let (fix, joint) = (member(field, "constraint"), if nth == 0 { ":" } else { ";" });
        message = format!("{message}{joint} {name} {what} ({fix})");
    }
    let affected = &fault["affected"];
    let connections = affected["connections"].as_array().into_iter().flatten();
    let connections = connections.filter_map(Json::as_str).map(|it| format!("connection {it}"));
    let accounts = affected["accounts"].as_array().into_iter().flatten();
    let accounts = accounts
        .map(|it| format!("account {} of {}", member(it, "identifier"), member(it, "connector")));
    let all: Vec<String> = connections.chain(accounts).collect();
    if !all.is_empty() {
        message = format!("{message}; affected: {}", all.join(", "));
    }
    let mut told = json!({
        "code": code,
        "status": status.as_u16(),
        "request_id": info["request_info"]["request_id"],
    });
    if !fields.is_empty() {
        told["fields"] = fields.iter().map(|it| (*it).clone()).collect();
    }
    if !affected.is_null() {
        told["affected"] = affected.clone();
    }
    let library = Code::ALL.iter().find(|it| it.as_str() == code && code != INVALID);
    if let Some(known) = library {
        // It is said below.
        let end = message.strip_suffix(known.fix()).map_or(message.len(), |it| it.trim_end().len());
        message.truncate(end);
    }
    let mut failure = Failure::new(codes::GATEWAY_REFUSED, message).told_by_gateway(told);
    if let Some(first) = fields.first() {
        failure = failure.at(member(first, "field"));
    }
    if let Some(known) = library {
        // Of some it is a message of the library's that would say more; a gateway keeps that to itself.
        let is_there = !known.fix().contains("message");
        let fix = if is_there { known.fix() } else { "The gateway's log says what it is about." };
        failure = failure.with_fix(fix.to_owned()).for_whom(known.actor());
    } else if !fields.is_empty() {
        let fix = "Mend each field that the message names, as it says there.";
        failure = failure.with_fix(fix.to_owned()).for_whom("whoever wrote them");
    } else if let Some((_, fix, actor)) = OWN.iter().find(|(known, ..)| *known == code) {
        failure = failure.with_fix((*fix).to_owned()).for_whom(actor);
    }
    if code == "new_origins" {
        failure = failure.with_hint(
            "To go on, repeat it with `--new-origins confirm`, which gives the secrets for the new \
             origins, or `--new-origins disconnect`, which disconnects the accounts.",
        );
    }
    failure
}

fn no_gateway(status: StatusCode) -> Failure {
    let what = format!("the answer ({}) is not one of a gateway", status.as_u16());
    Failure::new(codes::GATEWAY_UNREADABLE, what)
}

/// A gateway that was not reached, or broke off.
pub(super) fn unreachable(host: &str, error: reqwest::Error) -> Failure {
    // The URL is known, and a path may hold what is nobody's business.
    let error = anyhow::Error::new(error.without_url());
    Failure::new(codes::GATEWAY_UNREACHABLE, format!("{host}: {error:#}"))
}

//! `/custom-providers` and `/providers`.

use axum::extract::State;
use countersign_vault::{self as vault, NewOrigins};
use serde_json::{Map, Value as Json, json};

use super::Api;
use super::call::Call;
use super::page::{self, PROVIDERS};
use super::reply::{Reply, time};
use crate::fault::Fault;

/// Rows of a page. Clients ask for a thousand to have them all.
pub(super) const MOST: u32 = 1000;

/// Characters of an identifier.
pub(super) const LONGEST_IDENTIFIER: usize = 255;

/// What happens to secrets that would go elsewhere.
pub(super) const NEW_ORIGINS: [(&str, NewOrigins); 3] = [
    ("refuse", NewOrigins::Refuse),
    ("confirm", NewOrigins::Confirm),
    ("disconnect", NewOrigins::Disconnect),
];

/// Whether the list holds what callers have made.
pub(super) const TYPES: [(&str, bool); 3] = [("CUSTOM", true), ("DEFAULT", false), ("ALL", true)];

pub(super) async fn create(State(api): State<Api>, mut call: Call) -> Result<Reply, Fault> {
    let payload = call.document().await?;
    let caller = call.ready()?;
    let provider = api.service.create_provider(&caller, &payload).await?;
    Ok(Reply::created(json!({"provider": shown(&provider)})))
}

pub(super) async fn update(State(api): State<Api>, mut call: Call) -> Result<Reply, Fault> {
    let change = call.document().await?;
    let how = call.parameters.word("new_origins", &NEW_ORIGINS, &mut call.faults);
    let how = how.unwrap_or(NewOrigins::Refuse);
    let identifier = call.name.clone();
    let caller = call.ready()?;
    let provider = api.service.update_provider(&caller, &identifier, &change, how).await?;
    Ok(Reply::ok(json!({"provider": shown(&provider)})))
}

pub(super) async fn delete(State(api): State<Api>, call: Call) -> Result<Reply, Fault> {
    let identifier = call.name.clone();
    let caller = call.ready()?;
    api.service.delete_provider(&caller, &identifier).await?;
    Ok(Reply::done())
}

pub(super) async fn list(State(api): State<Api>, mut call: Call) -> Result<Reply, Fault> {
    let Call { parameters, faults, .. } = &mut call;
    let with_custom = parameters.word("filter.provider_type", &TYPES, faults).unwrap_or(true);
    let identifier = parameters.text("identifier", LONGEST_IDENTIFIER, faults);
    let page = page::page(PROVIDERS, MOST, parameters, faults);
    let caller = call.ready()?;
    let mut listed = api.service.providers(&caller, identifier.as_deref(), &page).await?;
    if !with_custom {
        listed = page::empty();
    }
    let json = listed.rows.iter().map(shown).collect();
    let edges = page::edges(&listed, &page, |it| &it.id);
    Ok(Reply::list("providers", PROVIDERS, &listed, json, edges))
}

/// The payload, with every member that readers expect, and what is known besides.
fn shown(row: &vault::Provider) -> Json {
    let payload: Map<String, Json> = serde_json::from_str(&row.payload).unwrap_or_default();
    let mut json = json!({
        "id": row.id,
        "identifier": row.identifier,
        "display_name": "",
        "description": "",
        "categories": [],
        "auth_patterns": [],
        "icon_src": "",
        "display_priority": 0,
        "coming_soon": false,
        "proxy_url": "",
        "proxy_enabled": false,
        "is_custom": true,
        "is_custom_mcp": is_mcp(&payload),
        "metadata": {},
    });
    for (key, value) in payload {
        json[key] = value;
    }
    json["version"] = row.version.into();
    json["created_at"] = time(row.created_at);
    json["updated_at"] = time(row.updated_at);
    json
}

fn is_mcp(payload: &Map<String, Json>) -> bool {
    let patterns = payload.get("auth_patterns").and_then(Json::as_array);
    patterns.into_iter().flatten().any(|pattern| pattern["is_mcp"] == true)
}

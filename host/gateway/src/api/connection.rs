//! `/connections`.
//!
//! A connection's settings are written beside its other members, or in `oauth_config` or
//! `static_config`, as the SDKs do; they are shown in whichever of the two fits its type, but for the
//! secret ones, of which the names alone are told.

use axum::extract::State;
use countersign_vault::{self as vault, ConnectionFilter};
use serde_json::{Map, Value as Json, json};

use super::Api;
use super::call::Call;
use super::members::{Members, related};
use super::page::{self, CONNECTIONS};
use super::reply::{Reply, put, time};
use crate::fault::{Fault, FieldFault};
use crate::service::{ConnectionUpdate, Described, NewConnection};

/// Rows of a page of ours, and of one as the SDKs ask for it.
pub(super) const MOST: u32 = 100;
pub(super) const MOST_APP: u32 = 30;

/// Characters of a name, of an identifier of a provider, and of what is searched for.
pub(super) const LONGEST_NAME: usize = 400;
pub(super) const LONGEST_PROVIDER: usize = 255;
pub(super) const LONGEST_QUERY: usize = 200;

/// What an answer holds beside the settings, so that one can be changed and sent back.
const ANSWERED: [&str; 8] = [
    "id",
    "status",
    "provider",
    "resolved_proxy_url",
    "secret_settings",
    "version",
    "created_at",
    "updated_at",
];

/// What the provider says and no connection can.
const PROVIDERS_OWN: [&str; 3] = ["authorize_uri", "token_uri", "user_info_uri"];

/// What the service calls otherwise.
const KNOWN_AS: [(&str, &str); 2] = [("name", "key_id"), ("provider", "provider_key")];

/// A connection as a caller writes it.
struct Sent {
    provider: Option<String>,
    name: Option<String>,
    auth_pattern: Option<String>,
    auth_type: Option<String>,
    enabled: Option<bool>,
    settings: Map<String, Json>,
}

pub(super) async fn create(State(api): State<Api>, mut call: Call) -> Result<Reply, Fault> {
    let body = call.document().await?;
    let Sent { provider, name, auth_pattern, auth_type, enabled, mut settings } =
        read(body.clone(), true, &mut call.faults);
    settings.retain(|_, value| !value.is_null());
    if enabled == Some(false) {
        let what = "is false, and a connection is made enabled";
        call.faults.push(FieldFault::new("enabled", what, "disable it when it is there"));
    }
    let new = NewConnection { provider: provider.unwrap_or_default(), name, auth_pattern };
    let (caller, faults) = call.judged();
    let made = api.service.make_connection(&caller, &new, auth_type.as_deref(), &settings, faults);
    let row = made.await.map_err(|fault| related(fault, &body, &KNOWN_AS))?;
    Ok(Reply::created(json!({"connection": api.connection(row).await?})))
}

pub(super) async fn update(State(api): State<Api>, mut call: Call) -> Result<Reply, Fault> {
    let body = call.document().await?;
    let id = call.name.clone();
    let Sent { provider, name, auth_pattern, auth_type, enabled, settings } =
        read(body.clone(), false, &mut call.faults);
    let (caller, mut faults) = call.judged();
    let before = api.service.connection(&caller, &id).await?;
    let before = api.service.described(before).await?.ok_or_else(gone)?;
    let fixed = [
        ("provider_key", provider, Some(&before.row.provider)),
        ("key_id", name, Some(&before.row.name)),
        ("auth_pattern", auth_pattern, before.auth_pattern.as_ref()),
        ("type", auth_type, before.auth_type.as_ref()),
    ];
    for (field, sent, kept) in fixed {
        if sent.is_some() && sent.as_ref() != kept {
            faults.push(FieldFault::new(field, "cannot change", "make another connection"));
        }
    }
    let update = ConnectionUpdate { enabled, settings };
    let changed = api.service.change_connection(&caller, &id, update, faults).await;
    let row = changed.map_err(|fault| related(fault, &body, &KNOWN_AS))?;
    Ok(Reply::ok(json!({"connection": api.connection(row).await?})))
}

pub(super) async fn enable(State(api): State<Api>, call: Call) -> Result<Reply, Fault> {
    api.toggle(call, true).await
}

pub(super) async fn disable(State(api): State<Api>, call: Call) -> Result<Reply, Fault> {
    api.toggle(call, false).await
}

pub(super) async fn one(State(api): State<Api>, call: Call) -> Result<Reply, Fault> {
    let id = call.name.clone();
    let caller = call.ready()?;
    let row = api.service.connection(&caller, &id).await?;
    Ok(Reply::ok(json!({"connection": api.connection(row).await?})))
}

pub(super) async fn delete(State(api): State<Api>, call: Call) -> Result<Reply, Fault> {
    let id = call.name.clone();
    let caller = call.ready()?;
    api.service.delete_connection(&caller, &id).await?;
    Ok(Reply::done())
}

pub(super) async fn list(State(api): State<Api>, call: Call) -> Result<Reply, Fault> {
    api.connections(call, MOST, |it| api.shown(it)).await
}

pub(super) async fn list_app(State(api): State<Api>, call: Call) -> Result<Reply, Fault> {
    api.connections(call, MOST_APP, Described::head).await
}

impl Api {
    async fn connections(
        &self,
        mut call: Call,
        most: u32,
        shown: impl Fn(&Described) -> Json,
    ) -> Result<Reply, Fault> {
        let Call { parameters, faults, .. } = &mut call;
        let filter = ConnectionFilter {
            provider: parameters.text("provider", LONGEST_PROVIDER, faults),
            query: parameters.text("query", LONGEST_QUERY, faults),
        };
        let page = page::page(CONNECTIONS, most, parameters, faults);
        let caller = call.ready()?;
        let listed = self.service.connections(&caller, &filter, &page).await?;
        let mut json = Vec::with_capacity(listed.rows.len());
        for row in &listed.rows {
            json.extend(self.service.described(row.clone()).await?.as_ref().map(&shown));
        }
        let edges = page::edges(&listed, &page, |it| &it.id);
        Ok(Reply::list("connections", CONNECTIONS, &listed, json, edges))
    }

    async fn toggle(&self, call: Call, enabled: bool) -> Result<Reply, Fault> {
        let id = call.name.clone();
        let caller = call.ready()?;
        let update = ConnectionUpdate { enabled: Some(enabled), ..ConnectionUpdate::default() };
        let row = self.service.update_connection(&caller, &id, update).await?;
        let connection = self.connection(row).await?;
        Ok(Reply::ok(json!({"enabled": enabled, "connection": connection})))
    }

    async fn connection(&self, row: vault::Connection) -> Result<Json, Fault> {
        Ok(self.shown(&self.service.described(row).await?.ok_or_else(gone)?))
    }

    /// With where the provider sends a browser once somebody has authorized: its operator must be
    /// told before anybody can.
    fn shown(&self, described: &Described) -> Json {
        let mut json = described.json();
        if let (Some(url), Some(oauth)) = (&self.public_url, json.get_mut("oauth_config")) {
            let id = &described.row.id;
            oauth["redirect_uri"] = format!("{url}/sso/v1/oauth/{id}/callback").into();
        }
        json
    }
}

fn gone() -> Fault {
    Fault::not_found("connection")
}

/// The object itself, or `{"connection": {…}}`.
fn read(body: Json, is_new: bool, faults: &mut Vec<FieldFault>) -> Sent {
    let mut outer = Members::of(body, "", faults);
    let mut members = match outer.members("connection", faults) {
        Some(inner) => {
            // Whether it is for signing in: it is not, and no connection here is.
            outer.take("flags");
            outer.end(faults);
            inner.none("connection", faults)
        }
        None => outer,
    };
    for answered in ANSWERED {
        members.take(answered);
    }
    let provider = members.text("provider_key", LONGEST_PROVIDER, faults);
    if is_new && provider.is_none() {
        members.missing("provider_key", "give the provider's identifier", faults);
    }
    let name = members.text("key_id", LONGEST_NAME, faults);
    let auth_pattern = members.text("auth_pattern", LONGEST_NAME, faults);
    let auth_type = members.text("type", LONGEST_NAME, faults);
    let enabled = members.flag("enabled", faults);
    let place = members.at("auth_mode");
    if members.text("auth_mode", LONGEST_NAME, faults).is_some_and(|mode| mode != "USER") {
        let what = "is not USER: each account is of one user here";
        faults.push(FieldFault::new(place, what, "leave it out"));
    }
    let mut settings = Settings::default();
    if let Some(oauth) = members.members("oauth_config", faults) {
        settings.add_oauth(oauth, faults);
    }
    if let Some(mut statics) = members.members("static_config", faults) {
        if let Some(inner) = statics.members("static_config", faults) {
            settings.add(inner, faults);
        }
        settings.add(statics, faults);
    }
    settings.add(members, faults);
    Sent { provider, name, auth_pattern, auth_type, enabled, settings: settings.0 }
}

/// The settings that a caller writes in several places.
#[derive(Default)]
struct Settings(Map<String, Json>);

impl Settings {
    /// Whatever is left of these.
    fn add(&mut self, members: Members, faults: &mut Vec<FieldFault>) {
        let above = members.at("");
        for (name, value) in members.rest() {
            match self.0.get(&name) {
                Some(other) if *other != value => {
                    let place = format!("{above}{}", name.escape_debug());
                    let what = "is given in two places, and differently";
                    faults.push(FieldFault::new(place, what, "give it once"));
                }
                _ => {
                    self.0.insert(name, value);
                }
            }
        }
    }

    /// As the SDKs write them for OAuth.
    fn add_oauth(&mut self, mut oauth: Members, faults: &mut Vec<FieldFault>) {
        // The gateway's to say.
        oauth.take("redirect_uri");
        for name in PROVIDERS_OWN {
            let place = oauth.at(name);
            if oauth.text(name, usize::MAX, faults).is_some() {
                let fix = "write it in the provider's oauth_config";
                faults.push(FieldFault::new(place, "is the provider's to say", fix));
            }
        }
        let place = oauth.at("use_platform_creds");
        if oauth.flag("use_platform_creds", faults) == Some(true) {
            let what = "is true, and this gateway has no client of its own with any provider";
            faults.push(FieldFault::new(place, what, "give client_id and client_secret"));
        }
        if let Some(extensions) = oauth.members("extensions", faults) {
            self.add(extensions, faults);
        }
        self.add(oauth, faults);
    }
}

impl Described {
    /// What the SDKs' list holds.
    fn head(&self) -> Json {
        let mut json = json!({
            "id": self.row.id,
            "provider_key": self.row.provider,
            "key_id": self.row.name,
            "status": "COMPLETED",
            "enabled": self.row.enabled,
            "auth_mode": "USER",
            "created_at": time(self.row.created_at),
        });
        put(&mut json, "type", self.auth_type.as_deref());
        json
    }

    fn json(&self) -> Json {
        let mut json = self.head();
        put(&mut json, "auth_pattern", self.auth_pattern.as_deref());
        let mut settings = self.settings.clone();
        if self.auth_type.as_deref().is_some_and(|it| it.starts_with("OAUTH")) {
            if let Some(extra) = settings.shift_remove("extra_authorize_params") {
                settings.insert("extensions".to_owned(), json!({"extra_authorize_params": extra}));
            }
            json["oauth_config"] = Json::Object(settings);
        } else {
            json["static_config"] = json!({"static_config": settings});
        }
        json["secret_settings"] = self.secrets.as_slice().into();
        json["version"] = self.row.version.into();
        json["updated_at"] = time(self.row.updated_at);
        json
    }
}

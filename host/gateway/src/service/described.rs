//! A connection as callers are shown it: with what of its settings is no secret.

use countersign::connection::Connection;
use countersign_vault as vault;
use serde_json::{Map, Value as Json};

use crate::fault::Fault;
use crate::service::{Service, opened};

/// Readings before a connection that changes all the time is given up.
const MOST_READINGS: usize = 3;

/// A connection, what it uses, and the settings that are no secret.
pub struct Described {
    /// Its row.
    pub row: vault::Connection,
    /// What it calls its auth pattern, where it does.
    pub auth_pattern: Option<String>,
    /// The type of that pattern; none where the provider does not have the pattern any more.
    pub auth_type: Option<String>,
    /// The settings without the secret ones.
    pub settings: Map<String, Json>,
    /// The names of the secret ones: `client_secret`, `private_key/pem`.
    pub secrets: Vec<String>,
}

impl Service {
    /// Opens a row that the caller may see; `None` where it is gone meanwhile.
    pub(crate) async fn described(
        &self,
        mut row: vault::Connection,
    ) -> Result<Option<Described>, Fault> {
        for _ in 0..MOST_READINGS {
            if let Some(settings) = self.vault.settings(&row, &row.origins).await? {
                let connection = opened::connection(&row, &settings)?;
                let mut settings = opened::object(settings.expose())?;
                for named in ["name", "auth_pattern"] {
                    settings.remove(named);
                }
                let provider = self.vault.provider(&row.provider).await?;
                let provider = provider.as_ref().map(opened::provider).transpose()?;
                let pattern = provider.as_ref().map(|it| it.pattern(connection.pattern()));
                let auth_type = pattern.and_then(Result::ok).map(|it| it.auth_type().to_owned());
                let secrets = secrets(&connection);
                let settings = public(settings, &connection);
                let auth_pattern = connection.pattern().map(str::to_owned);
                return Ok(Some(Described { row, auth_pattern, auth_type, settings, secrets }));
            }
            match self.vault.connection(&row.id).await? {
                Some(newer) => row = newer,
                None => return Ok(None),
            }
        }
        Err(vault::VaultError::Overtaken { what: "connection" }.into())
    }
}

fn secrets(connection: &Connection) -> Vec<String> {
    let values = connection.values();
    let secret = values.iter().filter(|(_, value)| value.as_secret().is_some());
    secret.filter_map(|(name, _)| name.strip_prefix("connection/")).map(str::to_owned).collect()
}

fn public(settings: Map<String, Json>, connection: &Connection) -> Map<String, Json> {
    let shown = settings.into_iter().filter_map(|(key, json)| {
        // The one that is taken whole.
        if key == "scopes" {
            return Some((key, json));
        }
        let shown = shown(&escaped(&key), json, connection)?;
        Some((key, shown))
    });
    shown.collect()
}

/// What is left of a setting: each leaf that the connection holds and does not hold as a secret.
fn shown(name: &str, json: Json, connection: &Connection) -> Option<Json> {
    match json {
        Json::Object(members) => {
            let members = members.into_iter().filter_map(|(key, json)| {
                let shown = shown(&format!("{name}/{}", escaped(&key)), json, connection)?;
                Some((key, shown))
            });
            Some(Json::Object(members.collect()))
        }
        Json::Array(list) => {
            let list = list.into_iter().enumerate();
            let list =
                list.filter_map(|(nth, json)| shown(&format!("{name}/{nth}"), json, connection));
            Some(Json::Array(list.collect()))
        }
        leaf => connection.setting(name).filter(|it| it.as_secret().is_none()).map(|_| leaf),
    }
}

/// A key of a JSON Pointer (RFC 6901, section 3).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_secret_is_among_the_settings_that_are_shown() {
        let json = json!({
            "client_id": "c", "client_secret": "canary", "scopes": ["a", "b"],
            "private_key": {"pem": "canary", "kid": "canary"},
            "extra_authorize_params": {"prompt": "consent", "api/key": "canary"},
            "many": [1, {"password": "canary"}],
        });
        let connection = Connection::parse(&json).unwrap();
        let Json::Object(settings) = json else { panic!("no object") };
        let shown = Json::Object(public(settings, &connection));
        let expected = json!({
            "client_id": "c", "scopes": ["a", "b"], "private_key": {},
            "extra_authorize_params": {"prompt": "consent"}, "many": [1, {}],
        });
        assert_eq!(shown, expected);
        let secrets = secrets(&connection);
        assert!(secrets.contains(&"client_secret".to_owned()), "{secrets:?}");
        assert_eq!(secrets.len(), 5, "{secrets:?}");
    }
}

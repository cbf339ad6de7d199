//! Whose requests they are: a provider and a connection of each auth type at each upstream.

use anyhow::Result;
use serde_json::{Value as Json, json};

use crate::gateway::seed::Api;

/// Of each connection.
const ACCOUNTS: usize = 8;

pub(super) struct Account {
    pub(super) connection: String,
    pub(super) identifier: String,
}

/// Makes all of them.
pub(super) async fn make(api: &Api, upstreams: &[String]) -> Result<Vec<Account>> {
    let mut accounts = Vec::new();
    for (nth, url) in upstreams.iter().enumerate() {
        for (kind, fields) in [
            ("BEARER", &["token"][..]),
            ("BASIC", &["username", "password"]),
            ("API_KEY", &["api_key"]),
            ("OAUTH", &[]),
            ("AWS_SIGV4", &["access_key_id", "secret_access_key"]),
        ] {
            let connection = format!("{}{nth}", kind.to_lowercase().replace('_', ""));
            connect(api, &connection, &pattern(kind, fields), url).await?;
            for account in 0..ACCOUNTS {
                let identifier = format!("user-{account}");
                let details = details(fields, &identifier);
                let body = json!({"connector": connection, "identifier": identifier,
                    "connected_account": {"authorization_details": details}});
                api.post("connected_accounts", &body).await?;
                accounts.push(Account { connection: connection.clone(), identifier });
            }
        }
    }
    Ok(accounts)
}

fn pattern(kind: &str, fields: &[&str]) -> Json {
    let fields = fields.iter().map(|it| json!({"field_name": it, "required": true}));
    let mut pattern = json!({"type": kind, "fields": fields.collect::<Vec<_>>()});
    match kind {
        "OAUTH" => {
            pattern["oauth_config"] = json!({"authorize_uri": "https://127.0.0.1/authorize",
                "token_uri": "https://127.0.0.1/token", "available_scopes": []});
        }
        "AWS_SIGV4" => {
            pattern["aws_sigv4"] = json!({"service": "execute-api", "region": "eu-central-1"});
        }
        _ => {}
    }
    pattern
}

/// What an account is given; one without fields has a token.
fn details(fields: &[&str], identifier: &str) -> Json {
    if fields.is_empty() {
        return json!({"oauth_token": {"access_token": identifier, "refresh_token": "r"}});
    }
    let values = fields.iter().map(|it| ((*it).to_owned(), format!("{it}-{identifier}").into()));
    json!({"static_auth": {"details": Json::Object(values.collect())}})
}

async fn connect(api: &Api, name: &str, pattern: &Json, url: &str) -> Result<()> {
    let provider = json!({"display_name": name, "proxy_url": url, "proxy_enabled": true,
        "auth_patterns": [pattern]});
    api.post("custom-providers", &provider).await?;
    let mut connection = json!({"provider_key": name, "key_id": name});
    if pattern["type"] == "OAUTH" {
        connection["oauth_config"] = json!({"client_id": "c", "client_secret": "s"});
    }
    api.post("connections", &json!({"connection": connection})).await
}

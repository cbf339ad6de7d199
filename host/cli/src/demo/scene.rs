//! The five requests of the demo, and what their upstream must see.

use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::Context as _;
use countersign::Subject;
use countersign::account::Account;
use countersign::connection::Connection;
use countersign::provider::Provider;
use http::{HeaderName, HeaderValue, Method};
use serde_json::{Value as Json, json};

use crate::codes;
use crate::failure::Failure;
use crate::mask::Mask;
use crate::remote::Gateway;

/// One request.
pub(super) struct Scene {
    payload: &'static str,
    /// The connection's name.
    pub(super) connection: &'static str,
    /// The connection's settings.
    settings: &'static str,
    /// The account, without its identifier.
    account: &'static str,
    /// Whose host the upstream plays.
    pub(super) host: &'static str,
    pub(super) path: &'static str,
    /// Path and query that must arrive.
    arrives_at: &'static str,
    /// The headers that must arrive, each with how its value begins and ends.
    headers: &'static [(&'static str, &'static str, &'static str)],
}

macro_rules! payload {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/vectors/payloads/", $name, ".json"))
    };
}

/// The reference payloads, byte for byte, and a custom one.
pub(super) const SCENES: &[Scene] = &[
    Scene {
        payload: payload!("asana"),
        connection: "asana",
        settings: r#"{"client_id": "example-client", "client_secret": "example-secret"}"#,
        account: r#"{"oauth_token": {"access_token": "example-access-token",
            "refresh_token": "example-refresh-token", "scopes": ["profile", "email"]}}"#,
        host: "app.asana.com",
        path: "/1.0/users/me",
        arrives_at: "/api/1.0/users/me",
        headers: &[("authorization", "Bearer example-access-token", "")],
    },
    Scene {
        payload: payload!("bearer"),
        connection: "bearer",
        settings: "{}",
        account: r#"{"static_auth": {"details": {"token": "example-bearer-token"}}}"#,
        host: "api.example.com",
        path: "/v1/things?limit=2",
        arrives_at: "/v1/things?limit=2",
        headers: &[("authorization", "Bearer example-bearer-token", "")],
    },
    Scene {
        payload: payload!("freshdesk"),
        connection: "freshdesk",
        settings: "{}",
        account: r#"{"static_auth": {"details": {"domain": "yourcompany.freshdesk.com",
            "username": "example-api-key"}}}"#,
        host: "yourcompany.freshdesk.com",
        path: "/v2/tickets",
        arrives_at: "/api/v2/tickets",
        headers: &[("authorization", "Basic ZXhhbXBsZS1hcGkta2V5Og==", "")],
    },
    Scene {
        payload: payload!("attention"),
        connection: "attention",
        settings: "{}",
        account: r#"{"static_auth": {"details": {"api_key": "example-integration-token"}}}"#,
        host: "api.attention.tech",
        path: "/v2/conversations",
        arrives_at: "/v2/conversations",
        headers: &[("authorization", "example-integration-token", "")],
    },
    Scene {
        payload: include_str!("timestamped-key.json"),
        connection: "timestamped",
        settings: "{}",
        account: r#"{"static_auth": {"details": {"client_id": "client-7",
            "client_key": "example-client-key"}}}"#,
        host: "api.timestamped.example",
        path: "/orders",
        arrives_at: "/orders",
        headers: &[("x-client", "client-7", ""), ("x-client-key", "", ".example-client-key")],
    },
];

/// The identifier of each account.
pub(super) const USER: &str = "user-1";

impl Scene {
    fn settings(&self) -> Result<Json, Failure> {
        Ok(serde_json::from_str(self.settings).context("a connection of the demo")?)
    }

    fn details(&self) -> Result<Json, Failure> {
        Ok(serde_json::from_str(self.account).context("an account of the demo")?)
    }

    /// Makes the provider, the connection and the account at a gateway.
    pub(super) async fn connect(&self, gateway: &Gateway) -> Result<(), Failure> {
        let payload: Json = serde_json::from_str(self.payload).context("a payload of the demo")?;
        let make = async |kind: &str, document: &Json| {
            gateway.call(Method::POST, &[kind], &[], Some(document)).await
        };
        let made = make("custom-providers", &payload).await?;
        let mut connection = json!({
            "provider_key": made["provider"]["identifier"], "key_id": self.connection,
        });
        let settings = self.settings()?;
        if settings.as_object().is_some_and(|it| !it.is_empty()) {
            connection["oauth_config"] = settings;
        }
        make("connections", &json!({"connection": connection})).await?;
        let account = json!({
            "connector": self.connection, "identifier": USER,
            "connected_account": {"authorization_details": self.details()?},
        });
        make("connected_accounts", &account).await?;
        Ok(())
    }

    /// What it is, and what arrives: a line.
    pub(super) fn promise(&self) -> Result<String, Failure> {
        let subject = self.subject()?;
        let name = subject.provider().display_name();
        let arrives: Vec<String> = self
            .headers
            .iter()
            .map(|(name, start, end)| {
                let time = if end.is_empty() { "" } else { "TIME" };
                format!("`{name}: {start}{time}{end}`")
            })
            .collect();
        let arrives = arrives.join(" and ");
        Ok(format!("{name} ({}): arrives with {arrives}", subject.pattern().auth_type()))
    }

    pub(super) fn subject(&self) -> Result<Arc<Subject>, Failure> {
        let provider = Provider::parse_text(self.payload).context("a payload of the demo")?;
        let connection =
            Connection::parse(&self.settings()?).context("a connection of the demo")?;
        let account = json!({"identifier": USER, "authorization_details": self.details()?});
        let account = Account::parse(&account).context("an account of the demo")?;
        let subject = Subject::new("", provider.into(), connection.into(), account.into());
        Ok(Arc::new(subject.context("a pattern of the demo")?))
    }

    /// What went in, and what the upstream saw.
    pub(super) fn describe(
        &self,
        nth: usize,
        subject: &Subject,
        seen: &Json,
        mask: &Mask,
    ) -> String {
        let provider = subject.provider();
        let auth_type = subject.pattern().auth_type();
        let values: Vec<String> = subject
            .account()
            .values()
            .chain(subject.account().state().iter().flat_map(|state| {
                state.secrets.iter().map(|(name, secret)| (name.as_str(), secret))
            }))
            .map(|(name, value)| format!("{name} = {}", mask.text(value.expose())))
            .collect();
        let mut text = format!("\n{nth}. {} ({auth_type})\n", provider.display_name());
        let mut row = |name: &str, value: &str| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "   {name:<10} {value}");
        };
        row("in", &format!("GET {}", self.path));
        row("", &format!("proxy_url = {}", provider.proxy_url()));
        for value in &values {
            row("", value);
        }
        let url = seen["url"].as_str().unwrap_or_default();
        let authority = seen["authority"].as_str().unwrap_or(self.host);
        row("upstream", &mask.text(&format!("GET https://{authority}{url}")));
        for (name, value) in headers(seen) {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::from_str(value))
            {
                row("", &format!("{name}: {}", mask.header(&name, &value)));
            }
        }
        text
    }

    /// Whether that is what the scheme asks for.
    pub(super) fn judge(&self, seen: &Json) -> Result<(), Failure> {
        let arrived = |(name, start, end): &(&str, &str, &str)| {
            let values: Vec<&str> =
                headers(seen).filter(|(key, _)| key == name).map(|(_, value)| value).collect();
            matches!(values[..], [value] if value.starts_with(start) && value.ends_with(end))
        };
        let whole = seen["url"] == self.arrives_at && self.headers.iter().all(arrived);
        if whole {
            return Ok(());
        }
        Err(Failure::new(codes::DEMO_FAILED, format!("{} saw something else", self.host)))
    }
}

fn headers(seen: &Json) -> impl Iterator<Item = (&str, &str)> {
    let list = seen["headers"].as_array().into_iter().flatten();
    list.filter_map(|pair| Some((pair[0].as_str()?, pair[1].as_str()?)))
}

//! The five requests of the demo, and what their upstream must see.

use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::Context as _;
use countersign::Subject;
use countersign::account::Account;
use countersign::connection::Connection;
use countersign::provider::Provider;
use http::{HeaderName, HeaderValue};
use serde_json::{Value as Json, json};

use crate::codes;
use crate::failure::Failure;
use crate::mask::Mask;

/// One request.
pub(super) struct Scene {
    payload: &'static str,
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
        account: r#"{"oauth_token": {"access_token": "example-access-token",
            "refresh_token": "example-refresh-token", "scopes": ["profile", "email"]}}"#,
        host: "app.asana.com",
        path: "/1.0/users/me",
        arrives_at: "/api/1.0/users/me",
        headers: &[("authorization", "Bearer example-access-token", "")],
    },
    Scene {
        payload: payload!("bearer"),
        account: r#"{"static_auth": {"details": {"token": "example-bearer-token"}}}"#,
        host: "api.example.com",
        path: "/v1/things?limit=2",
        arrives_at: "/v1/things?limit=2",
        headers: &[("authorization", "Bearer example-bearer-token", "")],
    },
    Scene {
        payload: payload!("freshdesk"),
        account: r#"{"static_auth": {"details": {"domain": "yourcompany.freshdesk.com",
            "username": "example-api-key"}}}"#,
        host: "yourcompany.freshdesk.com",
        path: "/v2/tickets",
        arrives_at: "/api/v2/tickets",
        headers: &[("authorization", "Basic ZXhhbXBsZS1hcGkta2V5Og==", "")],
    },
    Scene {
        payload: payload!("attention"),
        account: r#"{"static_auth": {"details": {"api_key": "example-integration-token"}}}"#,
        host: "api.attention.tech",
        path: "/v2/conversations",
        arrives_at: "/v2/conversations",
        headers: &[("authorization", "example-integration-token", "")],
    },
    Scene {
        payload: include_str!("timestamped-key.json"),
        account: r#"{"static_auth": {"details": {"client_id": "client-7",
            "client_key": "example-client-key"}}}"#,
        host: "api.timestamped.example",
        path: "/orders",
        arrives_at: "/orders",
        headers: &[("x-client", "client-7", ""), ("x-client-key", "", ".example-client-key")],
    },
];

impl Scene {
    pub(super) fn subject(&self) -> Result<Arc<Subject>, Failure> {
        let provider = Provider::parse_text(self.payload).context("a payload of the demo")?;
        let connection = json!({"client_id": "example-client", "client_secret": "example-secret"});
        let connection = Connection::parse(&connection).context("a connection of the demo")?;
        let details: Json = serde_json::from_str(self.account).context("an account of the demo")?;
        let account = json!({"identifier": "user-1", "authorization_details": details});
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
        values.iter().for_each(|value| row("", value));
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

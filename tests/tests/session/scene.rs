//! One account of the site, with the server, a store and a clock around it.

use std::sync::Arc;

use countersign::{Countersign, Error, Subject};
use countersign_tests::world::{NotingStore, SetClock, bundled_registry, get, whole};
use countersign_tests::{egress, sandbox, subject};
use http::Request;
use http_body_util::Full;
use serde_json::{Value as Json, json};

use crate::server::{API, LOGIN, PASSWORD, Says, SessionServer, USER};

pub(crate) struct Scene {
    pub(crate) server: SessionServer,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) store: Arc<NotingStore>,
    pub(crate) host: Countersign,
}

/// The payload, as the documents have it.
pub(crate) fn provider() -> Json {
    json!({
        "display_name": "Acme", "proxy_url": format!("https://{API}"), "proxy_enabled": true,
        "auth_patterns": [{
            "type": "SESSION",
            "fields": [
                {"field_name": "username", "label": "User name", "required": true},
                {"field_name": "password", "label": "Password", "input_type": "password",
                    "required": true},
            ],
            "session": {
                "requests": [
                    {
                        "request_url": format!("https://{LOGIN}/start"),
                        "takes": [{"name": "csrf", "cookie": "XSRF"}],
                    },
                    {
                        "request_url": format!("https://{LOGIN}/in"),
                        "headers": [{"name": "x-xsrf-token", "value": "{{csrf}}"}],
                        "cookies": [{"name": "XSRF", "value": "{{csrf}}"}],
                        "json": r#"{"user": "{{username}}", "password": "{{password}}", "remember": true}"#,
                        "takes": [{"name": "session", "json": "/session/token"}],
                        "expires": {"json": "/session/expires_in"},
                    },
                ],
                "headers": [{"name": "authorization", "value": "Session {{session}}"}],
                "expired": {"signs": [{"text": "<title>Log in to Acme</title>"}]},
            },
        }],
    })
}

pub(crate) fn ann(password: &str) -> Arc<Subject> {
    let details = json!({"username": USER, "password": password});
    let account = json!({"identifier": "ann",
        "authorization_details": {"static_auth": {"details": details}}});
    subject(&provider(), &json!({}), &account)
}

impl Scene {
    pub(crate) async fn new(says: Says) -> Self {
        let clock = Arc::new(SetClock::default());
        let server = SessionServer::start(&clock, says).await;
        let store = Arc::new(NotingStore::new(server.noted()));
        let host = Countersign::builder(
            sandbox(),
            bundled_registry(),
            egress(server.upstream(), &[API, LOGIN]),
        )
        .store(Arc::clone(&store) as _)
        .clock(Arc::clone(&clock) as _)
        .build();
        Self { server, clock, store, host }
    }

    /// Status and body of a GET.
    pub(crate) async fn get(&self, subject: &Arc<Subject>) -> Result<(u16, String), Error> {
        self.send(subject, get("/things")).await
    }

    pub(crate) async fn send(
        &self,
        subject: &Arc<Subject>,
        request: Request<Full<bytes::Bytes>>,
    ) -> Result<(u16, String), Error> {
        let (status, body) = whole(self.host.send(subject, request).await?).await?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}

pub(crate) fn right() -> Arc<Subject> {
    ann(PASSWORD)
}

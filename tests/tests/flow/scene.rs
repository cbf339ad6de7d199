//! One account of an OAuth provider, with a token server, a store and a clock around it.

use std::sync::Arc;

use countersign::Settings;
use countersign::{Countersign, Egress, Registry, Subject};
use countersign_tests::token_server::{
    API, CLIENT_ID, CLIENT_SECRET, ClientAuth, LOGIN, TokenServer, Tokens,
};
use countersign_tests::world::{NotingStore, SetClock, bundled_registry};
use countersign_tests::{egress, sandbox, subject};
use serde_json::{Value as Json, json};

pub(crate) struct Scene {
    pub(crate) server: TokenServer,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) store: Arc<NotingStore>,
    pub(crate) subject: Arc<Subject>,
    pub(crate) host: Countersign,
    /// What the account came with.
    pub(crate) tokens: Tokens,
}

/// How a scene differs from the usual one.
pub(crate) struct Script {
    pub(crate) provider: Json,
    pub(crate) connection: Json,
    pub(crate) auth: ClientAuth,
    pub(crate) settings: Settings,
    pub(crate) with_refresh: bool,
    pub(crate) with_tokens: bool,
    pub(crate) api_config: Json,
    pub(crate) hosts: Vec<&'static str>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            provider: provider(),
            connection: connection(),
            auth: ClientAuth::Basic,
            settings: Settings::default(),
            with_refresh: true,
            with_tokens: true,
            api_config: json!({}),
            hosts: vec![API, LOGIN],
        }
    }
}

/// The usual settings of a connection.
pub(crate) fn connection() -> Json {
    json!({"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET})
}

/// The usual payload.
pub(crate) fn provider() -> Json {
    json!({
        "display_name": "Acme", "proxy_url": format!("https://{API}/base"), "proxy_enabled": true,
        "auth_patterns": [{"type": "OAUTH", "oauth_config": {
            "authorize_uri": format!("https://{LOGIN}/authorize"),
            "token_uri": format!("https://{LOGIN}/token"),
            "revocation_uri": format!("https://{LOGIN}/revoke"),
            "user_info_uri": format!("https://{LOGIN}/me"),
            "issuer": format!("https://{LOGIN}"),
        }}],
    })
}

impl Script {
    /// Sets a member of `oauth_config`.
    pub(crate) fn config(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.provider["auth_patterns"][0]["oauth_config"][name] = value.into();
        self
    }

    pub(crate) async fn begin(self) -> Scene {
        let server = TokenServer::serving(self.auth, &self.hosts).await;
        let clock = Arc::new(SetClock::default());
        let tokens = server.issue();
        let mut token = json!({});
        if self.with_tokens {
            token["access_token"] = tokens.access.clone().into();
            if self.with_refresh {
                token["refresh_token"] = tokens.refresh.clone().into();
            }
        }
        let expires = clock_text(&clock, 3600);
        let account = json!({
            "identifier": "user-1",
            "authorization_details": {"oauth_token": token, "token_expires_at": expires},
            "api_config": self.api_config,
        });
        let subject = subject(&self.provider, &self.connection, &account);
        let store = Arc::new(NotingStore::new(server.events()));
        store.seed(&subject);
        let host = host(
            bundled_registry(),
            egress(server.upstream(), &self.hosts),
            &store,
            &clock,
            self.settings,
        );
        Scene { server, clock, store, subject, host, tokens }
    }
}

pub(crate) fn host(
    registry: Arc<Registry>,
    egress: Egress,
    store: &Arc<NotingStore>,
    clock: &Arc<SetClock>,
    settings: Settings,
) -> Countersign {
    Countersign::builder(sandbox(), registry, egress)
        .store(Arc::clone(store) as _)
        .clock(Arc::clone(clock) as _)
        .settings(settings)
        .build()
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Script::default().begin().await
    }

    /// Sends a GET and gives its status.
    pub(crate) async fn get(&self) -> Result<u16, countersign::Error> {
        countersign_tests::world::status(&self.host, &self.subject, "/things").await.map(|it| it.0)
    }

    /// The access token is past its end.
    pub(crate) fn expire(&self) {
        self.clock.pass(3601);
    }

    /// A secret of the state that is kept.
    pub(crate) async fn secret(&self, name: &str) -> Option<String> {
        let state = self.store.kept(&self.subject).await?;
        state.secrets.get(name).map(|secret| secret.expose().to_owned())
    }

    pub(crate) async fn version(&self) -> u64 {
        self.store.kept(&self.subject).await.map_or(0, |state| state.version)
    }

    /// What happened since the last time this was asked.
    pub(crate) fn events(&self) -> Vec<String> {
        std::mem::take(&mut *self.server.events().lock().unwrap())
    }
}

/// A scene's account, connected anew; its state is where it was.
pub(crate) fn connected_anew() -> Arc<Subject> {
    let account = json!({"identifier": "user-1", "authorization_details": {"oauth_token": {}}});
    subject(&provider(), &connection(), &account)
}

/// RFC 3339, so many seconds from now.
fn clock_text(clock: &SetClock, seconds: u64) -> String {
    use countersign::clock::Clock as _;
    let state = countersign::account::State {
        expires_at: Some(clock.unix_millis() + seconds * 1000),
        ..Default::default()
    };
    state.to_json(false)["expires_at"].as_str().unwrap().to_owned()
}

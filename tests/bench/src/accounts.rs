//! One account for each of BASIC, BEARER, API_KEY and OAUTH, under the payload that the project's tests
//! send.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use countersign::account::Account;
use countersign::bench::Call;
use countersign::clock::SystemClock;
use countersign::connection::Connection;
use countersign::egress::EgressConfig;
use countersign::provider::Provider;
use countersign::random::SystemRandom;
use countersign::store::MemoryStore;
use countersign::{Countersign, Egress, Registry, Sandbox, Subject};
use countersign_plugin::{Account as Shown, Context, Outcome, Plugin, Refusal};
use serde_json::{Value as Json, json};

/// A plugin's plain function.
type Native = fn(&Context, &Shown) -> Result<Outcome, Refusal>;

/// Whom requests are authorized for, by which plugin.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) host: Countersign,
    pub(crate) subject: Arc<Subject>,
    /// The same once more, whose answers are forgotten again and again.
    pub(crate) forgetful: Arc<Subject>,
    pub(crate) call: Arc<Call>,
    pub(crate) native: Native,
}

/// All four.
pub(crate) async fn all(sandbox: &Arc<Sandbox>) -> Result<Vec<Measured>> {
    let bundled: Vec<_> =
        countersign_bundle::components().iter().map(|it| (it.name, it.bytes)).collect();
    let registry = Arc::new(Registry::new(
        Arc::clone(sandbox),
        Arc::new(SystemClock),
        Arc::new(SystemRandom),
        &bundled,
        None,
        BTreeMap::new(),
    )?);
    let egress = Egress::new(EgressConfig::default())?;
    let mut all = Vec::new();
    for (name, payload, account, native) in cases() {
        let account = json!({"identifier": "u1", "authorization_details": account});
        let connection = json!({"name": name, "client_id": "c-1", "client_secret": "s-1"});
        let provider = Arc::new(Provider::parse(&serde_json::from_str(payload)?)?);
        let connection = Arc::new(Connection::parse(&connection)?);
        let account = Arc::new(Account::parse(&account)?);
        let subject = || {
            Subject::new("", provider.clone(), connection.clone(), account.clone()).map(Arc::new)
        };
        let (subject, forgetful) = (subject()?, subject()?);
        let store = MemoryStore::default();
        if let Some(state) = subject.account().state() {
            store.seed(subject.state_key().clone(), state.clone());
        }
        let host = Countersign::builder(Arc::clone(sandbox), Arc::clone(&registry), egress.clone())
            .store(Arc::new(store))
            .build();
        let call = Arc::new(Call::of(&host, &subject).await?);
        all.push(Measured { name, host, subject, forgetful, call, native });
    }
    Ok(all)
}

fn cases() -> [(&'static str, &'static str, Json, Native); 4] {
    fn native<P: Plugin>(context: &Context, account: &Shown) -> Result<Outcome, Refusal> {
        P::authorize(context, account, None, &[])
    }
    let details = |details: Json| json!({"static_auth": {"details": details}});
    let token = "8d7f3c1e9a5b4d6f8091a2b3c4d5e6f7";
    [
        (
            "basic",
            include_str!("../../vectors/payloads/freshdesk.json"),
            details(json!({"domain": "yourcompany.freshdesk.com", "username": token})),
            native::<countersign_plugin_basic::Basic>,
        ),
        (
            "bearer",
            include_str!("../../vectors/payloads/bearer.json"),
            details(json!({"token": token})),
            native::<countersign_plugin_bearer::Bearer>,
        ),
        (
            "api-key",
            include_str!("../../vectors/payloads/attention.json"),
            details(json!({"api_key": token})),
            native::<countersign_plugin_api_key::ApiKey>,
        ),
        (
            "oauth",
            include_str!("../../vectors/payloads/asana.json"),
            json!({"oauth_token": {"access_token": token, "refresh_token": "r-1",
                "scopes": ["profile", "email"]}}),
            native::<countersign_plugin_oauth::OAuth>,
        ),
    ]
}

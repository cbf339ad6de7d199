//! What a plugin wants of a provider and does not find there.
//!
//! Asked of two: of what the plugin describes as its inputs, and of the plugin itself, about an account
//! that gives every input that the provider has, so that what it says of the pattern is for whoever
//! wrote that. All are warnings: a description is for people, and the plugin's answer is about an account
//! that is made up.

use std::collections::BTreeMap;
use std::sync::Arc;

use countersign::account::Account;
use countersign::connection::Connection;
use countersign::problem::{Problem, Severity};
use countersign::provider::{AuthPattern, Field, Provider};
use countersign::registry::{GuestInfo, GuestKind};
use countersign::{Countersign, Subject};
use serde_json::{Map, Value as Json, json};

/// A host name as well, since many inputs are one.
const STAND_IN: &str = "stand-in";

/// By auth type, the names of what its plugin cannot do without.
pub(super) struct Wanted(BTreeMap<String, Inputs>);

#[derive(Clone)]
struct Inputs {
    account: Vec<String>,
    pattern: Vec<String>,
}

impl Wanted {
    /// Of all plugins that serve.
    pub(super) fn of(serving: &[GuestInfo]) -> Self {
        let mut wanted = BTreeMap::new();
        for guest in serving {
            let GuestKind::Plugin { auth_types, .. } = &guest.kind else { continue };
            let [account, pattern] = ["account", "pattern"].map(|of| required(&guest.about, of));
            let inputs = Inputs { account, pattern };
            wanted.extend(auth_types.iter().map(|auth_type| (auth_type.clone(), inputs.clone())));
        }
        Self(wanted)
    }

    /// A warning for each that the provider does not have.
    pub(super) fn warnings(&self, provider: &Provider) -> Vec<Problem> {
        provider.auth_patterns().iter().flat_map(|pattern| self.missing(pattern)).collect()
    }

    fn missing(&self, pattern: &AuthPattern) -> Vec<Problem> {
        let Some(inputs) = self.0.get(pattern.auth_type()) else { return Vec::new() };
        let plugin = pattern.auth_type();
        // A field that says where it goes takes the place of the plugin's own, and so does a value that
        // a mutation makes.
        let mutated =
            |name: &str| pattern.mutations().iter().any(|mutation| mutation.target() == name);
        let fields = inputs.account.iter().filter(|name| {
            !pattern.declares(name) && !mutated(name) && !pattern.all_fields().any(is_placed)
        });
        let fields = fields.map(|name| Problem {
            path: format!("{}.fields", pattern.path()),
            severity: Severity::Warning,
            what: format!("has no field `{name}`, which {plugin} needs of every account"),
            fix: format!("add one with the field_name `{name}`"),
        });
        let is_there = |name: &str| pattern.raw().pointer(&format!("/{name}")).is_some();
        let settings = inputs.pattern.iter().filter(|name| !is_there(name));
        let settings = settings.map(|name| Problem {
            path: format!("{}.{}", pattern.path(), name.replace('/', ".")),
            severity: Severity::Warning,
            what: format!("is missing, and {plugin} needs it"),
            fix: "set it as the plugin's documentation says".to_owned(),
        });
        fields.chain(settings).collect()
    }
}

/// A warning for each thing in the provider that its plugin refuses.
pub(super) async fn refused(host: &Countersign, provider: &Arc<Provider>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for pattern in provider.auth_patterns() {
        let Some(subject) = subject(provider, pattern) else { continue };
        // An error is about what is made up here, or about the plugin.
        for refusal in host.validate(&subject).await.unwrap_or_default() {
            let field = refusal.field.as_deref().and_then(|field| field.strip_prefix("pattern/"));
            problems.extend(field.map(|field| Problem {
                path: format!("{}.{}", pattern.path(), field.replace('/', ".")),
                severity: Severity::Warning,
                what: format!("is refused by {}: {}", pattern.auth_type(), refusal.message),
                fix: "set it as the plugin's documentation says".to_owned(),
            }));
        }
    }
    problems
}

fn is_placed(field: &Field) -> bool {
    [field.header_name(), field.query_name(), field.cookie_name()].iter().any(Option::is_some)
}

/// The inputs of this level that the component says it cannot do without. What it says is printed, and so
/// a name that no payload could have is left out.
fn required(about: &Json, level: &str) -> Vec<String> {
    let inputs = about["inputs"][level].as_array().into_iter().flatten();
    let required = inputs.filter(|input| input["required"] == true);
    let names = required.filter_map(|input| input["name"].as_str());
    let usable = |name: &&str| {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_-/".contains(&byte);
        !name.is_empty() && name.len() <= 64 && name.bytes().all(good)
    };
    names.filter(usable).map(str::to_owned).collect()
}

fn subject(provider: &Arc<Provider>, pattern: &AuthPattern) -> Option<Subject> {
    let label = pattern.name().or(pattern.display_name()).unwrap_or(pattern.auth_type());
    let details: Map<String, Json> =
        pattern.all_fields().map(|field| (field.name().to_owned(), STAND_IN.into())).collect();
    let account = json!({
        "identifier": STAND_IN,
        "authorization_details": {"static_auth": {"details": details}},
    });
    let account = Account::parse(&account).ok()?;
    let connection = Connection::parse(&json!({ "auth_pattern": label })).ok()?;
    Subject::new("", Arc::clone(provider), connection.into(), account.into()).ok()
}

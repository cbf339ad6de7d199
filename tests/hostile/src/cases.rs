//! The hostile set.
//!
//! Each case is alone in its misbehaviour: but for that one thing the plugin stays within what it
//! declared, so that no other guard refuses it first. The one exception is a need that a strict
//! host may already refuse when it loads the file, such as `write header/host`.

mod answers;
mod files;
mod flows;
mod keepers;
mod resources;

use std::fmt;

use crate::answer;
use crate::guest::{Body, Guest};
use crate::val::Val;

/// Where the requests of [`provider`] go: a base path, so that there is something to climb out of.
pub const PROXY_URL: &str = "https://api.hostile.example/base";
/// The one URL that the plugins may fetch.
pub const TOKEN_URI: &str = "https://login.hostile.example/token";
/// The one URL whose origin the plugins may send a browser to.
pub const AUTHORIZE_URI: &str = "https://login.hostile.example/authorize";

/// Where a host meets the misbehaviour, and how it gets there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// When the file is read: before or while it is described.
    Load,
    /// `validate`.
    Validate,
    /// `authorize`, first asked without a request.
    Authorize,
    /// `replied`: `authorize` answers well, and watches every reply.
    Replied,
    /// `begin` with the purpose `renew`: `authorize` asks for it.
    Renew,
    /// `resume`: `authorize` asks for a renewal, and `begin` fetches [`TOKEN_URI`].
    Resume,
    /// `begin` with the purpose `grant`.
    Grant,
    /// `mutate`.
    Mutate,
}

/// How it must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The sandbox ends the call: a trap, a limit or the deadline. The plugin is at fault.
    Fault,
    /// The host reads the file or the answer and will not have it.
    Rejected,
    /// The plugin itself refuses; what it says must not get out as it is.
    Refusal,
    /// The request is served, and the attempt has no effect.
    Served,
}

/// One hostile plugin.
pub struct Case {
    /// In kebab-case, unique.
    pub name: String,
    /// The auth type it answers to: the name in capitals after `HOSTILE_`, unless the case is
    /// about that. Of a mutation, the name.
    pub auth_type: String,
    /// Where a host meets it.
    pub stage: Stage,
    /// How it must end.
    pub ending: Ending,
    made_of: MadeOf,
}

enum MadeOf {
    Guest(Box<Guest>),
    File(Vec<u8>),
}

impl Case {
    /// The file, as it would lie in a plugin folder. The same bytes every time.
    ///
    /// # Panics
    ///
    /// Where the case does not fit `wit/`; this crate's tests build every one.
    #[expect(clippy::panic, reason = "a broken case is a bug of this crate, caught by its tests")]
    pub fn component(&self) -> Vec<u8> {
        match &self.made_of {
            MadeOf::Guest(guest) => {
                guest.build().unwrap_or_else(|error| panic!("the case `{}`: {error:?}", self.name))
            }
            MadeOf::File(bytes) => bytes.clone(),
        }
    }

    fn new(name: &str, stage: Stage, ending: Ending, guest: Guest) -> Self {
        let auth_type = if stage == Stage::Mutate { name.into() } else { auth_type(name) };
        let made_of = MadeOf::Guest(Box::new(guest));
        Self { name: name.into(), auth_type, stage, ending, made_of }
    }

    fn file(name: &str, bytes: Vec<u8>) -> Self {
        Self {
            name: name.into(),
            auth_type: auth_type(name),
            stage: Stage::Load,
            ending: Ending::Rejected,
            made_of: MadeOf::File(bytes),
        }
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:?}, {:?})", self.name, self.stage, self.ending)
    }
}

/// Every hostile auth plugin.
pub fn all() -> Vec<Case> {
    let mut all = files::all();
    all.extend(resources::all());
    all.extend(answers::all());
    all.extend(flows::all());
    all.extend(keepers::all());
    all
}

/// The hostile mutations.
pub fn mutations() -> Vec<Case> {
    resources::mutations()
}

/// A case of [`all`] or [`mutations`] by its name.
pub fn find(name: &str) -> Option<Case> {
    all().into_iter().chain(mutations()).find(|case| case.name == name)
}

/// A provider payload, as JSON, for plugins that answer to `auth_type`: one account field `token`,
/// a base URL of [`PROXY_URL`], and the two URLs that a flow may use.
pub fn provider(auth_type: &str) -> String {
    format!(
        r#"{{
  "display_name": "Hostile {auth_type}",
  "description": "For a plugin that misbehaves",
  "auth_patterns": [{{
    "type": "{auth_type}",
    "display_name": "Hostile",
    "description": "A token, and two URLs",
    "fields": [{{ "field_name": "token", "label": "Token", "input_type": "password", "required": true }}],
    "oauth_config": {{ "authorize_uri": "{AUTHORIZE_URI}", "token_uri": "{TOKEN_URI}" }}
  }}],
  "proxy_url": "{PROXY_URL}",
  "proxy_enabled": true
}}"#
    )
}

fn auth_type(name: &str) -> String {
    format!("HOSTILE_{}", name.to_uppercase().replace('-', "_"))
}

/// What every plugin here asks leave for, at the least.
const NEEDS: [&str; 2] = ["read account/token", "write header/authorization"];

/// What those with flows ask leave for besides.
const FLOW_NEEDS: [&str; 3] = [
    "fetch pattern/oauth_config/token_uri",
    "visit pattern/oauth_config/authorize_uri",
    "write state/access_token",
];

/// A plugin without flows that answers to the type of its case, with needs besides the usual.
fn plain(name: &str, needs: &[&str]) -> Guest {
    let needs = [&NEEDS[..], needs].concat();
    let about = r#"{"title":"Hostile","version":"1"}"#;
    Guest::auth(answer::descriptor(&[&auth_type(name)], &[], &needs, about.into()))
}

/// The same with flows.
fn flowing(name: &str) -> Guest {
    let needs = [&NEEDS[..], &FLOW_NEEDS].concat();
    let about = r#"{"title":"Hostile","version":"1"}"#;
    let flows = ["grant", "renew"];
    Guest::flow(answer::descriptor(&[&auth_type(name)], &flows, &needs, about.into()))
}

/// A plugin that behaves until `stage`, and then does this.
fn at(name: &str, stage: Stage, body: impl Into<Body>) -> Guest {
    let fetch = answer::fetch("POST", TOKEN_URI, Vec::new());
    match stage {
        Stage::Load => plain(name, &[]).body("describe", body),
        Stage::Validate => plain(name, &[]).body("validate", body),
        Stage::Authorize => plain(name, &[]).body("authorize", body),
        Stage::Replied => {
            let edits = Val::List(vec![answer::set_header("authorization", "Hostile")]);
            let ready = answer::ready_with(edits, vec![answer::watch_any(0)], Val::none());
            plain(name, &[]).body("authorize", ready).body("replied", body)
        }
        Stage::Renew => flowing(name).body("authorize", answer::renew()).body("begin", body),
        Stage::Resume => flowing(name)
            .body("authorize", answer::renew())
            .body("begin", fetch)
            .body("resume", body),
        Stage::Grant => flowing(name).body("begin", body),
        Stage::Mutate => {
            let about = format!(r#"{{"name":"{name}","title":"Hostile","version":"1"}}"#);
            Guest::mutation(about.into()).body("mutate", body)
        }
    }
}

//! From a file's bytes to a guest that may be called.
//!
//! A component is refused before any of its code runs where it is too large, imports anything but
//! the contract's `context` and `types`, exports no interface of this contract's track, or does
//! not link. Then its `describe` is run once, and refused where its answer says something that
//! this host does not know. On `Err` nothing of it is kept.

mod outline;
mod preamble;

use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;
use wasmtime::component::Component;

use super::call::{Described, Functions};
use super::guest::{Guest, Mutation, Plugin};
use super::{CallError, Digest, Moment, Profile, Sandbox, SandboxError};
use crate::contract::{AuthPluginPre, FlowHalfPre, MutationPluginPre};
use crate::needs::{Needs, NeedsError};
pub use preamble::NotAComponent;

/// The package whose interfaces guests import and export.
const PACKAGE: &str = "countersign:auth/";
/// The track this host serves: versions that semver holds compatible with 0.1.0.
const TRACK: &str = "0.1.";
/// Longest name of an auth type, in bytes.
const LONGEST_TYPE: usize = 64;
/// Most auth types that one plugin answers to.
const MOST_TYPES: usize = 16;
/// Most needs of one plugin: an operator has to read them.
const MOST_NEEDS: usize = 128;
/// Bytes of `about`: a form of a hundred inputs takes some 20 KiB.
const LONGEST_ABOUT: usize = 64 << 10;

/// Bytes of a component that takes seconds to compile, or a minute: most carry an interpreter.
const LARGE: usize = 2 << 20;

/// A component that may be called.
pub(crate) enum Loaded {
    Plugin(Arc<Plugin>),
    Mutation(Arc<Mutation>),
}

/// One of the flows that a plugin may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Once per connection: discovery, client registration.
    Setup,
    /// A user consents.
    Grant,
    /// New state for an account.
    Renew,
    /// Tokens are given back.
    Revoke,
}

impl Flow {
    const ALL: [Self; 4] = [Self::Setup, Self::Grant, Self::Renew, Self::Revoke];

    /// The contract's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Grant => "grant",
            Self::Renew => "renew",
            Self::Revoke => "revoke",
        }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A component that this host will not run. Whoever built it must act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Past [`Limits::component_bytes`](super::Limits::component_bytes).
    #[error("the file has {found} bytes; at most {most} are read")]
    TooLarge {
        /// Its size.
        found: usize,
        /// The profile's limit.
        most: usize,
    },
    /// Not a component, or one that does not validate.
    #[error("not a WebAssembly component: {0}")]
    NotAComponent(NotAComponent),
    /// It needs more than the profile has slots for. The operator must act where it is a plugin with an
    /// interpreter, else whoever built it.
    #[error(
        "an instance of it does not fit: {0}. A plugin that carries an interpreter (JavaScript, \
         Python) is let have more where an operator names it: the setting `interpreted.plugins`, or \
         --interpreted"
    )]
    Unfit(String),
    /// It needs more than even guests with an interpreter have.
    #[error(
        "an instance of it does not fit, though it may have what a plugin with an interpreter has: {0}"
    )]
    UnfitInterpreted(String),
    /// There is no place for guests that carry an interpreter. The operator must act.
    #[error("the sandbox for plugins that carry an interpreter does not start")]
    Sandbox(#[from] SandboxError),
    /// It asks the host for something that the host does not give, WASI for example.
    #[error(
        "it imports {0}; a plugin may import countersign:auth/context and /types, nothing else"
    )]
    Import(String),
    /// It has no interface of the contract.
    #[error("it exports neither countersign:auth/authorizer nor countersign:auth/mutator")]
    NoContract,
    /// It was built against another track of the contract.
    #[error("it was built against contract version {0}; this host serves {TRACK}x")]
    Version(String),
    /// The exports do not have the contract's types.
    #[error("its exports do not match the contract: {0}")]
    Mismatch(String),
    /// It broke while describing itself.
    #[error("`describe` failed: {0}")]
    Describe(#[source] CallError),
    /// It describes itself in words this host does not know.
    #[error("its descriptor is refused: {0}")]
    Descriptor(String),
    /// It asks leave for something unknown or too wide.
    #[error("its needs are refused: {0}")]
    Needs(#[from] NeedsError),
}

impl Sandbox {
    /// Checks, compiles and links a component, and runs its `describe`.
    ///
    /// Takes tens of milliseconds of CPU: not for an async thread.
    pub(crate) fn load(
        &self,
        name: &str,
        bytes: &[u8],
        moment: Moment,
    ) -> Result<Loaded, LoadError> {
        let hall = self.hall(self.profile(name, Digest::of(bytes)))?;
        let most = hall.limits.component_bytes;
        if bytes.len() > most {
            return Err(LoadError::TooLarge { found: bytes.len(), most });
        }
        outline::check(bytes, &hall.limits, hall.profile)?;
        if bytes.len() >= LARGE {
            let mib = bytes.len() >> 20;
            tracing::info!(plugin = name, mib, "loading, for up to a minute where it is new");
        }
        let component = Component::from_binary(&hall.engine, bytes)
            .map_err(|cause| refused(bytes, &cause, hall.profile))?;
        let shape = Shape::of(&component, &hall.engine)?;
        let guest = Guest::new(name, bytes, shape.version, shape.imports, Arc::clone(&hall));
        let pre = hall
            .linker
            .instantiate_pre(&component)
            .map_err(|cause| LoadError::Mismatch(first_line(&cause)))?;
        let mismatch = |cause: wasmtime::Error| LoadError::Mismatch(first_line(&cause));
        if shape.mutator {
            let mutator = MutationPluginPre::new(pre).map_err(mismatch)?;
            let text = self
                .describe_mutation(&guest, &mutator, moment)
                .map_err(LoadError::Describe)?
                .map_err(mismatch)?;
            let about = object("describe", &text)?;
            let name = about.get("name").and_then(Json::as_str).unwrap_or_default().to_owned();
            if !is_mutation_name(&name) {
                return Err(LoadError::Descriptor(
                    "`name` must be lower-case letters, digits and hyphens".to_owned(),
                ));
            }
            let mutation = Mutation { guest: guest.into(), name, about, mutator };
            return Ok(Loaded::Mutation(mutation.into()));
        }
        let flow =
            if shape.flow { Some(FlowHalfPre::new(pre.clone()).map_err(mismatch)?) } else { None };
        let authorizer = AuthPluginPre::new(pre).map_err(mismatch)?;
        let described = self
            .describe_plugin(&guest, &authorizer, flow.is_some(), moment)
            .map_err(LoadError::Describe)?
            .map_err(mismatch)?;
        let (auth_types, flows, about) = check(&described, flow.is_some())?;
        let needs = Needs::parse(&described.needs)?;
        let functions = Functions::of(&component).ok_or(LoadError::NoContract)?;
        Ok(Loaded::Plugin(Arc::new(Plugin {
            guest: guest.into(),
            auth_types,
            flows,
            needs,
            declared_needs: described.needs,
            about,
            authorizer,
            functions,
            flow,
        })))
    }
}

/// Why the engine does not take a component.
fn refused(bytes: &[u8], cause: &wasmtime::Error, profile: Profile) -> LoadError {
    // wasmtime gives what does not fit into the slots of a pool no type of its own.
    if !format!("{cause:#}").contains("pooling allocator") {
        return LoadError::NotAComponent(NotAComponent::of(bytes, cause));
    }
    unfit(cause.root_cause().to_string(), profile)
}

/// What it needs is more than its profile gives.
fn unfit(what: String, profile: Profile) -> LoadError {
    match profile {
        Profile::Plain => LoadError::Unfit(what),
        Profile::Interpreted => LoadError::UnfitInterpreted(what),
    }
}

/// What can be told of a component without running it.
struct Shape {
    imports: Vec<String>,
    version: String,
    flow: bool,
    mutator: bool,
}

impl Shape {
    fn of(component: &Component, engine: &wasmtime::Engine) -> Result<Self, LoadError> {
        let kind = component.component_type();
        let imports: Vec<String> = kind.imports(engine).map(|(name, _)| name.to_owned()).collect();
        imports.iter().try_for_each(|name| allow_import(name))?;
        let (mut version, mut authorizer, mut flow, mut mutator) = (None, false, false, false);
        for (name, _) in kind.exports(engine) {
            let Some((interface, found)) = split(name) else { continue };
            if !found.starts_with(TRACK) {
                return Err(LoadError::Version(printable(found)));
            }
            version = Some(found.to_owned());
            match interface {
                "authorizer" => authorizer = true,
                "flow" => flow = true,
                "mutator" => mutator = true,
                _ => {}
            }
        }
        let version = version.ok_or(LoadError::NoContract)?;
        if authorizer == mutator {
            return Err(LoadError::NoContract);
        }
        // A mutation has no clock and no randomness: values in, values out.
        let is_context = |name: &&String| matches!(split(name), Some(("context", _)));
        if let (true, Some(name)) = (mutator, imports.iter().find(is_context)) {
            return Err(LoadError::Import(printable(name)));
        }
        Ok(Self { imports, version, flow, mutator })
    }
}

/// Refuses what the host does not give.
fn allow_import(name: &str) -> Result<(), LoadError> {
    match split(name) {
        Some(("context" | "types", version)) if version.starts_with(TRACK) => Ok(()),
        Some(("context" | "types", version)) => Err(LoadError::Version(printable(version))),
        _ => Err(LoadError::Import(printable(name))),
    }
}

/// `countersign:auth/NAME@VERSION`.
fn split(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(PACKAGE)?.split_once('@')
}

fn check(
    described: &Described,
    has_flow: bool,
) -> Result<(Vec<String>, Vec<Flow>, Json), LoadError> {
    let refuse = |text: String| Err(LoadError::Descriptor(text));
    let types = &described.auth_types;
    if types.is_empty() || types.len() > MOST_TYPES {
        return refuse(format!("`auth-types` must name 1 to {MOST_TYPES} types"));
    }
    if let Some(bad) = types.iter().find(|name| !is_auth_type(name)) {
        return refuse(format!(
            "the auth type `{}` must be upper-case letters, digits and underscores",
            printable(bad)
        ));
    }
    if (1..types.len()).any(|nth| types[..nth].contains(&types[nth])) {
        return refuse("`auth-types` names a type twice".to_owned());
    }
    let mut flows = Vec::new();
    for name in &described.flows {
        let Some(flow) = Flow::ALL.into_iter().find(|flow| flow.as_str() == name) else {
            return refuse(format!("the flow `{}` is unknown", printable(name)));
        };
        flows.push(flow);
    }
    if !flows.is_empty() && !has_flow {
        return refuse("it names flows but does not export countersign:auth/flow".to_owned());
    }
    if described.needs.len() > MOST_NEEDS {
        return refuse(format!("it has more than {MOST_NEEDS} needs"));
    }
    let about = object("about", &described.about)?;
    Ok((types.clone(), flows, about))
}

fn object(what: &str, text: &str) -> Result<Json, LoadError> {
    if text.len() > LONGEST_ABOUT {
        return Err(LoadError::Descriptor(format!("`{what}` is over {LONGEST_ABOUT} bytes")));
    }
    match serde_json::from_str(text) {
        Ok(json @ Json::Object(_)) => Ok(json),
        _ => Err(LoadError::Descriptor(format!("`{what}` must be a JSON object"))),
    }
}

pub(crate) fn is_auth_type(name: &str) -> bool {
    name.len() <= LONGEST_TYPE
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

fn is_mutation_name(name: &str) -> bool {
    name.len() <= LONGEST_TYPE
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// A name that came from a file, made fit for one line of a terminal.
fn printable(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(LONGEST_TYPE).collect()
}

fn first_line(error: &wasmtime::Error) -> String {
    let text = format!("{error:#}");
    text.lines().next().unwrap_or_default().chars().take(300).collect()
}

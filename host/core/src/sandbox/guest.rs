//! A guest that has been loaded: checked, compiled, linked, and ready to be called.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use super::Profile;
use super::call::Functions;
use super::hall::Hall;
use super::health::Health;
use super::host::Call;
use super::journal::Journal;
use super::load::Flow;
use crate::contract::{AuthPluginPre, FlowHalfPre, MutationPluginPre};
use crate::needs::Needs;

/// The SHA-256 of a component's bytes: what a guest is known by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not 64 hexadecimal digits.
#[derive(Debug, thiserror::Error)]
#[error("a digest is 64 hexadecimal digits (SHA-256)")]
pub struct DigestError;

impl std::str::FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let text = text.strip_prefix("sha256:").unwrap_or(text);
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(DigestError);
        }
        let mut bytes = [0; 32];
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| DigestError)?;
        }
        Ok(Self(bytes))
    }
}

/// What every guest has, plugin or mutation.
pub(crate) struct Guest {
    /// For people: the file's stem, or the bundled name.
    pub(crate) name: String,
    pub(crate) digest: Digest,
    /// Bytes of the component.
    pub(crate) size: usize,
    /// Of the contract that it was built against, for example `0.1.0`.
    pub(crate) contract: String,
    /// The interfaces that it imports.
    pub(crate) imports: Vec<String>,
    /// Where it runs.
    pub(super) hall: Arc<Hall>,
    pub(super) health: Health,
    pub(super) share: Arc<Semaphore>,
    /// Calls that wait for their turn.
    pub(super) waiting: AtomicUsize,
    /// What it logs.
    pub(super) journal: Journal,
    /// What the host says of it.
    pub(super) told: Journal,
}

impl Guest {
    pub(super) fn new(
        name: &str,
        bytes: &[u8],
        contract: String,
        imports: Vec<String>,
        hall: Arc<Hall>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            digest: Digest::of(bytes),
            size: bytes.len(),
            contract,
            imports,
            health: Health::new(),
            share: Arc::new(Semaphore::new(hall.limits.concurrent_calls_per_plugin.max(1))),
            waiting: AtomicUsize::new(0),
            journal: Journal::default(),
            told: Journal::default(),
            hall,
        }
    }

    pub(crate) fn profile(&self) -> Profile {
        self.hall.profile
    }

    pub(crate) fn status(&self) -> GuestStatus {
        GuestStatus {
            faults: self.health.total_faults(),
            suspended: self.health.suspended(Instant::now()),
        }
    }
}

/// How a guest has behaved since it was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuestStatus {
    /// Calls that ended in a fault.
    pub faults: u64,
    /// How long it will still not be asked, where it is suspended.
    pub suspended: Option<Duration>,
}

/// An auth plugin.
pub(crate) struct Plugin {
    pub(crate) guest: Arc<Guest>,
    /// At least one, each of the grammar `[A-Z][A-Z0-9_]*`.
    pub(crate) auth_types: Vec<String>,
    /// Empty for a component that does not export `flow`.
    pub(crate) flows: Vec<Flow>,
    pub(crate) needs: Needs,
    /// As it was declared, for people and policy files.
    pub(crate) declared_needs: Vec<(String, String)>,
    /// JSON for people and forms; an object.
    pub(crate) about: serde_json::Value,
    pub(super) authorizer: AuthPluginPre<Call>,
    pub(super) functions: Functions,
    pub(super) flow: Option<FlowHalfPre<Call>>,
}

/// A custom mutation.
pub(crate) struct Mutation {
    pub(crate) guest: Arc<Guest>,
    /// What a payload calls it by.
    pub(crate) name: String,
    pub(crate) about: serde_json::Value,
    pub(super) mutator: MutationPluginPre<Call>,
}

impl Mutation {
    /// The account values that it wants beside its target: those of `reads` in its description,
    /// where `{option}` stands for the name that the payload gives under that option.
    pub(crate) fn reads(&self, options: &[(String, String)]) -> Vec<String> {
        let declared = self.about.get("reads").and_then(serde_json::Value::as_array);
        let names = declared.into_iter().flatten().filter_map(serde_json::Value::as_str);
        names
            .filter_map(|name| {
                match name.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                    None => Some(name.to_owned()),
                    Some(option) => {
                        let given = options.iter().find(|(name, _)| name == option);
                        given.map(|(_, value)| value.clone())
                    }
                }
            })
            .collect()
    }
}

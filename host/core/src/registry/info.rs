//! What people are told of the components.

use serde_json::Value as Json;

use super::Source;
use super::catalog::{Candidate, Component};
use crate::sandbox::{Digest, GuestStatus};

/// All components of a registry.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Those that serve: the bundled ones first, then by file name.
    pub serving: Vec<GuestInfo>,
    /// Those that do not, with the reason.
    pub refused: Vec<Refused>,
}

/// A component that serves.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GuestInfo {
    /// The bundled name, or the file's stem.
    pub name: String,
    /// Where it came from.
    pub source: Source,
    /// What it is known by.
    pub digest: Digest,
    /// Bytes.
    pub size: usize,
    /// The contract's version that it was built against.
    pub contract: String,
    /// The interfaces that it imports.
    pub imports: Vec<String>,
    /// What it is for.
    pub kind: GuestKind,
    /// JSON for people and forms, from the component itself: not to be trusted.
    pub about: Json,
    /// How it has behaved.
    pub status: GuestStatus,
}

/// What a component is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuestKind {
    /// It puts credentials on requests.
    Plugin {
        /// What it answers to.
        auth_types: Vec<String>,
        /// Of `setup`, `grant`, `renew`, `revoke`.
        flows: Vec<String>,
        /// What it asks leave for, as verb and object.
        needs: Vec<(String, String)>,
    },
    /// It changes a value before a plugin sees it.
    Mutation {
        /// What payloads call it by.
        mutation: String,
    },
}

/// A file or a component that does not serve.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// Where it came from.
    pub source: Source,
    /// What it is known by, where it could be read.
    pub digest: Option<Digest>,
    /// What is wrong with it, and what to do.
    pub reason: String,
    /// Whether an earlier version of the same file goes on serving.
    pub kept: bool,
    /// Whether these very bytes are bundled and serve: nothing is lost, and nothing is to be done.
    pub duplicate: bool,
}

impl GuestInfo {
    pub(crate) fn of(candidate: &Candidate) -> Self {
        let (guest, about, kind) = match &candidate.component {
            Component::Plugin(plugin) => (
                &plugin.guest,
                &plugin.about,
                GuestKind::Plugin {
                    auth_types: plugin.auth_types.clone(),
                    flows: plugin.flows.iter().map(ToString::to_string).collect(),
                    needs: plugin.declared_needs.clone(),
                },
            ),
            Component::Mutation(mutation) => (
                &mutation.guest,
                &mutation.about,
                GuestKind::Mutation { mutation: mutation.name.clone() },
            ),
        };
        Self {
            name: guest.name.clone(),
            source: candidate.source.clone(),
            digest: guest.digest,
            size: guest.size,
            contract: guest.contract.clone(),
            imports: guest.imports.clone(),
            kind,
            about: about.clone(),
            status: guest.status(),
        }
    }
}

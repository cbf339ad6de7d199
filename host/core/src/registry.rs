//! Which plugin answers to which auth type.
//!
//! The bundled components and a folder of `.wasm` files, found by the auth types that they
//! describe. What holds at every moment: each type has at most one plugin, and requests that are
//! under way keep the one they began with. [`Registry::reload`] reads the folder anew and swaps the
//! whole catalogue at once; a file that cannot be loaded is reported with its reason, and where an
//! earlier version of that file was serving, that version goes on.
//!
//! Two components for one type are a conflict, because a dropped file could otherwise collect every
//! credential of that type. Who was there first stays; where nobody was (a fresh start), none of
//! the files serves; a bundled type is never replaced by a file alone. An operator settles a
//! conflict by naming the digest to use, and from then on nothing else serves that type. A file with
//! the very bytes of a bundled component is none: the bundled one serves.

mod catalog;
mod info;
mod source;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::clock::{Clock, SystemClock};
use crate::random::{Random, SystemRandom};
use crate::sandbox::{
    Chosen, Digest, Guest, LoadError, Moment, Mutation, NotAComponent, Plugin, Sandbox,
};

use catalog::Catalog;
pub use info::{GuestInfo, GuestKind, Listing, Refused};
pub use source::Source;

/// The plugins of one process.
pub struct Registry {
    sandbox: Arc<Sandbox>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    folder: Option<PathBuf>,
    /// Held for a reload, so that there is one at a time.
    pins: Mutex<BTreeMap<String, Digest>>,
    bundled: Vec<catalog::Candidate>,
    current: ArcSwap<Catalog>,
    /// Counted up with each reload.
    generation: AtomicU64,
}

/// Why the registry cannot be made. The operator must act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// A component of the program itself does not load: the build is broken.
    #[error("the bundled component {name} does not load")]
    Bundled {
        /// Its name.
        name: String,
        /// What is wrong with it.
        #[source]
        cause: LoadError,
    },
    /// The folder is there but cannot be read.
    #[error("the plugin folder {folder} cannot be read")]
    Folder {
        /// The folder.
        folder: String,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
}

/// No plugin answers to a type. Whoever configures must act.
#[derive(Debug, thiserror::Error)]
#[error("no plugin answers to the auth type {wanted}; there are: {}", .known.join(", "))]
pub struct UnknownType {
    /// What the provider asks for.
    pub wanted: String,
    /// What there is, sorted.
    pub known: Vec<String>,
}

/// No component serves a mutation. Whoever configures must act.
#[derive(Debug, thiserror::Error)]
#[error("no component serves the mutation {wanted}; there are: {}", .known.join(", "))]
pub struct UnknownMutation {
    /// What the payload asks for.
    pub wanted: String,
    /// What there is, sorted.
    pub known: Vec<String>,
}

impl Registry {
    /// Loads these components, each a name and its bytes, and no others: the system's clock and
    /// randomness, no folder.
    pub fn bundled(
        sandbox: Arc<Sandbox>,
        components: &[(&str, &[u8])],
    ) -> Result<Self, RegistryError> {
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        Self::new(sandbox, clock, random, components, None, BTreeMap::new())
    }

    /// Loads the bundled components, each a name and its bytes, then the folder.
    ///
    /// A folder that is not there is an empty one, so that it may be made later. Takes as long as
    /// compiling takes, so not for an async thread.
    pub fn new(
        sandbox: Arc<Sandbox>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        bundled: &[(&str, &[u8])],
        folder: Option<PathBuf>,
        pins: BTreeMap<String, Digest>,
    ) -> Result<Self, RegistryError> {
        let moment = Moment { now: clock.unix_millis(), random: Arc::clone(&random) };
        let bundled = bundled
            .iter()
            .map(|(name, bytes)| {
                let loaded = sandbox
                    .load(name, bytes, moment.clone())
                    .map_err(|cause| RegistryError::Bundled { name: (*name).to_owned(), cause })?;
                Ok(catalog::Candidate::new(Source::Bundled, loaded))
            })
            .collect::<Result<Vec<_>, RegistryError>>()?;
        let registry = Self {
            sandbox,
            clock,
            random,
            folder,
            pins: Mutex::new(pins),
            bundled,
            current: ArcSwap::from_pointee(Catalog::default()),
            generation: AtomicU64::new(0),
        };
        registry.reload()?;
        Ok(registry)
    }

    /// Reads the folder anew and swaps the catalogue; on `Err` the present one goes on serving.
    ///
    /// Files whose bytes and limits are unchanged are not compiled again. What became of each component is in
    /// the listing that comes back. Not for an async thread.
    pub fn reload(&self) -> Result<Listing, RegistryError> {
        let pins = self.pins.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.current.load_full();
        let moment = Moment { now: self.clock.unix_millis(), random: Arc::clone(&self.random) };
        let most = self.sandbox.longest_component();
        let files =
            source::read(self.folder.as_deref(), most).map_err(|cause| RegistryError::Folder {
                folder: self.folder.iter().map(|it| it.display().to_string()).collect(),
                cause,
            })?;
        let load = |name: &str, bytes: &[u8]| self.sandbox.load(name, bytes, moment.clone());
        let stands =
            |guest: &Guest| guest.profile() == self.sandbox.profile(&guest.name, guest.digest);
        let next = Catalog::build(&self.bundled, files, &before, &pins, load, stands);
        for refused in &next.refused {
            if refused.duplicate {
                tracing::info!(source = %refused.source, digest = ?refused.digest,
                    reason = refused.reason, "file not needed");
                continue;
            }
            tracing::error!(source = %refused.source, digest = ?refused.digest,
                reason = refused.reason, kept = refused.kept, "component refused");
        }
        let listing = next.listing();
        self.current.store(Arc::new(next));
        // After the swap: an answer made from the old catalogue may carry the old number at worst.
        self.generation.fetch_add(1, Ordering::AcqRel);
        Ok(listing)
    }

    /// Other pins, from the next reload on.
    pub fn set_pins(&self, pins: BTreeMap<String, Digest>) {
        *self.pins.lock().unwrap_or_else(PoisonError::into_inner) = pins;
    }

    /// Other guests that carry an interpreter, from the next reload on.
    pub fn set_interpreted(&self, chosen: Vec<Chosen>) {
        self.sandbox.set_interpreted(chosen);
    }

    /// Loads a component as a file of the folder would be, without keeping it. `Err` where this
    /// host refuses it; whether another already has its types is for the caller to compare.
    pub fn inspect(&self, name: &str, bytes: &[u8]) -> Result<GuestInfo, LoadError> {
        let moment = Moment { now: self.clock.unix_millis(), random: Arc::clone(&self.random) };
        let loaded = self.sandbox.load(name, bytes, moment)?;
        let path = PathBuf::from(format!("{name}.wasm"));
        Ok(GuestInfo::of(&catalog::Candidate::new(Source::File(path), loaded)))
    }

    /// Whether a file of the folder breaks off in the middle, or is empty: whoever copies it may not be
    /// done. Nothing of it is compiled.
    pub fn is_partial(&self, path: &Path) -> bool {
        let bytes = source::read_file(path, self.sandbox.longest_component());
        bytes.is_ok_and(|bytes| NotAComponent::is_partial(&bytes))
    }

    /// What is serving, and what was refused at the last reload.
    pub fn listing(&self) -> Listing {
        self.current.load().listing()
    }

    /// The auth types there are, sorted.
    pub fn auth_types(&self) -> Vec<String> {
        self.current.load().auth_types()
    }

    /// Counted up with each reload. Read it before the catalogue.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(crate) fn plugin(&self, auth_type: &str) -> Result<Arc<Plugin>, UnknownType> {
        let catalog = self.current.load();
        catalog.plugin(auth_type).ok_or_else(|| UnknownType {
            wanted: auth_type.to_owned(),
            known: catalog.auth_types(),
        })
    }

    pub(crate) fn mutation(&self, name: &str) -> Result<Arc<Mutation>, UnknownMutation> {
        let catalog = self.current.load();
        catalog.mutation(name).ok_or_else(|| UnknownMutation {
            wanted: name.to_owned(),
            known: catalog.mutation_names(),
        })
    }
}

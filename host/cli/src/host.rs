//! The library's parts, set up as the global options ask.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use countersign::clock::SystemClock;
use countersign::random::SystemRandom;
use countersign::registry::Refused;
use countersign::sandbox::{Chosen, Limits};
use countersign::{Registry, Sandbox};
use tokio::runtime::{Builder, Runtime};

use crate::arguments::{Global, Pin};
use crate::codes;
use crate::failure::Failure;

/// The sandbox, and the plugins in it.
pub(crate) struct Host {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) registry: Arc<Registry>,
}

/// What a host is made of.
pub(crate) struct Parts<'a> {
    pub(crate) limits: Limits,
    /// Those of plugins that carry an interpreter.
    pub(crate) interpreted: Limits,
    /// Which these are.
    pub(crate) chosen: &'a [Chosen],
    pub(crate) cache: Option<&'a Path>,
    pub(crate) folder: Option<&'a Path>,
    pub(crate) pins: &'a [Pin],
}

impl<'a> Parts<'a> {
    /// As the command line says.
    pub(crate) fn of(global: &'a Global, folder: Option<&'a Path>) -> Self {
        Self {
            limits: Limits::default(),
            interpreted: Limits::interpreted(),
            chosen: &global.interpreted,
            cache: global.cache.as_deref(),
            folder,
            pins: &global.pins,
        }
    }
}

impl Host {
    /// Loads the bundled components and the folder that the command line names. Such a folder must
    /// be there: a misspelt one would otherwise be an empty one.
    pub(crate) fn start(global: &Global) -> Result<Self, Failure> {
        if let Some(folder) = &global.plugins
            && !folder.is_dir()
        {
            let what = format!("{} is no folder", folder.display());
            return Err(Failure::new(codes::HOST_UNUSABLE, what).at("--plugins"));
        }
        Self::with_folder(global, global.plugins.as_deref())
    }

    /// The same with another folder.
    pub(crate) fn with_folder(global: &Global, folder: Option<&Path>) -> Result<Self, Failure> {
        Self::load(Parts::of(global, folder))
    }

    /// Loads these.
    pub(crate) fn load(parts: Parts<'_>) -> Result<Self, Failure> {
        let Parts { limits, interpreted, chosen, cache, folder, pins } = parts;
        // wasmtime takes an absolute folder only.
        let cache = cache.map(std::path::absolute).transpose();
        let cache = cache.context("finding the cache folder")?;
        let sandbox = Sandbox::new(limits, cache.as_deref());
        let sandbox = sandbox.context("starting the sandbox")?;
        let sandbox = Arc::new(sandbox.with_interpreted(interpreted, chosen.to_vec()));
        let bundled: Vec<(&str, &[u8])> = countersign_bundle::components()
            .iter()
            .chain(countersign_bundle::mutations())
            .map(|it| (it.name, it.bytes))
            .collect();
        let pins = pins.iter().map(|pin| (pin.name.clone(), pin.digest)).collect();
        let registry = Registry::new(
            Arc::clone(&sandbox),
            Arc::new(SystemClock),
            Arc::new(SystemRandom),
            &bundled,
            folder.map(Path::to_owned),
            pins,
        );
        let registry = Arc::new(registry.context("loading the plugins")?);
        Ok(Self { sandbox, registry })
    }
}

/// The same failure; of a type that no plugin answers to, with the files that were refused, since one of them
/// may be the plugin.
pub(crate) fn explain(failure: Failure, refused: &[Refused]) -> Failure {
    if failure.code().as_str() != "auth_type_unknown" {
        return failure;
    }
    let mut told = refused.iter().filter(|it| !it.duplicate);
    let Some(first) = told.next() else { return failure };
    let more = match told.count() {
        0 => String::new(),
        more => format!(" (and {more} more, see `countersign plugin list`)"),
    };
    failure.with_hint(&format!(
        "Or mend what is refused there: {}: {}{more}.",
        first.source, first.reason
    ))
}

/// A runtime for what is asynchronous, of as many threads as there are cores.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    runtime_of(None)
}

/// The same of so many threads. Where that is one, its tasks need not be ready to be taken over by others
/// that are never there, which is a tenth of what it takes to forward a request.
pub(crate) fn runtime_of(threads: Option<NonZeroUsize>) -> Result<Runtime, Failure> {
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let threads = threads.unwrap_or_else(cores).get();
    let mut builder = match threads {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    let runtime = builder.worker_threads(threads).enable_all().build();
    Ok(runtime.context("starting the runtime")?)
}

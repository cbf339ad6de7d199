//! Where the guests of one profile run: an engine with its instance pool, and the threads for it.
//!
//! Each profile has its own, since all slots of a pool are of one size; and since what waits for the
//! threads of the one then never waits for the other's.

use std::path::Path;
use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Engine, Store};

use super::engine::{self, Metered};
use super::host::Call;
use super::ticker::Ticker;
use super::{FUEL, Limits, Moment, Profile, SandboxError, budget};
use crate::contract;

pub(super) struct Hall {
    pub(super) profile: Profile,
    pub(super) engine: Engine,
    ticker: Ticker,
    pub(super) linker: Linker<Call>,
    pub(super) limits: Arc<Limits>,
    pub(super) threads: rayon::ThreadPool,
    pub(super) seats: Arc<Semaphore>,
    /// One component describes itself at a time, in a slot that requests never have.
    pub(super) describing: Mutex<()>,
    metered: Metered,
}

impl Hall {
    /// Starts the engine and its threads. Reserves address space, not memory.
    pub(super) fn start(
        profile: Profile,
        limits: Limits,
        cache: Option<&Path>,
        metered: Metered,
    ) -> Result<Self, SandboxError> {
        // wasmtime names what it keeps by how it was compiled, so that two engines may share a folder.
        let cache = cache.map(engine::cache_in).transpose()?;
        let engine = engine::start(&limits, cache, metered)?;
        let ticker = Ticker::start(&engine)?;
        let mut linker = Linker::new(&engine);
        contract::context::add_to_linker::<Call, HasSelf<Call>>(&mut linker, |call| call)
            .map_err(|cause| SandboxError::Engine(cause.to_string()))?;
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(limits.concurrent_calls)
            .thread_name(|nth| format!("countersign-guest-{nth}"))
            // Guest frames live on this stack, and so do the host functions that they call.
            .stack_size(limits.stack_bytes + (1 << 20))
            // A panic of ours drops the answer's sender, and its caller is told.
            .panic_handler(|_| tracing::error!("a sandbox thread panicked"))
            .build()
            .map_err(|cause| SandboxError::Threads(cause.to_string()))?;
        let seats = Arc::new(Semaphore::new(limits.concurrent_calls));
        Ok(Self {
            profile,
            engine,
            ticker,
            linker,
            limits: Arc::new(limits),
            threads,
            seats,
            describing: Mutex::new(()),
            metered,
        })
    }

    pub(super) fn store(&self, budget: std::time::Duration, moment: Moment) -> Store<Call> {
        let mut store =
            Store::new(&self.engine, Call::new(&self.limits, moment, self.ticker.begin()));
        store.limiter(Call::limiter);
        store.set_hostcall_fuel(self.limits.answer_bytes);
        budget::set(&mut store, budget, self.limits.wall_factor);
        if self.metered.0 {
            // Counted and not bounded: it fails only where the engine does not count.
            let _ = store.set_fuel(FUEL);
        }
        store
    }
}

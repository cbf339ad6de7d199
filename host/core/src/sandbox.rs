//! Runs guests: each call in a fresh instance, on a thread of a bounded pool, under limits.
//!
//! A guest is a component that imports nothing but the contract's `context` and `types`, so all
//! that it can do is compute. What holds after every call, however it ended: the instance is gone
//! and its memory overwritten before another call can have the slot; the thread is free again; and
//! the answer, where there is one, was read under [`Limits::answer_bytes`]. Three things are kept
//! apart, because three different parties must act: a guest's *refusal* is an answer (it comes
//! back inside `Ok`), a guest's *fault* and a failing host are [`CallError`]s.

#[cfg(feature = "bench")]
pub(crate) mod bench;
mod budget;
mod call;
mod engine;
mod guest;
mod hall;
mod health;
mod host;
mod journal;
mod limits;
mod load;
mod profile;
mod shown;
mod ticker;

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tokio::sync::oneshot;
use wasmtime::Store;

use crate::contract::context::Level;
use crate::random::Random;
use crate::secret::Masker;
use crate::step;
use crate::tally::CallCounts;
use crate::witness::{self, Function, Told, Witness};

pub use guest::{Digest, GuestStatus};
pub use limits::Limits;
pub use load::{Flow, LoadError, NotAComponent};
pub use profile::{Chosen, Profile};

pub(crate) use guest::{Guest, Mutation, Plugin};
pub(crate) use load::Loaded;
pub(crate) use shown::{Heard, Intent, Shown};

use engine::Metered;
use hall::Hall;
use host::Call;
use profile::Interpreted;

/// More than any call can use up.
const FUEL: u64 = u64::MAX;

/// The engines, their pools and their threads. One for a process.
pub struct Sandbox {
    plain: Arc<Hall>,
    /// Started by the first guest that is let in, since most hosts have none.
    second: Mutex<Option<Arc<Hall>>>,
    interpreted: Mutex<Interpreted>,
    cache: Option<PathBuf>,
    counts: Arc<CallCounts>,
    witness: Option<Arc<dyn Witness>>,
}

/// The sandbox cannot be had. The operator must act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// wasmtime refused its configuration, or the machine has too little address space.
    #[error("the WebAssembly engine does not start: {0}")]
    Engine(String),
    /// The thread pool does not start.
    #[error("the sandbox's threads do not start: {0}")]
    Threads(String),
    /// The folder for compiled code is not ours alone, or cannot be used.
    #[error("the code cache cannot be used: {0}")]
    Cache(String),
}

/// A call that brought no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The guest broke. Whoever wrote the plugin must act.
    #[error("the plugin {plugin} {fault}")]
    Fault {
        /// The guest's name.
        plugin: String,
        /// How it broke.
        fault: Fault,
    },
    /// The guest broke too often lately and is not asked; try again later.
    #[error("the plugin {plugin} is suspended for {} s after repeated faults", .left.as_secs() + 1)]
    Suspended {
        /// The guest's name.
        plugin: String,
        /// How long it still lasts.
        left: Duration,
    },
    /// More calls of this plugin are waiting than the sandbox takes; try again later.
    #[error("the sandbox is busy: {waiting} calls of the plugin {plugin} are waiting")]
    Busy {
        /// The guest's name.
        plugin: String,
        /// How many.
        waiting: usize,
    },
    /// The host itself failed. The operator must act.
    #[error("the sandbox failed: {0}")]
    Host(&'static str),
}

/// How a guest broke. Holds fixed words only: nothing that a guest computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// It trapped: a panic, a division by zero, memory out of bounds, the stack exhausted.
    #[error("trapped: {0}")]
    Trap(String),
    /// It used up its time.
    #[error("ran out of time")]
    Time,
    /// Its answer was larger than the host reads.
    #[error("gave an answer that is too large")]
    AnswerSize,
    /// Its answer broke the component model's rules (a string that is not UTF-8, a bad pointer).
    #[error("gave an answer that cannot be read")]
    Answer,
    /// It asked for more random bytes than a call may have.
    #[error("asked for too many random bytes")]
    Random,
    /// It needs more memory, tables or instances than the profile gives.
    #[error("needs more than its limits allow")]
    Size,
}

/// What a call sees of the world outside: frozen, so that equal inputs give equal outputs.
#[derive(Clone)]
pub(crate) struct Moment {
    /// Unix milliseconds.
    pub(crate) now: u64,
    /// Where `context.random` comes from.
    pub(crate) random: Arc<dyn Random>,
}

impl Sandbox {
    /// Starts the engine and its threads. Reserves address space, not memory.
    pub fn new(limits: Limits, cache: Option<&Path>) -> Result<Self, SandboxError> {
        Self::start(limits, cache, None)
    }

    /// The same, and somebody is told of every call: for whoever tests a plugin.
    pub fn witnessed(
        limits: Limits,
        cache: Option<&Path>,
        witness: Arc<dyn Witness>,
    ) -> Result<Self, SandboxError> {
        Self::start(limits, cache, Some(witness))
    }

    fn start(
        limits: Limits,
        cache: Option<&Path>,
        witness: Option<Arc<dyn Witness>>,
    ) -> Result<Self, SandboxError> {
        let plain = Hall::start(Profile::Plain, limits, cache, Metered(witness.is_some()))?;
        Ok(Self {
            plain: Arc::new(plain),
            second: Mutex::default(),
            interpreted: Mutex::default(),
            cache: cache.map(Path::to_owned),
            counts: Arc::default(),
            witness,
        })
    }

    /// Lets these guests, which carry an interpreter, run under these limits, for which
    /// [`Limits::interpreted`] is the place to begin; before any is loaded.
    ///
    /// They have an engine, a pool and threads of their own, which start with the first of them.
    #[must_use]
    pub fn with_interpreted(mut self, limits: Limits, chosen: Vec<Chosen>) -> Self {
        self.interpreted = Mutex::new(Interpreted { limits, chosen });
        self
    }

    /// Others in their place, from the next time that each is loaded.
    pub fn set_interpreted(&self, chosen: Vec<Chosen>) {
        self.interpreted.lock().unwrap_or_else(PoisonError::into_inner).chosen = chosen;
    }

    /// The profile that this guest would be loaded under.
    pub(crate) fn profile(&self, name: &str, digest: Digest) -> Profile {
        let interpreted = self.interpreted.lock().unwrap_or_else(PoisonError::into_inner);
        interpreted.profile(name, digest)
    }

    /// Where guests of this profile run.
    fn hall(&self, profile: Profile) -> Result<Arc<Hall>, SandboxError> {
        if profile == Profile::Plain {
            return Ok(Arc::clone(&self.plain));
        }
        let mut second = self.second.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hall) = &*second {
            return Ok(Arc::clone(hall));
        }
        let interpreted = self.interpreted.lock().unwrap_or_else(PoisonError::into_inner);
        let (limits, metered) = (interpreted.limits.clone(), Metered(self.witness.is_some()));
        let hall = Arc::new(Hall::start(profile, limits, self.cache.as_deref(), metered)?);
        Ok(Arc::clone(second.insert(hall)))
    }

    /// The arguments of a call for the witness, where there is one.
    fn given(&self, words: impl FnOnce() -> Json) -> Json {
        if self.witness.is_some() { words() } else { Json::Null }
    }

    pub(crate) fn counts(&self) -> &CallCounts {
        &self.counts
    }

    /// The limits of guests that carry no interpreter.
    pub fn limits(&self) -> &Limits {
        &self.plain.limits
    }

    /// Bytes of the longest component that any profile takes.
    pub(crate) fn longest_component(&self) -> usize {
        let interpreted = self.interpreted.lock().unwrap_or_else(PoisonError::into_inner);
        self.plain.limits.component_bytes.max(interpreted.limits.component_bytes)
    }

    /// Runs the operation that `prepare` makes in a fresh store on a thread of the pool, with what the
    /// witness is told of its arguments. It is made once there is a thread for it, so that those who
    /// wait hold no copy of a body.
    ///
    /// A caller that goes away does not end the call: it goes on to its budget, holding its share
    /// of the pool, and its answer is dropped.
    async fn run<T, O>(
        &self,
        guest: &Arc<Guest>,
        function: Function,
        budget: Duration,
        moment: Moment,
        masker: &Masker,
        prepare: impl FnOnce() -> (Json, O),
    ) -> Result<T, CallError>
    where
        T: Told + Send + 'static,
        O: FnOnce(&mut Store<Call>) -> wasmtime::Result<T> + Send + 'static,
    {
        let suspended = || match guest.health.suspended(Instant::now()) {
            Some(left) => Err(CallError::Suspended { plugin: guest.name.clone(), left }),
            None => Ok(()),
        };
        suspended()?;
        let hall = &guest.hall;
        let waiting = Waiting::begin(guest, hall.limits.waiting_calls_per_plugin)?;
        let closed = |_| CallError::Host("the pool is closed");
        let share = Arc::clone(&guest.share).acquire_owned().await.map_err(closed)?;
        let seat = Arc::clone(&hall.seats).acquire_owned().await.map_err(closed)?;
        drop(waiting);
        // The calls ahead of this one may have been the last that the plugin was trusted with.
        suspended()?;

        let (given, operation) = prepare();
        // A span lasts as long as the call, whoever still waits for it.
        let span = step::or_current(tracing::debug_span!(
            "plugin",
            otel.kind = "internal",
            countersign.plugin = guest.name,
        ));
        let mut store = hall.store(budget, moment);
        let (sender, receiver) = oneshot::channel();
        let called = Arc::clone(guest);
        let (counts, witness) = (Arc::clone(&self.counts), self.witness.clone());
        hall.threads.spawn(move || {
            let began = Instant::now();
            let result = operation(&mut store);
            let log = store.data_mut().take_log();
            if let Some(witness) = witness {
                tell(&*witness, &called, function, given, &result, &log, &store);
            }
            // The slot is overwritten and given back before anyone else may have the seat.
            drop(store);
            counts.called(began.elapsed());
            // Here and not by the caller, who may have gone away: a plugin that outlasts its
            // callers' patience is judged all the same.
            let result = span.in_scope(|| settle(&called, result, &counts));
            drop((seat, share, span));
            drop(sender.send((result, log)));
        });
        let (result, log) = receiver.await.map_err(|_| CallError::Host("a call was lost"))?;
        // Also where it broke: its last lines may say why.
        guest.report(&log, masker);
        result
    }

    /// As [`Sandbox::run`], on the calling thread: for loading, which is never on a request's path.
    fn run_here<T>(
        &self,
        guest: &Guest,
        moment: Moment,
        operation: impl FnOnce(&mut Store<Call>) -> wasmtime::Result<T>,
    ) -> Result<T, CallError> {
        let hall = &guest.hall;
        let _alone = hall.describing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut store = hall.store(hall.limits.request_budget, moment);
        let result = operation(&mut store);
        let log = store.data_mut().take_log();
        drop(store);
        // It has no values yet, and so no secret.
        guest.report(&log, &Masker::new([]));
        settle(guest, result, &self.counts)
    }
}

/// Tells the witness of a call that has ended; of one that failed on this side there is nothing to tell.
fn tell<T: Told>(
    witness: &dyn Witness,
    guest: &Guest,
    function: Function,
    given: Json,
    result: &wasmtime::Result<T>,
    log: &host::Log,
    store: &Store<Call>,
) {
    let answer = match result {
        Ok(answer) => Ok(answer.told()),
        Err(error) => match call::classify(error) {
            Ok(fault) => Err(fault),
            Err(_) => return,
        },
    };
    let line = |(level, text): &(Level, String)| (host::level(*level), text.clone());
    witness.called(witness::Call {
        plugin: guest.name.clone(),
        function,
        given,
        answer,
        log: log.lines.iter().map(line).collect(),
        instructions: FUEL - store.get_fuel().unwrap_or(FUEL),
        memory: store.data().peak(),
    });
}

/// Turns what came of a call into what its caller is told, and remembers how the guest behaved.
fn settle<T>(
    guest: &Guest,
    result: wasmtime::Result<T>,
    counts: &CallCounts,
) -> Result<T, CallError> {
    let error = match result {
        Ok(value) => {
            guest.health.succeeded(Instant::now());
            return Ok(value);
        }
        Err(error) => error,
    };
    let fault = match call::classify(&error) {
        Ok(fault) => fault,
        Err(what) => {
            tracing::error!(plugin = guest.name, what, "a call could not be made");
            return Err(CallError::Host(what));
        }
    };
    counts.faulted(&fault);
    tracing::warn!(plugin = guest.name, digest = %guest.digest, %fault, "plugin fault");
    if let Some(length) = guest.health.faulted(Instant::now(), &guest.hall.limits) {
        tracing::error!(plugin = guest.name, digest = %guest.digest, seconds = length.as_secs(),
            "plugin suspended after repeated faults");
    }
    Err(CallError::Fault { plugin: guest.name.clone(), fault })
}

/// One of the calls that wait for a thread; counted until dropped. Each guest has its own queue,
/// so that one that loops turns away its own callers and nobody else's.
struct Waiting<'a>(&'a Guest);

impl<'a> Waiting<'a> {
    fn begin(guest: &'a Guest, most: usize) -> Result<Self, CallError> {
        let before = guest.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Self(guest);
        if before >= most {
            return Err(CallError::Busy { plugin: guest.name.clone(), waiting: before });
        }
        Ok(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;

//! One case in the production host: the same sandbox, registry and checks as where requests are
//! served.
//!
//! What differs is what a test must decide: the clock stands still, but for waits, which move it;
//! random bytes come of the case's seed; and a script answers in place of the network. Each run has
//! a host, a subject and a store of its own, so that nothing of the last is left.

mod play;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign::clock::Clock;
use countersign::egress::EgressConfig;
use countersign::registry::GuestInfo;
use countersign::sandbox::{Chosen, Limits, Profile};
use countersign::witness::{Call, Witness};
use countersign::{Egress, Registry, Sandbox};
use futures_util::future::BoxFuture;
use tokio::runtime::{Builder, Runtime};

use crate::case::Inputs;
use crate::error::KitError;
use crate::run::Run;
use play::Play;

pub(crate) use play::http_request;

/// A component, loaded, and a host around it that can be made anew for each run.
pub(crate) struct Stage {
    sandbox: Arc<Sandbox>,
    registry: Arc<Registry>,
    egress: Egress,
    seen: Arc<Seen>,
    runtime: Background,
    info: GuestInfo,
}

/// A runtime that may be dropped anywhere, in a test that is async too. `None` once it is dropped.
struct Background(Option<Runtime>);

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

#[derive(Default)]
struct Seen(Mutex<Vec<Call>>);

impl Witness for Seen {
    fn called(&self, call: Call) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    }
}

/// Unix milliseconds; a wait moves it.
pub(crate) struct Hand(pub(crate) AtomicU64);

impl Hand {
    fn move_on(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let later = |now: u64| Some(now.saturating_add(millis));
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, later);
    }
}

impl Clock for Hand {
    fn unix_millis(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.unix_millis())
    }

    fn wait(&self, time: Duration) -> BoxFuture<'_, ()> {
        self.move_on(time);
        Box::pin(std::future::ready(()))
    }
}

impl Stage {
    /// Loads the component; not for an async thread, since it compiles.
    pub(crate) fn open(
        name: &str,
        component: &[u8],
        cache: Option<&Path>,
        profile: Profile,
    ) -> Result<Self, KitError> {
        let seen = Arc::<Seen>::default();
        let sandbox = Sandbox::witnessed(tested(Limits::default()), cache, Arc::clone(&seen) as _)?;
        let sandbox =
            sandbox.with_interpreted(tested(Limits::interpreted()), chosen(name, profile));
        let sandbox = Arc::new(sandbox);
        let registry = Registry::bundled(Arc::clone(&sandbox), &[(name, component)])?;
        let info = registry.listing().serving.pop();
        let info = info.ok_or(KitError::Host("the component does not serve"))?;
        let egress = Egress::new(EgressConfig::default())
            .map_err(|_| KitError::Host("the way out cannot be set up"))?;
        let runtime = Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(|_| KitError::Host("the runtime does not start"))?;
        let runtime = Background(Some(runtime));
        Ok(Self { sandbox, registry: Arc::new(registry), egress, seen, runtime, info })
    }

    pub(crate) fn info(&self) -> &GuestInfo {
        &self.info
    }

    /// Runs it as it is written.
    pub(crate) fn run(&self, inputs: &Inputs) -> Run {
        self.play(inputs, false)
    }

    /// The same where something was changed on purpose: answers that run out go on with the last.
    pub(crate) fn run_changed(&self, inputs: &Inputs) -> Run {
        self.play(inputs, true)
    }

    fn play(&self, inputs: &Inputs, goes_on: bool) -> Run {
        self.seen.take();
        let play = Play::new(self, inputs, goes_on);
        match &self.runtime.0 {
            Some(runtime) => runtime.block_on(play.run()),
            None => unreachable!("it is there until it is dropped"),
        }
    }
}

/// Whom a sandbox has to know as one with an interpreter, so that a plugin of this name has its profile.
pub(crate) fn chosen(name: &str, profile: Profile) -> Vec<Chosen> {
    match profile {
        Profile::Plain => Vec::new(),
        Profile::Interpreted => vec![Chosen::Name(name.to_owned())],
    }
}

/// These limits, as far as they are a plugin's own affair.
fn tested(mut limits: Limits) -> Limits {
    // A plugin that breaks is to be met by every check, and not suspended after the first few.
    limits.faults_to_suspend = usize::MAX;
    // The budgets of CPU time are production's; how busy the machine is says nothing of a plugin.
    limits.wall_factor = limits.wall_factor.saturating_mul(50);
    // A renewal in the background and the request beside it come in the same order each time.
    limits.concurrent_calls = 1;
    limits.concurrent_calls_per_plugin = 1;
    limits
}

impl Seen {
    fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

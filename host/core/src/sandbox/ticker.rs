//! The clock that budgets are counted by: a thread that moves the engine's epoch once a millisecond
//! while calls are under way, and for a little longer. A process in which no guest runs, since all
//! its answers are remembered, is not woken a thousand times a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::Engine;

use super::SandboxError;

/// How often the epoch moves: the resolution of every budget.
pub(super) const TICK: Duration = Duration::from_millis(1);

/// Ticks without a call before the thread rests. To wake it is a system call, which one call a second
/// may have.
const PATIENCE: u32 = 1000;

/// Ends its thread when dropped, once the last call has ended.
pub(super) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

/// While it is there, the epoch moves.
pub(super) struct Ticking(Arc<Shared>);

#[derive(Default)]
struct Shared {
    calls: AtomicUsize,
    rests: AtomicBool,
    closed: AtomicBool,
}

impl Ticker {
    pub(super) fn start(engine: &Engine) -> Result<Self, SandboxError> {
        Self::start_with(engine, PATIENCE)
    }

    fn start_with(engine: &Engine, patience: u32) -> Result<Self, SandboxError> {
        let shared = Arc::<Shared>::default();
        let (weak, of_thread) = (engine.weak(), Arc::clone(&shared));
        let thread = thread::Builder::new().name("countersign-epoch".to_owned());
        let tick = move || weak.upgrade().map(|engine| engine.increment_epoch()).is_some();
        let thread = thread
            .spawn(move || of_thread.run(patience, tick))
            .map_err(|cause| SandboxError::Engine(cause.to_string()))?;
        Ok(Self { shared, thread: thread.thread().clone() })
    }

    /// For a call that is about to begin, before its deadline is set.
    pub(super) fn begin(&self) -> Ticking {
        // Each side writes its own flag and then reads the other's: one of them sees the other.
        self.shared.calls.fetch_add(1, Ordering::SeqCst);
        if self.shared.rests.load(Ordering::SeqCst) {
            self.thread.unpark();
        }
        Ticking(Arc::clone(&self.shared))
    }
}

impl Shared {
    /// Ticks until `tick` says that there is nothing left to do it for.
    fn run(&self, patience: u32, tick: impl Fn() -> bool) {
        let mut idle = 0;
        while tick() {
            let busy = self.calls.load(Ordering::SeqCst) > 0;
            if !busy && self.closed.load(Ordering::SeqCst) {
                return;
            }
            idle = if busy { 0 } else { idle + 1 };
            if idle <= patience {
                thread::sleep(TICK);
                continue;
            }
            self.rests.store(true, Ordering::SeqCst);
            if self.calls.load(Ordering::SeqCst) == 0 && !self.closed.load(Ordering::SeqCst) {
                thread::park();
            }
            self.rests.store(false, Ordering::SeqCst);
            idle = 0;
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use wasmtime::{Config, Instance, Module, Store, Trap};

    use super::*;

    /// Far longer than anything here takes.
    const SOON: Duration = Duration::from_secs(30);

    fn engine() -> Engine {
        Engine::new(Config::new().epoch_interruption(true)).unwrap()
    }

    /// Until the thread has found nothing to do.
    fn rest(ticker: &Ticker) {
        let began = std::time::Instant::now();
        while !ticker.shared.rests.load(Ordering::SeqCst) {
            assert!(began.elapsed() < SOON, "it never rests");
            thread::yield_now();
        }
    }

    #[test]
    fn a_guest_that_loops_is_ended_also_where_the_clock_was_at_rest() {
        let engine = engine();
        let ticker = Ticker::start_with(&engine, 0).unwrap();
        // (module (func (export "run") (loop (br 0))))
        let endless = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x07\x07\x01\x03run\0\0\
            \x0a\x09\x01\x07\0\x03\x40\x0c\0\x0b\x0b";
        let module = Module::new(&engine, endless).unwrap();
        for _ in 0..3 {
            rest(&ticker);
            let (engine, module, ticking) = (engine.clone(), module.clone(), ticker.begin());
            let (sender, receiver) = mpsc::channel();
            thread::spawn(move || {
                let mut store = Store::new(&engine, ticking);
                store.set_epoch_deadline(2);
                let instance = Instance::new(&mut store, &module, &[]).unwrap();
                let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
                let ended = run.call(&mut store, ()).unwrap_err();
                sender.send(ended.downcast_ref::<Trap>().copied()).unwrap();
            });
            assert_eq!(receiver.recv_timeout(SOON).unwrap(), Some(Trap::Interrupt));
        }
    }

    #[test]
    fn its_thread_ends_with_it_though_the_engine_is_still_in_use() {
        for rests_first in [true, false] {
            let engine = engine();
            let ticker =
                Ticker::start_with(&engine, if rests_first { 0 } else { 1 << 30 }).unwrap();
            if rests_first {
                rest(&ticker);
            }
            let shared = Arc::downgrade(&ticker.shared);
            drop(ticker);
            let began = std::time::Instant::now();
            while shared.strong_count() > 0 {
                assert!(began.elapsed() < SOON, "its thread goes on");
                thread::yield_now();
            }
        }
    }
}

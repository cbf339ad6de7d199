//! The clock, the randomness and the log: all that a plugin can see beside its inputs.

use std::cell::{Cell, RefCell};

use crate::Level;

/// Given to every function of a plugin. Under the host it calls the imports, one call each time;
/// in a test it is [`Context::fixed`].
pub struct Context(Source);

enum Source {
    #[cfg(target_arch = "wasm32")]
    Host,
    Fixed {
        now: u64,
        seed: Cell<u64>,
        log: RefCell<Vec<(Level, String)>>,
    },
}

impl Context {
    /// The host's, which is there in a component only.
    #[cfg(target_arch = "wasm32")]
    #[doc(hidden)]
    pub fn host() -> Self {
        Self(Source::Host)
    }

    /// One whose answers are known beforehand: `now` in Unix milliseconds, and bytes that depend on
    /// nothing but `seed`. For tests; its bytes are no secret.
    pub fn fixed(now: u64, seed: u64) -> Self {
        Self(Source::Fixed { now, seed: Cell::new(seed), log: RefCell::default() })
    }

    /// Unix milliseconds, the same for the whole call.
    pub fn now(&self) -> u64 {
        match &self.0 {
            #[cfg(target_arch = "wasm32")]
            Source::Host => crate::bindings::auth::countersign::auth::context::now(),
            Source::Fixed { now, .. } => *now,
        }
    }

    /// `len` bytes that nobody can guess; the host grants 4096 a call.
    pub fn random(&self, len: u32) -> Vec<u8> {
        match &self.0 {
            #[cfg(target_arch = "wasm32")]
            Source::Host => crate::bindings::auth::countersign::auth::context::random(len),
            Source::Fixed { seed, .. } => (0..len).map(|_| split_mix(seed)).collect(),
        }
    }

    /// Tells operators something. Must hold no secret: the host masks those it knows in the forms
    /// it knows, and no more.
    pub fn log(&self, level: Level, message: &str) {
        match &self.0 {
            #[cfg(target_arch = "wasm32")]
            Source::Host => crate::bindings::auth::countersign::auth::context::log(level, message),
            Source::Fixed { log, .. } => log.borrow_mut().push((level, message.to_owned())),
        }
    }

    /// Has a panic of this call logged with its place before it ends the call, for as long as you look for
    /// one: the host sees no more than that it trapped. The message may quote a value, so take this out
    /// again. Outside a component nothing changes.
    pub fn log_panics(&self) {
        #[cfg(target_arch = "wasm32")]
        if let Source::Host = &self.0 {
            std::panic::set_hook(Box::new(|panic| {
                Self::host().log(Level::Warn, &panic.to_string())
            }));
        }
    }

    /// What was logged so far. Empty under the host, which keeps that to itself.
    pub fn logged(&self) -> Vec<(Level, String)> {
        match &self.0 {
            #[cfg(target_arch = "wasm32")]
            Source::Host => Vec::new(),
            Source::Fixed { log, .. } => log.borrow().clone(),
        }
    }
}

/// One byte of SplitMix64 (Steele, Lea, Flood, 2014).
fn split_mix(seed: &Cell<u64>) -> u8 {
    seed.set(seed.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
    let mut z = seed.get();
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)).to_le_bytes()[7]
}

//! Random bytes, as the rest of the crate sees them.

use std::sync::{Mutex, PoisonError};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Gives random bytes.
pub trait Random: Send + Sync {
    /// Fills the buffer, or says that the source is gone. Never gives fewer bytes.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError>;
}

/// The source of randomness failed; the host must act. Nothing that needed it was done.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct RandomError;

/// The operating system's CSPRNG.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(buffer).map_err(|_| RandomError)
    }
}

/// A stream fixed by its seed: for tests, `inject --seed` and the plugin kit. Never for use.
pub struct SeededRandom(Mutex<ChaCha20Rng>);

impl SeededRandom {
    /// Equal seeds give equal streams, on every machine and in every version (ChaCha20, RFC 8439).
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(ChaCha20Rng::seed_from_u64(seed)))
    }
}

impl Random for SeededRandom {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(buffer);
        Ok(())
    }
}

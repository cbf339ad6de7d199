//! What goes into plugins and what comes out of them, call by call: for whoever tests one.
//!
//! A sandbox made by [`Sandbox::witnessed`](crate::Sandbox::witnessed) tells its witness of every call
//! of a request or a flow once it has ended, in the contract's own words as JSON, and unmasked: values,
//! cursors, answers, and lines of the log as the guest wrote them. It also counts the instructions of
//! the call, which slows it down. Everything else is as in production, limits too. No host that serves
//! requests has a witness.

mod words;

use serde_json::Value as Json;

use crate::sandbox::Fault;

pub use words::bytes;
pub(crate) use words::{Told, account, event, purpose, request, response, table};

/// Sees calls. It is called on the thread that the guest ran on, and should not take long.
pub trait Witness: Send + Sync {
    /// A call has ended.
    fn called(&self, call: Call);
}

/// One call, from end to end. Holds secrets.
pub struct Call {
    /// The plugin's name.
    pub plugin: String,
    /// Which of its functions.
    pub function: Function,
    /// Its arguments, by their names in the contract.
    pub given: Json,
    /// What it answered, refusals among that; or how it broke.
    pub answer: Result<Json, Fault>,
    /// Lines that it logged, each under its level.
    pub log: Vec<(&'static str, String)>,
    /// Instructions of WebAssembly that it ran. Of a call that broke the last ones are not counted.
    pub instructions: u64,
    /// Bytes of its linear memory at most.
    pub memory: usize,
}

/// A function of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Function {
    /// `authorizer.validate`
    Validate,
    /// `authorizer.authorize`
    Authorize,
    /// `authorizer.replied`
    Replied,
    /// `flow.begin`
    Begin,
    /// `flow.resume`
    Resume,
    /// `mutator.mutate`
    Mutate,
}

impl Function {
    /// Its name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::Validate => "validate",
            Self::Authorize => "authorize",
            Self::Replied => "replied",
            Self::Begin => "begin",
            Self::Resume => "resume",
            Self::Mutate => "mutate",
        }
    }
}

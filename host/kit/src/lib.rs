//! Tests an auth plugin, or a mutation, as a file: in the production sandbox, without a network.
//!
//! A [`Kit`] loads the component, reads cases (docs/plugins/testing.md has their format), and runs
//! each in the host that serves requests: what the plugin asks for is held against its needs and
//! the host's rules as it would be there. The clock and the random bytes are fixed, and a script
//! answers fetches and requests. Beyond the cases it makes checks that nobody need ask for: that
//! equal inputs give equal outputs, that secrets turn up nowhere else, that hostile values and
//! replies break nothing.
//!
//! ```no_run
//! # fn main() -> Result<(), countersign_kit::KitError> {
//! let component = std::fs::read("acme.wasm").expect("a built plugin");
//! countersign_kit::Kit::new("acme", &component)?.cases_in("vectors")?.run().assert();
//! # Ok(())
//! # }
//! ```
//!
//! It blocks, and runs on threads of its own: call it from a test that is not async, or from a
//! thread that may block. Whoever embeds it sees secrets of the cases in what it reports: they are
//! the test's own.

mod bench;
mod bless;
mod case;
mod checks;
mod difference;
mod error;
mod expectation;
mod file;
mod kit;
mod reading;
mod report;
mod run;
mod script;
mod stage;
mod subject;
mod twice;

pub use bench::{Bench, Spread, Timed};
pub use difference::Difference;
pub use error::{Flawed, KitError};
pub use file::files;
pub use kit::Kit;
pub use reading::Flaw;
pub use report::{CaseReport, Cost, Finding, Note, Report};

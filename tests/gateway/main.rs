//! The gateway as a black box: the program as it is built, on a database of its own, spoken to over
//! HTTP and ended by its process id. Whatever these tests know of it, docs/api.md says.
//!
//! `cargo test` runs short forms; `cargo xtask soak` runs the same tests for longer, by `SOAK_ROUNDS`
//! and `SOAK_REQUESTS` in the environment.

#![allow(clippy::unwrap_used, reason = "outside #[test], tests all the same")]

#[path = "../src/canary.rs"]
#[allow(unreachable_pub, reason = "public in the crate that it is of")]
mod canary;
#[path = "../../host/cli/tests/serve/collector.rs"]
#[allow(dead_code, reason = "the suite that it is of uses the rest")]
mod collector;
#[path = "../../host/cli/tests/serve/process.rs"]
#[allow(dead_code, reason = "the suite that it is of uses the rest")]
mod process;
#[path = "../tests/gateway/upstream.rs"]
#[allow(dead_code, reason = "the suite that it is of uses the rest")]
mod upstream;

mod kills;
mod leaks;
mod payloads;
mod pitfalls;
mod scene;
mod soak;

/// A number that the long form sets, or that of the short form.
fn bound(name: &str, short: usize) -> usize {
    std::env::var(name).map_or(short, |text| text.parse().unwrap())
}

//! The command at a gateway that runs: the real program on both sides, real sockets on loopback. Each
//! test has gateways of its own, which end with it.

#![allow(clippy::unwrap_used, reason = "outside #[test], tests all the same")]

mod accounts;
mod failures;
mod lists;
#[allow(dead_code, reason = "shared with the tests of `serve`, which use more of it")]
#[path = "../serve/process.rs"]
mod process;
mod providers;
mod trust;
mod world;

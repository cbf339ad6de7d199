//! `countersign serve`, and `demo --serve`, from the outside: the real program, real sockets on loopback,
//! and whatever it writes. Each test has a data folder of its own; each process ends with its test.

#![allow(clippy::unwrap_used, reason = "outside #[test], tests all the same")]

mod clients;
mod collector;
mod configuration;
mod demo;
mod drain;
mod keys;
mod log;
mod plugins;
mod process;
mod reload;
mod start;
mod tls;
mod traces;
mod world;

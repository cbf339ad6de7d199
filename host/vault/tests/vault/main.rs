//! The vault over a real database file. Two vaults on one file stand for two processes: they share
//! nothing but the file.

#![allow(clippy::unwrap_used, reason = "in a test, to panic is to fail")]

mod bound;
mod caches;
mod claims;
mod clients;
mod entries;
mod evictions;
mod follow;
mod keys;
mod lists;
mod pending;
mod rows;
mod scene;
mod states;

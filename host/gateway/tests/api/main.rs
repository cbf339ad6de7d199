//! The management API over real HTTP: a server on loopback, and calls to it.

#![allow(clippy::unwrap_used, reason = "in a test, to panic is to fail")]

mod accounts;
mod clients;
mod connections;
mod described;
mod pages;
mod providers;
mod scene;
mod shapes;

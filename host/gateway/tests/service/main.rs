//! The service over a real vault and the bundled plugins.

#![allow(clippy::unwrap_used, reason = "in a test, to panic is to fail")]

mod accounts;
mod connections;
mod providers;
mod scene;
mod subjects;

//! The plugin kit: over every component that ships, and over plugins that each do one thing wrong.

#![allow(clippy::unwrap_used, reason = "in a test, to panic is to fail")]

mod bad;
mod bundled;
mod format;
mod scene;

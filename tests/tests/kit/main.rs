//! The plugin kit: over every component that ships, and over plugins that each do one thing wrong.

#![allow(clippy::unwrap_used, reason = "in a test, to panic is to fail")]

mod bad;
mod blessing;
mod bundled;
mod differing;
mod flaws;
mod passing;
mod report;
mod scene;

//! A gateway on a socket, an upstream on another, and callers in between.

#![allow(clippy::unwrap_used, reason = "in a test, to panic is to fail")]

mod counts;
mod faults;
mod limits;
mod notes;
mod passing;
mod scene;
mod streams;
mod tokens;
mod upstream;
mod websockets;

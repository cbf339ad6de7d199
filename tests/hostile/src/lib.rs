//! Plugins that misbehave, made to order and without a wasm toolchain.
//!
//! A guest is a core module in WAT, wrapped by `wit-component` with the metadata of `wit/`. What it
//! answers is a [`Val`] tree, laid out in its memory as the canonical ABI asks by walking the WIT
//! type, so that a bad answer is stated in Rust and the guest only hands out a pointer. What no
//! answer can express (an endless loop, a bomb, a memory that should have been wiped) is a body of
//! instructions.
//!
//! - [`all`] is the hostile set: each [`Case`] says where a host meets it and how it must end.
//! - [`friendly`] is a well-behaved plugin for a type that no host has heard of.
//! - [`Guest`] builds any other.
//!
//! True of every component here: it is a valid component, and it imports nothing but
//! `countersign:auth`, unless the case is about just that.

pub mod answer;
mod cases;
mod contract;
mod friendly;
mod guest;
mod layout;
mod val;

pub use cases::{
    AUTHORIZE_URI, Case, Ending, PROXY_URL, Stage, TOKEN_URI, all, find, mutations, provider,
};
pub use friendly::{friendly, friendly_version};
pub use guest::{Body, Foreign, Guest};
pub use val::{Part, Val};

#[cfg(test)]
mod tests;

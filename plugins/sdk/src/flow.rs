//! What flows share: requests to a token endpoint, replies of it, PKCE, callbacks.
//!
//! Everything a server sent is judged here before a plugin sees it. A refusal never repeats what a
//! server wrote, but for error codes that an RFC registers.

pub mod callback;
mod client;
pub mod json;
pub mod pkce;
mod state;
mod token;

pub use {
    client::{Client, form_request},
    token::{Token, error},
};

//! Puts the right credential on an outgoing request.

pub mod secret;

mod contract;

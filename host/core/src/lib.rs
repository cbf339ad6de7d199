//! Puts the right credential on an outgoing request.

pub mod secret;
pub mod target;
pub mod values;

mod contract;

//! Puts the right credential on an outgoing request.

pub mod edit;
pub mod needs;
pub mod secret;
pub mod values;

mod contract;

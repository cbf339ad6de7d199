//! Puts the right credential on an outgoing request.

pub mod egress;
pub mod secret;
pub mod values;

mod contract;

//! Puts the right credential on an outgoing request.

pub mod account;
pub mod connection;
pub mod fields;
pub mod problem;
pub mod provider;
pub mod egress;
pub mod edit;
pub mod needs;
pub mod secret;
pub mod target;
pub mod values;

mod contract;

//! Flows, through the joined library: OAuth against a real token server, and guests made to order
//! where OAuth would never go.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "what a test cannot set up is a failure of the test"
)]

mod bounds;
mod certificates;
mod device;
mod exchange;
mod expiry;
mod grant;
mod memo;
mod odd_answers;
mod own_connection;
mod parallel;
mod plot;
mod prepared;
mod remembered;
mod renewal;
mod scene;
mod settings;

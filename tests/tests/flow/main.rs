//! Flows, through the joined library: OAuth against a real token server, and guests made to order
//! where OAuth would never go.

#![allow(clippy::unwrap_used, reason = "in a test, to panic is to fail")]

mod bounds;
mod exchange;
mod grant;
mod odd_answers;
mod parallel;
mod plot;
mod remembered;
mod renewal;
mod scene;

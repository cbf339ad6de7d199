//! SESSION against a real server: logins of two requests, sessions that end, many requests at once.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "what a test cannot set up is a failure of the test"
)]

mod documents;
mod ends;
mod login;
mod logs;
mod scene;
mod server;

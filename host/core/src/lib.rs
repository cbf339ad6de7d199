//! Puts the right credential on an outgoing request.
//!
//! Countersign keeps each way of authenticating in a WebAssembly component of its own. This crate
//! is the whole path of one request, with no server and no database around it:
//!
//! ```text
//! fields     values → default, prefix, suffix → custom mutations
//! target     proxy_url + values → one origin and base path + the caller's path
//! sandbox    plugin.authorize → ready | show | renew        (a fresh instance each time, no I/O)
//! flow       begin → fetch → resume → … → done              (the host sends, checks and stores)
//! edit       checked against the plugin's needs, applied all or none
//! egress     resolve, check the address dialled, send, follow no redirect
//! reply      streamed back; one that the plugin watches for goes to it first
//! ```
//!
//! Begin with [`Countersign`]: it is made of a [`Sandbox`], a [`Registry`] of plugins and an
//! [`Egress`]; it authorizes requests for a [`Subject`], which is an account under a connection
//! to a provider. [`Countersign::prepare`] never sends; [`Countersign::send`] does.

pub mod account;
pub mod body;
pub mod clock;
pub mod code;
pub mod connection;
pub mod edit;
pub mod egress;
pub mod error;
pub mod fields;
pub mod flow;
pub mod needs;
pub mod problem;
pub mod provider;
pub mod random;
pub mod refusal;
pub mod registry;
pub mod sandbox;
pub mod secret;
pub mod store;
pub mod subject;
pub mod tally;
pub mod target;
pub mod values;
pub mod view;
pub mod witness;

#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;

mod authorize;
mod client;
mod contract;
mod facts;
mod last;
mod memo;
mod rehearsal;
mod remember;
mod reply;
mod step;

pub use client::{Builder, Countersign, Settings};
pub use egress::Egress;
pub use error::Error;
pub use registry::Registry;
pub use reply::{ReplyBody, Sender};
pub use sandbox::Sandbox;
pub use subject::Subject;

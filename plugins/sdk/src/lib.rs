//! What a plugin for Countersign is written with.
//!
//! A plugin is a pure function of its inputs: it is given the values that its descriptor asks for,
//! and answers with edits, a step, or a [`Refusal`]. It does no I/O and remembers nothing; each
//! call runs in an instance of its own. So all of it is plain Rust that its unit tests call
//! natively, with [`Context::fixed`] for the clock and the randomness.
//!
//! ```
//! use countersign_plugin::{Account, Context, Descriptor, Edit, Outcome, Plugin, Ready, Refusal};
//! use countersign_plugin::{RequestView, export_plugin};
//!
//! /// Puts `account/key` into the header `x-acme-key`.
//! pub struct Acme;
//!
//! impl Plugin for Acme {
//!     fn descriptor() -> Descriptor {
//!         Descriptor::builder("ACME")
//!             .title("Acme key", env!("CARGO_PKG_VERSION"))
//!             .read(&["account/key"])
//!             .write(&["header/x-acme-key"])
//!             .build()
//!     }
//!
//!     fn authorize(
//!         _: &Context,
//!         account: &Account,
//!         _: Option<&RequestView>,
//!         _: &[u8],
//!     ) -> Result<Outcome, Refusal> {
//!         let key = account.require("account/key")?;
//!         Ok(Ready::lasting(vec![Edit::header("x-acme-key", key)]).into())
//!     }
//! }
//!
//! export_plugin!(Acme);
//! # fn main() {}
//! ```
//!
//! Built as a `cdylib` for `wasm32-unknown-unknown` and wrapped by `wit-component`, this is a
//! component that imports nothing but `countersign:auth`. The exports and the allocator exist on
//! that target alone.
//!
//! The crate's only hand-written unsafe code is the allocator of [`arena`].

pub mod arena;
pub mod base64;
#[doc(hidden)]
#[allow(missing_docs, unreachable_pub, clippy::pedantic)]
pub mod bindings;
mod context;
mod descriptor;
mod edit;
mod export;
#[cfg(feature = "flow")]
pub mod flow;
pub mod form;
pub mod header;
pub mod placed;
mod plugin;
mod refusal;
mod values;

#[doc(hidden)]
pub use export::{Exported, ExportedMutation};
pub use {
    bindings::{
        auth::{
            countersign::auth::{
                context::Level,
                types::{Account, Entry, HttpRequest, HttpResponse, Reason, Refusal},
            },
            exports::countersign::auth::authorizer::{
                BodyView, Descriptor, Edit, Next, Outcome, Reaction, Ready, RequestView, Watch,
            },
        },
        flow_half::exports::countersign::auth::flow::{
            Event, Fetch, Grant, Pause, Prompt, Purpose, State, Step,
        },
    },
    context::Context,
    descriptor::{Builder, Input},
    plugin::{Flow, Mutation, Plugin},
    values::{find, require},
};

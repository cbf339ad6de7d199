//! The gateway: the vault's rows and the library's path of a request, as its callers know them.
//!
//! [`Service`] is the one layer that every way in sits on: it knows who asks ([`Caller`]), judges
//! what is written, keeps it in the vault, and says what is wrong in a [`Fault`]. It speaks the
//! documents of the management API and no protocol. What holds throughout: a caller does only what
//! its roles and limits allow; a document is kept whole or not at all, and every problem of a
//! refused one is told at once; and no answer holds a secret but the one that is asked for under the
//! role `reveal`.

mod caller;
mod fault;
mod service;

pub use caller::Caller;
pub use fault::{Fault, FieldFault, Kind};
pub use service::{
    AccountName, AccountUpdate, ConnectionUpdate, NewAccount, NewConnection, Service, Shown,
};

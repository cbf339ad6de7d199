//! The gateway: the vault's rows and the library's path of a request, as its callers know them.
//!
//! [`Service`] is the one layer that every way in sits on: it knows who asks ([`Caller`]), judges
//! what is written, keeps it in the vault, and says what is wrong in a [`Fault`]. It speaks the
//! documents of the management API and no protocol. What holds throughout: a caller does only what
//! its roles and limits allow; a document is kept whole or not at all, and every problem of a
//! refused one is told at once; and no answer holds a secret but the one that is asked for under the
//! role `reveal`.
//!
//! [`Gateway`] is HTTP around it:
//!
//! ```text
//! server          accepts connections: HTTP/1.1 and HTTP/2, with TLS or without
//! gateway         gives the request an id, and the answer
//! door            which of these it is for, by its path; refuses what could be read in two ways
//!   token         POST /oauth/token: a token for a client
//!   api           /api/v1/…: the management API
//!   proxy         /proxy/…: the request goes out with an account's credential
//! authentication  whose token it carries
//! answer          a reply, a document or a fault, on its way back
//! ```

mod answer;
mod api;
mod authentication;
mod caller;
mod door;
mod fault;
mod gateway;
mod injections;
mod metrics;
mod proxy;
mod request_id;
mod server;
mod service;
mod settings;
mod token;
mod trace;
mod usage;

pub use answer::{Answer, AnswerBody, FAULT_HEADER, REQUEST_ID_HEADER};
pub use caller::Caller;
pub use fault::{Fault, FieldFault, Kind};
pub use gateway::{Gateway, GatewayError, Parts};
pub use request_id::{NoRequestId, RequestId};
pub use server::Server;
pub use service::{
    AccountName, AccountUpdate, ClientRequest, ConnectionUpdate, Described, Issued, NewAccount,
    NewConnection, Service, Shown, Whose,
};
pub use settings::Settings;

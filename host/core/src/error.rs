//! Why a request was not sent, or a flow did not end.
//!
//! One enum for the whole path of a request, because a caller has one question: who must act? Each
//! variant has a stable [`code`](Error::code), listed in `docs/errors.md` with its cause and fix.
//! No message holds a value of an account, a URL's path or query, or bytes of a reply.

use std::sync::Arc;
use std::time::Duration;

use crate::account::Status;
use crate::code::Code;
use crate::egress::{CertificateError, EgressError};
use crate::fields::{FieldsError, ProxyHeaderError};
use crate::flow::FlowError;
use crate::provider::SelectError;
use crate::refusal::Refusal;
use crate::registry::{UnknownMutation, UnknownType};
use crate::sandbox::CallError;
use crate::store::StoreError;
use crate::target::TargetError;

/// The request was not sent, or broke off, or its reply is withheld.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The provider's `proxy_enabled` is false. Whoever configures must act.
    #[error("the provider has proxy_enabled set to false")]
    ProxyDisabled,
    /// The account is disconnected, or waits for verification. Whoever connects it must act.
    #[error("the account is {0}: connect it again")]
    Inactive(Status),
    /// The account's state is past its end, and its plugin has no way to renew it. The user must
    /// authorize again.
    #[error("the account's credential has expired and cannot be renewed: authorize it again")]
    Expired,
    /// What the whole connection shares is past its end, and could not be set up again just now, or
    /// not at all: the plugin that serves now has no set-up.
    #[error("what the connection shares has expired, and was not set up again")]
    SharedExpired,
    /// A reply was followed by a wish for new state, and the state was renewed a moment ago.
    #[error("the account's state was renewed a moment ago because of a reply: try again later")]
    RenewedLately,
    /// Other requests of the account changed what the plugin goes by, over and over; try again.
    #[error("other requests of the account are in the way of the plugin {plugin}: try again")]
    Contended {
        /// The plugin's name.
        plugin: String,
    },
    /// The connection does not say which auth pattern it uses. Whoever configures must act.
    #[error(transparent)]
    Pattern(#[from] SelectError),
    /// No plugin serves the auth type. Whoever configures must act.
    #[error(transparent)]
    UnknownType(#[from] UnknownType),
    /// No component serves a mutation. Whoever configures must act.
    #[error(transparent)]
    UnknownMutation(#[from] UnknownMutation),
    /// Values are missing or malformed. Whoever connects the account must act.
    #[error(transparent)]
    Fields(#[from] FieldsError),
    /// A value makes no client certificate. Whoever gave it must act.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A fixed header cannot be made. Whoever connects the account must act.
    #[error(transparent)]
    ProxyHeader(#[from] ProxyHeaderError),
    /// The destination cannot be made. The caller, or whoever connects the account, must act.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The plugin said no; its reason says who must act.
    #[error("the plugin {plugin} refused: {refusal}")]
    Refused {
        /// The plugin's name.
        plugin: String,
        /// What it said, masked.
        refusal: Refusal,
    },
    /// The call into the sandbox brought no answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The plugin asked for an edit outside its needs or the host's rules. Whoever wrote it must
    /// act.
    #[error("the plugin {plugin} asked for an edit that is refused: {message}")]
    Edit {
        /// The plugin's name.
        plugin: String,
        /// What is wrong with it; masked, because a plugin chooses the names that it quotes.
        message: String,
    },
    /// The plugin asked to see what it may not. Whoever wrote it must act.
    #[error("the plugin {plugin} asked to see what it may not: {message}")]
    View {
        /// The plugin's name.
        plugin: String,
        /// What is wrong with it; masked, because a plugin chooses the names that it quotes.
        message: String,
    },
    /// The plugin did not keep to the contract's sequence. Whoever wrote it must act.
    #[error("the plugin {plugin} broke the contract: {what}")]
    Contract {
        /// The plugin's name.
        plugin: String,
        /// What it did.
        what: &'static str,
    },
    /// The plugin watches for a reply's body without the need for it. Whoever wrote it must act.
    #[error(
        "the plugin {plugin} broke the contract: it watches for a reply's body, which is outside its \
         needs"
    )]
    WatchedBody {
        /// The plugin's name.
        plugin: String,
    },
    /// A flow did not end.
    #[error(transparent)]
    Flow(#[from] FlowError),
    /// A renewal that several requests waited for did not end.
    #[error(transparent)]
    Renewal(Arc<Error>),
    /// The upstream has answered, and then this: the plugin refused the reply, or could not be
    /// asked. Sending again means sending twice.
    #[error(transparent)]
    AfterSent(Box<Error>),
    /// The upstream could not be reached, or broke off.
    #[error(transparent)]
    Egress(#[from] EgressError),
    /// State could not be read or kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The caller's body broke off.
    #[error("the request's body could not be read")]
    Body,
    /// The host itself failed. The operator must act.
    #[error("the host failed: {0}")]
    Host(&'static str),
}

impl Error {
    /// A stable word for programs: the same in every release, listed in `docs/errors.md`.
    pub fn code(&self) -> &'static str {
        self.kind().as_str()
    }

    /// The code, with who must act and how.
    pub fn kind(&self) -> Code {
        match self {
            Self::ProxyDisabled => Code::PROXY_DISABLED,
            Self::Inactive(_) => Code::ACCOUNT_INACTIVE,
            Self::Expired => Code::REAUTHORIZE,
            Self::SharedExpired | Self::RenewedLately | Self::Contended { .. } => Code::UNAVAILABLE,
            Self::Pattern(_) => Code::AUTH_PATTERN_UNKNOWN,
            Self::UnknownType(_) => Code::AUTH_TYPE_UNKNOWN,
            Self::UnknownMutation(_) => Code::MUTATION_UNKNOWN,
            Self::Fields(_) | Self::Certificate(_) | Self::ProxyHeader(_) => Code::INVALID_CONFIG,
            Self::Target(_) => Code::TARGET_REFUSED,
            Self::Refused { refusal, .. } => refusal.reason.kind(),
            Self::Call(CallError::Fault { .. }) => Code::PLUGIN_FAULT,
            Self::Call(CallError::Suspended { .. }) => Code::PLUGIN_SUSPENDED,
            Self::Call(CallError::Busy { .. }) => Code::SANDBOX_BUSY,
            Self::Call(CallError::Host(_)) | Self::Host(_) => Code::HOST_FAILED,
            Self::Edit { .. } => Code::EDIT_REFUSED,
            Self::View { .. } => Code::VIEW_REFUSED,
            Self::Contract { .. } | Self::WatchedBody { .. } => Code::PLUGIN_CONTRACT,
            Self::Flow(error) => error.kind(),
            Self::Renewal(error) => error.kind(),
            Self::AfterSent(error) => error.kind(),
            Self::Egress(error) => error.kind(),
            Self::Store(StoreError::Moved) => Code::ACCOUNT_CHANGED,
            Self::Store(_) => Code::STORE_FAILED,
            Self::Body => Code::BODY_UNREADABLE,
        }
    }

    /// The name of the value at fault, where there is one.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Fields(error) => error.fields().first().map(String::as_str),
            Self::Certificate(error) => Some(&error.name),
            Self::Target(error) => error.field(),
            Self::Refused { refusal, .. } => refusal.field.as_deref(),
            Self::Renewal(error) => error.field(),
            Self::AfterSent(error) => error.field(),
            _ => None,
        }
    }

    /// Whether the upstream may have seen the request: sending it again may do twice what it asks.
    pub fn may_have_been_sent(&self) -> bool {
        match self {
            Self::AfterSent(_) => true,
            Self::Egress(error) => error.may_have_been_sent(),
            _ => false,
        }
    }

    /// When it makes sense to try again, where something says so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { refusal, .. } => refusal.retry_after,
            Self::Call(CallError::Suspended { left, .. }) => Some(*left),
            Self::Renewal(error) => error.retry_after(),
            Self::AfterSent(error) => error.retry_after(),
            _ => None,
        }
    }
}

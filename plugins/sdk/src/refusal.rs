//! Saying no, and who has to act.

use crate::{Reason, Refusal};

impl Refusal {
    /// Whoever configures has to act: the value called `field` is missing or malformed.
    pub fn invalid_config(field: &str, message: &str) -> Self {
        Self::because(Reason::InvalidConfig, message).at(field)
    }

    /// The user has to act: the credential is revoked or expired for good.
    pub fn reauthorize(message: &str) -> Self {
        Self::because(Reason::Reauthorize, message)
    }

    /// The provider says no to this account.
    pub fn denied(message: &str) -> Self {
        Self::because(Reason::Denied, message)
    }

    /// Nobody has to act: ask again later.
    pub fn unavailable(message: &str) -> Self {
        Self::because(Reason::Unavailable, message)
    }

    /// The caller has to act: this request cannot be authorized as it is.
    pub fn invalid_request(message: &str) -> Self {
        Self::because(Reason::InvalidRequest, message)
    }

    /// The same, naming the value at fault.
    pub fn at(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }

    /// The same, not to be asked again for so many seconds.
    pub fn retry_after(mut self, seconds: Option<u32>) -> Self {
        self.retry_after = seconds;
        self
    }

    fn because(reason: Reason, message: &str) -> Self {
        Self { reason, field: None, message: message.to_owned(), retry_after: None }
    }
}

//! Where an account stands.

use std::{fmt, str::FromStr};

/// Whether an account can be used, and what it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Usable.
    Active,
    /// Its credential has run out for good; its holder has to authorize again.
    Expired,
    /// Its holder has not authorized yet.
    PendingAuth,
    /// Authorized, but not yet shown to belong to the user who asked.
    PendingVerification,
    /// Cut off by hand.
    Disconnected,
}

/// None of the five words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not one of ACTIVE, EXPIRED, PENDING_AUTH, PENDING_VERIFICATION, DISCONNECTED")]
pub struct UnknownStatus;

impl Status {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Active,
        Self::Expired,
        Self::PendingAuth,
        Self::PendingVerification,
        Self::Disconnected,
    ];

    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Expired => "EXPIRED",
            Self::PendingAuth => "PENDING_AUTH",
            Self::PendingVerification => "PENDING_VERIFICATION",
            Self::Disconnected => "DISCONNECTED",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(UnknownStatus)
    }
}

//! What the vault cannot do, by who must act. No message holds a secret.

use crate::key::{KeyError, MasterKeyId};

/// Why something was not read or written. On `Err` nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// There is no such row. The caller mends the name.
    #[error("there is no {what} of that name")]
    Missing {
        /// `provider`, `connection`, `account`.
        what: &'static str,
    },
    /// The name is taken. The caller chooses another, or updates what is there.
    #[error("there is a {what} of that name already")]
    Exists {
        /// See [`VaultError::Missing`].
        what: &'static str,
    },
    /// The name cannot be kept: it holds a quotation mark or a control character. The caller chooses
    /// another.
    #[error("the name of a {what} holds a quotation mark or a control character")]
    Name {
        /// See [`VaultError::Missing`].
        what: &'static str,
    },
    /// Somebody else wrote first. The caller reads again.
    #[error("the {what} was changed by somebody else: read it again")]
    Overtaken {
        /// See [`VaultError::Missing`], or `state`.
        what: &'static str,
    },
    /// Others still refer to it. The caller removes those first.
    #[error("the {what} is still used by {count} {by}")]
    InUse {
        /// See [`VaultError::Missing`].
        what: &'static str,
        /// How many use it.
        count: u64,
        /// What they are.
        by: &'static str,
    },
    /// Secrets would go where they were not given for. Whoever may decide that confirms it.
    #[error("{} connections and {} accounts hold secrets that were not given for the new origins",
        .0.connections.len(), .0.accounts.len())]
    NewOrigins(Box<Affected>),
    /// Its secrets would go where they were not given for. Whoever may confirm that does, or gives
    /// them again.
    #[error("the secrets of the {what} were not given for where they would go")]
    NotGiven {
        /// `connection` or `account`.
        what: &'static str,
    },
    /// As many as there may be are there. The caller waits until some are done or have ended.
    #[error("the {of} has {most} {what}s already, and may have no more")]
    TooMany {
        /// `pending flow`.
        what: &'static str,
        /// Whose: `account` or `connection`.
        of: &'static str,
        /// How many there may be.
        most: u64,
    },
    /// It is longer than what is kept. The caller makes it shorter.
    #[error("a {what} has at most {most} bytes")]
    TooLong {
        /// `pending flow`.
        what: &'static str,
        /// How many bytes it may have.
        most: usize,
    },
    /// No master key that was given opens this vault. The operator gives the right one.
    #[error("this vault was sealed under the master key {needed}, and {given} given")]
    WrongMasterKey {
        /// The one it was sealed under.
        needed: MasterKeyId,
        /// `none is`, or which are.
        given: String,
    },
    /// A new vault needs a master key. The operator gives one.
    #[error("a new vault needs a master key, and none is given")]
    NoMasterKey,
    /// No master key could be had. The operator acts.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A sealed value does not open where it lies: it was changed or moved by other means than the
    /// vault's. The operator restores a backup.
    #[error("what is sealed in {table} of {row} does not open: the database was changed")]
    Damaged {
        /// Which table.
        table: &'static str,
        /// The row's id.
        row: String,
    },
    /// The database file may be read by others. The operator takes that right away.
    #[error("{path} can be read by others than its owner: chmod 600 {path}")]
    Exposed {
        /// The file.
        path: String,
    },
    /// The database was made by a newer version of this program. The operator upgrades.
    #[error("the database was made by a newer version: {0}")]
    Newer(String),
    /// The database is out of reach, or full. The operator acts, or the caller tries again.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
}

/// Whose secrets would go to origins that they were not given for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Affected {
    /// Names of connections.
    pub connections: Vec<String>,
    /// Connections' names and accounts' identifiers.
    pub accounts: Vec<(String, String)>,
}

impl From<sqlx::Error> for VaultError {
    fn from(error: sqlx::Error) -> Self {
        // Statements are fixed and values are bound, so none of them is in the text.
        Self::Unavailable(error.to_string())
    }
}

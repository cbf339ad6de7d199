//! The origins that the secrets of a row were given for, as they lie in it.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::error::VaultError;

/// Reads them.
pub(crate) fn read(row: &AnyRow) -> Result<Vec<String>, VaultError> {
    let text: String = row.try_get("origins")?;
    serde_json::from_str(&text)
        .map_err(|_| VaultError::Unavailable("a list of origins is no list".to_owned()))
}

/// Writes them. The order counts, since what is sealed is bound to it.
pub(crate) fn text(origins: &[String]) -> String {
    serde_json::Value::from(origins).to_string()
}

/// Whether secrets that were given for these may go to all of those.
pub(crate) fn cover(given: &[String], wanted: &[String]) -> bool {
    wanted.iter().all(|origin| given.contains(origin))
}

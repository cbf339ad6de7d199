//! The header of the main credential.

use crate::{Account, Edit, Refusal};

/// The name of the value that says which header the main credential goes to.
pub const OVERRIDE: &str = "pattern/auth_header_key_override";

/// The edit that puts `scheme` and `value` into the main credential's header: the one that
/// [`OVERRIDE`] names, otherwise `Authorization`. `field` is the name of the value that the
/// credential comes from, for the refusal of one that no header can hold.
pub fn credential(
    account: &Account,
    field: &str,
    scheme: &str,
    value: &str,
) -> Result<Edit, Refusal> {
    check(field, value)?;
    let name = account.value(OVERRIDE).unwrap_or("authorization");
    let mut credential = String::with_capacity(scheme.len() + value.len());
    credential.push_str(scheme);
    credential.push_str(value);
    Ok(Edit::SetHeader((name.to_owned(), credential)))
}

/// Refuses a value that the host puts into no header: one with control characters (RFC 9110, section 5.5),
/// of which it takes the tab for one too, or with characters that are more than one byte in the
/// contract's Latin-1.
pub fn check(field: &str, value: &str) -> Result<(), Refusal> {
    // In UTF-8 every character up to U+00FF is made of bytes up to 0xC3, and no other one is.
    let fits = |byte: u8| (b' '..=0xc3).contains(&byte) && byte != 0x7f;
    if value.bytes().all(fits) {
        return Ok(());
    }
    Err(Refusal::invalid_config(field, "this value holds a character that no header can carry"))
}

#[cfg(test)]
mod tests;

//! User name and password, fit for the scheme.

use countersign_plugin::{Account, Refusal};

pub(crate) const USERNAME: &str = "account/username";
pub(crate) const PASSWORD: &str = "account/password";

/// Both there, without a control character, and no colon in the user name: the key is made of all
/// three parts with colons between, and a file of users is too.
pub(crate) struct Login<'a> {
    pub(crate) username: &'a str,
    pub(crate) password: &'a str,
}

impl<'a> Login<'a> {
    pub(crate) fn of(account: &'a Account) -> Result<Self, Refusal> {
        let [username, password] = [USERNAME, PASSWORD].map(|name| {
            account.require(name)?;
            check(account, name)
        });
        Ok(Self { username: username?, password: password? })
    }
}

/// The value, which may be missing.
pub(crate) fn check<'a>(account: &'a Account, name: &str) -> Result<&'a str, Refusal> {
    let value = account.value(name).unwrap_or_default();
    if value.chars().any(char::is_control) {
        return Err(Refusal::invalid_config(name, "a control character is not allowed here"));
    }
    if name == USERNAME && value.contains(':') {
        return Err(Refusal::invalid_config(name, "a colon is not allowed here"));
    }
    Ok(value)
}

//! Who it is: the user, the domain, the password, and the name of the machine that the server is told.
//!
//! On `Ok` there is a user name and a password, no text holds a control character, and each that is sent
//! is short enough for the two bytes that its length has in a message.

use countersign_plugin::{Account, Refusal};

pub(crate) const USERNAME: &str = "account/username";
pub(crate) const PASSWORD: &str = "account/password";
pub(crate) const DOMAIN: &str = "account/domain";
pub(crate) const WORKSTATION: &str = "account/workstation";

/// Characters of UTF-16. The longest name that Active Directory has, a `userPrincipalName`, is of 1024.
const LONGEST: usize = 1024;

/// Whose password it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Login<'a> {
    /// Without a domain, or with the one behind its `@`.
    pub(crate) user: &'a str,
    /// Empty where there is none, or the user's name holds it.
    pub(crate) domain: &'a str,
    pub(crate) password: &'a str,
    /// Empty where nothing is said.
    pub(crate) workstation: &'a str,
}

impl<'a> Login<'a> {
    pub(crate) fn of(account: &'a Account) -> Result<Self, Refusal> {
        let (user, domain) = names(account, account.require(USERNAME)?)?;
        let password = text(PASSWORD, account.require(PASSWORD)?)?;
        let workstation = sent(WORKSTATION, account.value(WORKSTATION).unwrap_or_default())?;
        Ok(Self { user, domain, password, workstation })
    }
}

/// What is wrong with the values that are there.
pub(crate) fn problems(account: &Account) -> Vec<Refusal> {
    let user = account.value(USERNAME).map(|user| names(account, user).map(drop));
    let password = account.value(PASSWORD).map(|it| text(PASSWORD, it).map(drop));
    let workstation = account.value(WORKSTATION).map(|it| sent(WORKSTATION, it).map(drop));
    [user, password, workstation].into_iter().flatten().filter_map(Result::err).collect()
}

/// User and domain, which one field holds or two.
fn names<'a>(account: &'a Account, username: &'a str) -> Result<(&'a str, &'a str), Refusal> {
    let username = sent(USERNAME, username)?;
    let given = account.value(DOMAIN).map(|domain| sent(DOMAIN, domain)).transpose()?;
    let Some((domain, user)) = username.split_once('\\') else {
        return Ok((username, given.unwrap_or_default()));
    };
    if given.is_some_and(|given| !given.eq_ignore_ascii_case(domain)) {
        return Err(Refusal::invalid_config(DOMAIN, "the user name has another domain"));
    }
    if domain.is_empty() || user.is_empty() || user.contains('\\') {
        let message = "a name is expected on each side of one backslash";
        return Err(Refusal::invalid_config(USERNAME, message));
    }
    Ok((user, domain))
}

fn sent<'a>(name: &str, value: &'a str) -> Result<&'a str, Refusal> {
    if value.encode_utf16().count() > LONGEST {
        return Err(Refusal::invalid_config(name, "more than 1024 characters"));
    }
    text(name, value)
}

fn text<'a>(name: &str, value: &'a str) -> Result<&'a str, Refusal> {
    if value.chars().any(char::is_control) {
        return Err(Refusal::invalid_config(name, "a control character is not allowed here"));
    }
    Ok(value)
}

#[cfg(test)]
mod tests;

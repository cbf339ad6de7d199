//! BASIC: RFC 7617, in UTF-8.
//!
//! `Authorization: Basic base64(username:password)`, or the header that
//! `auth_header_key_override` names. The password may be empty, or not be there at all: some
//! providers take a key as the user name alone.

use countersign_plugin::{
    Account, Context, Descriptor, Input, Outcome, Plugin, Ready, Refusal, RequestView, base64,
    export_plugin, header, placed::Placed,
};

const USERNAME: &str = "account/username";
const PASSWORD: &str = "account/password";

/// The plugin.
pub struct Basic;

impl Plugin for Basic {
    fn descriptor() -> Descriptor {
        Descriptor::builder("BASIC")
            .title("Basic authentication", env!("CARGO_PKG_VERSION"))
            .account(&[
                Input::required("username", "User name"),
                Input::optional("password", "Password").secret(),
            ])
            .read(&[USERNAME, PASSWORD])
            .credential_header()
            .placed_fields()
            .build()
    }

    fn validate(_: &Context, account: &Account) -> Vec<Refusal> {
        [USERNAME, PASSWORD].into_iter().filter_map(|name| check(account, name).err()).collect()
    }

    fn authorize(
        _: &Context,
        account: &Account,
        _: Option<&RequestView>,
        _: &[u8],
    ) -> Result<Outcome, Refusal> {
        account.require(USERNAME)?;
        let both = [check(account, USERNAME)?, ":", check(account, PASSWORD)?].concat();
        let encoded = base64::standard(both.as_bytes());
        let mut edits = vec![header::credential(account, USERNAME, "Basic ", &encoded)?];
        edits.extend(Placed::of(account)?.edits);
        Ok(Ready::lasting(edits).into())
    }
}

/// The value, fit for section 2: no control character, and no colon in the user name, which the
/// server would take for the end of it.
fn check<'a>(account: &'a Account, name: &str) -> Result<&'a str, Refusal> {
    let value = account.value(name).unwrap_or_default();
    if value.chars().any(char::is_control) {
        return Err(Refusal::invalid_config(name, "a control character is not allowed here"));
    }
    if name == USERNAME && value.contains(':') {
        return Err(Refusal::invalid_config(name, "a colon is not allowed here"));
    }
    Ok(value)
}

export_plugin!(Basic);

#[cfg(test)]
mod tests;

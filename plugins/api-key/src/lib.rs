//! API_KEY: a key as it is.
//!
//! `Authorization: KEY`, or the header that `auth_header_key_override` names. A pattern may send
//! its keys elsewhere, through fields that say themselves where they go: then the field `api_key`
//! may go there too, or not be there at all.

use countersign_plugin::{
    Account, Context, Descriptor, Input, Outcome, Plugin, Ready, Refusal, RequestView,
    export_plugin, header, placed::Placed,
};

const KEY: &str = "account/api_key";

/// The plugin.
pub struct ApiKey;

impl Plugin for ApiKey {
    fn descriptor() -> Descriptor {
        Descriptor::builder("API_KEY")
            .title("API key", env!("CARGO_PKG_VERSION"))
            .account(&[Input::required("api_key", "API key").secret()])
            .read(&[KEY])
            .credential_header()
            .placed_fields()
            .build()
    }

    fn validate(_: &Context, account: &Account) -> Vec<Refusal> {
        account.value(KEY).and_then(|key| header::check(KEY, key).err()).into_iter().collect()
    }

    fn authorize(
        _: &Context,
        account: &Account,
        _: Option<&RequestView>,
        _: &[u8],
    ) -> Result<Outcome, Refusal> {
        let placed = Placed::of(account)?;
        let others_suffice = !placed.has("api_key") && !placed.edits.is_empty();
        if others_suffice && account.value(KEY).is_none() {
            return Ok(Ready::lasting(placed.edits).into());
        }
        let key = account.require(KEY)?;
        if placed.takes("api_key") {
            return Ok(Ready::lasting(placed.edits).into());
        }
        let mut edits = vec![header::credential(account, KEY, "", key)?];
        edits.extend(placed.edits);
        Ok(Ready::lasting(edits).into())
    }
}

export_plugin!(ApiKey);

#[cfg(test)]
mod tests;

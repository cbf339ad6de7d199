//! BEARER: a fixed token as RFC 6750, section 2.1 sends it.
//!
//! `Authorization: Bearer TOKEN`, or the header that `auth_header_key_override` names. Where the
//! field `token` says itself where it goes, it goes there as it is, and nowhere else.

use countersign_plugin::{
    Account, Context, Descriptor, Input, Outcome, Plugin, Ready, Refusal, RequestView,
    export_plugin, header, placed::Placed,
};

const TOKEN: &str = "account/token";

/// The plugin.
pub struct Bearer;

impl Plugin for Bearer {
    fn descriptor() -> Descriptor {
        Descriptor::builder("BEARER")
            .title("Bearer token", env!("CARGO_PKG_VERSION"))
            .account(&[Input::required("token", "Bearer token").secret()])
            .read(&[TOKEN])
            .credential_header()
            .placed_fields()
            .build()
    }

    fn validate(_: &Context, account: &Account) -> Vec<Refusal> {
        account
            .value(TOKEN)
            .and_then(|token| header::check(TOKEN, token).err())
            .into_iter()
            .collect()
    }

    fn authorize(
        _: &Context,
        account: &Account,
        _: Option<&RequestView>,
        _: &[u8],
    ) -> Result<Outcome, Refusal> {
        let token = account.require(TOKEN)?;
        let placed = Placed::of(account)?;
        let mut edits = Vec::with_capacity(placed.edits.len() + 1);
        if !placed.takes("token") {
            edits.push(header::credential(account, TOKEN, "Bearer ", token)?);
        }
        edits.extend(placed.edits);
        Ok(Ready::lasting(edits).into())
    }
}

export_plugin!(Bearer);

#[cfg(test)]
mod tests;

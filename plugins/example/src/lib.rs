//! X_TIMESTAMPED_KEY: an example of an auth type that no host knows beforehand.
//!
//! Two headers out of two fields: `X-Client: CLIENT_ID`, and `X-Client-Key: TIME.CLIENT_KEY`, where
//! TIME is in Unix seconds. The time is part of the credential, so no answer is used twice. What
//! `countersign demo` loads from a file, and a model to begin a plugin of one's own with.

use countersign_plugin::{
    Account, Context, Descriptor, Edit, Input, Outcome, Plugin, Ready, Refusal, RequestView,
    export_plugin, header,
};

const ID: &str = "account/client_id";
const KEY: &str = "account/client_key";

/// The plugin.
pub struct TimestampedKey;

impl Plugin for TimestampedKey {
    fn descriptor() -> Descriptor {
        Descriptor::builder("X_TIMESTAMPED_KEY")
            .title("Timestamped key (example)", env!("CARGO_PKG_VERSION"))
            .account(&[
                Input::required("client_id", "Client ID"),
                Input::required("client_key", "Client key").secret(),
            ])
            .read(&[ID, KEY])
            .write(&["header/x-client", "header/x-client-key"])
            .build()
    }

    fn authorize(
        cx: &Context,
        account: &Account,
        _: Option<&RequestView>,
        _: &[u8],
    ) -> Result<Outcome, Refusal> {
        let (id, key) = (account.require(ID)?, account.require(KEY)?);
        header::check(ID, id)?;
        header::check(KEY, key)?;
        let stamped = format!("{}.{key}", cx.now() / 1000);
        let edits = vec![Edit::header("x-client", id), Edit::header("x-client-key", &stamped)];
        Ok(Ready::once(edits).into())
    }
}

export_plugin!(TimestampedKey);

#[cfg(test)]
mod tests;

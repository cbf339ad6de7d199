//! X_ACME: signs each request with the account's secret and the time.
//!
//! `Authorization: SIGNED id=KEY_ID, time=SECONDS, signature=BASE64`, where the signature is the
//! HMAC-SHA256 (RFC 2104) of `KEY_ID.SECONDS` under the account's secret. An example to change: put in
//! its place what your API asks for.

use countersign_plugin::{
    Account, Context, Descriptor, Edit, Input, Outcome, Plugin, Ready, Refusal, RequestView,
    base64, export_plugin, header,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

const KEY_ID: &str = "account/key_id";
const SECRET: &str = "account/secret";
/// Characters that a secret has at least: a shorter one was cut off when it was copied.
const SHORTEST: usize = 16;

/// The plugin.
pub struct AcmeAuth;

impl Plugin for AcmeAuth {
    /// What it answers to, what people are asked for, and all that it asks leave for: it is shown no
    /// value that is not under `read`, and may touch nothing that is not under `write`.
    fn descriptor() -> Descriptor {
        Descriptor::builder("X_ACME")
            .title(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
            .account(&[
                Input::required("key_id", "Key ID"),
                Input::required("secret", "Secret").secret(),
            ])
            .read(&[KEY_ID, SECRET])
            .write(&["header/authorization"])
            .build()
    }

    /// Before the values of an account are saved; the host itself looks for missing ones.
    fn validate(_: &Context, account: &Account) -> Vec<Refusal> {
        let secret = account.value(SECRET);
        secret.and_then(|secret| check(secret).err()).into_iter().collect()
    }

    /// For each request. A refusal names the value at fault and never holds it; nothing is sent then.
    fn authorize(
        cx: &Context,
        account: &Account,
        _: Option<&RequestView>,
        _: &[u8],
    ) -> Result<Outcome, Refusal> {
        let (id, secret) = (account.require(KEY_ID)?, account.require(SECRET)?);
        header::check(KEY_ID, id)?;
        check(secret)?;
        let time = cx.now() / 1000;
        let signature = sign(secret, &format!("{id}.{time}"))?;
        let credential = format!("SIGNED id={id}, time={time}, signature={signature}");
        // `lasting` in place of `once` would let the host use the answer for further requests.
        Ok(Ready::once(vec![Edit::header("authorization", &credential)]).into())
    }
}

export_plugin!(AcmeAuth);

fn check(secret: &str) -> Result<(), Refusal> {
    if secret.len() < SHORTEST {
        return Err(Refusal::invalid_config(SECRET, "a secret has 16 characters or more"));
    }
    Ok(())
}

fn sign(secret: &str, text: &str) -> Result<String, Refusal> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    // HMAC takes keys of any length, so nobody will read this.
    let mac = mac.map_err(|_| Refusal::invalid_config(SECRET, "this cannot be a key"))?;
    Ok(base64::standard(&mac.chain_update(text).finalize().into_bytes()))
}

#[cfg(test)]
mod tests;

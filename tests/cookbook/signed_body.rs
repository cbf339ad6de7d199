//! X_SIGNED_BODY: `X-Signature: t=SECONDS,v1=HEX`, the HMAC-SHA256 of `SECONDS.BODY`.

use std::fmt::Write as _;

use countersign_plugin::{
    Account, BodyView, Context, Descriptor, Edit, Input, Outcome, Plugin, Ready, Refusal,
    RequestView, export_plugin,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

const SECRET: &str = "account/secret";

/// The plugin.
pub struct SignedBody;

impl Plugin for SignedBody {
    fn descriptor() -> Descriptor {
        Descriptor::builder("X_SIGNED_BODY")
            .title("A signed body", "1.0.0")
            .account(&[Input::required("secret", "Signing secret").secret()])
            .read(&[SECRET, "body"])
            .write(&["header/x-signature"])
            .build()
    }

    fn authorize(
        cx: &Context,
        account: &Account,
        request: Option<&RequestView>,
        _: &[u8],
    ) -> Result<Outcome, Refusal> {
        let secret = account.require(SECRET)?;
        let Some(request) = request else {
            return Ok(Outcome::Show(vec!["body/bytes".to_owned()]));
        };
        let body: &[u8] = match &request.body {
            BodyView::Bytes(bytes) => bytes,
            BodyView::Unseen(Some(0)) => &[],
            // Longer than what the host reads ahead: a signature over a part would be a wrong one.
            _ => return Err(Refusal::invalid_request("the body is too long to be signed")),
        };
        let time = (cx.now() / 1000).to_string();
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
        // HMAC takes keys of any length, so nobody will read this.
        let mac = mac.map_err(|_| Refusal::invalid_config(SECRET, "this cannot be a key"))?;
        let mac = mac.chain_update(&time).chain_update(b".").chain_update(body);
        let signature = mac.finalize().into_bytes().iter().fold(String::new(), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let signature = format!("t={time},v1={signature}");
        Ok(Ready::once(vec![Edit::header("x-signature", &signature)]).into())
    }
}

export_plugin!(SignedBody);

//! From a base string to its signature (sections 3.4.2 to 3.4.4).

use countersign_plugin::{Context, Refusal, base64};
use hmac::{Hmac, KeyInit, Mac, digest::Digest};
use sha1::Sha1;
use sha2::Sha256;

use crate::{
    encoding::encoded,
    rsa,
    settings::{Client, Method},
};

impl Client<'_> {
    /// As it goes into `oauth_signature`. `base` is not looked at with PLAINTEXT.
    pub(crate) fn sign(
        &self,
        cx: &Context,
        token_secret: &str,
        base: &str,
    ) -> Result<String, Refusal> {
        let key = |secret: &str| {
            [&encoded(secret.as_bytes()), "&", &encoded(token_secret.as_bytes())].concat()
        };
        match &self.method {
            Method::HmacSha1(secret) => Ok(mac::<Hmac<Sha1>>(&key(secret), base)),
            Method::HmacSha256(secret) => Ok(mac::<Hmac<Sha256>>(&key(secret), base)),
            Method::RsaSha1(private) => rsa::sign(cx, rsa::key(private)?, base),
            Method::Plaintext(secret) => Ok(key(secret)),
        }
    }

    /// `oauth_body_hash`: of the hash that the signature is made with.
    pub(crate) fn body_hash(&self, body: &[u8]) -> String {
        match self.method {
            Method::HmacSha256(_) => base64::standard(&Sha256::digest(body)),
            _ => base64::standard(&Sha1::digest(body)),
        }
    }
}

fn mac<M: Mac + KeyInit>(key: &str, text: &str) -> String {
    // A key of any length will do (RFC 2104, section 2).
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(text.as_bytes());
    base64::standard(&mac.finalize().into_bytes())
}

//! RSA-SHA1 (section 3.4.3): RSASSA-PKCS1-v1_5 of RFC 8017 with SHA-1.
//!
//! The key's exponent is used in constant time, and on a number that is blinded besides: whoever times
//! a call learns nothing of the key, whatever was signed. Nothing is ever decrypted here.

use countersign_plugin::{Context, Refusal, base64};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
use rsa::{
    RsaPrivateKey,
    pkcs1::DecodeRsaPrivateKey as _,
    pkcs1v15::SigningKey,
    pkcs8::DecodePrivateKey as _,
    signature::{RandomizedSigner as _, SignatureEncoding as _},
    traits::PublicKeyParts as _,
};
use sha1::Sha1;

use crate::settings::PrivateKey;

/// Bits of a modulus, and bytes of the key's PEM, for which a request's call has the time: a sandbox
/// multiplies slowly. Bytes are looked at first, since to read a key takes its time too.
const SHORT: (u32, usize) = (1024, 1200);
/// The same where the operator has given calls more time, and the provider says so.
const LONG: (u32, usize) = (4096, 3600);

/// The key in PEM, of PKCS #8 or PKCS #1.
pub(crate) fn key(private: &PrivateKey<'_>) -> Result<RsaPrivateKey, Refusal> {
    let refused = |message| Refusal::invalid_config(private.field, message);
    let pem = private.pem.trim();
    let (bits, bytes) = if private.long { LONG } else { SHORT };
    let too_long =
        || refused("the key is longer than a call has the time for; see `oauth1/long_keys`");
    if pem.len() > bytes {
        return Err(too_long());
    }
    let key = RsaPrivateKey::from_pkcs8_pem(pem).ok();
    let key = key.or_else(|| RsaPrivateKey::from_pkcs1_pem(pem).ok());
    let key =
        key.ok_or_else(|| refused("an RSA private key in PEM is expected, without a password"))?;
    if key.n().bits() > bits { Err(too_long()) } else { Ok(key) }
}

/// In Base64.
pub(crate) fn sign(cx: &Context, key: RsaPrivateKey, text: &str) -> Result<String, Refusal> {
    let failed = || Refusal::unavailable("the key has signed nothing");
    // How many bytes the blinding takes is left to chance, and a call is granted no more than 4096.
    let seed = cx.random(32).try_into().map_err(|_| failed())?;
    let mut random = ChaCha20Rng::from_seed(seed);
    let key = SigningKey::<Sha1>::new(key);
    let signature = key.try_sign_with_rng(&mut random, text.as_bytes()).map_err(|_| failed())?;
    Ok(base64::standard(&signature.to_bytes()))
}

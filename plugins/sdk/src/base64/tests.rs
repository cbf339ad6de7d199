//! Against the RFC, and against another implementation.

use ::base64::{Engine as _, prelude::*};
use proptest::prelude::*;

use super::*;

#[test]
fn the_vectors_of_rfc_4648_section_10() {
    for (plain, encoded) in [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ] {
        assert_eq!(standard(plain.as_bytes()), encoded);
    }
}

proptest! {
    #[test]
    fn each_alphabet_agrees_with_another_implementation(bytes: Vec<u8>) {
        prop_assert_eq!(standard(&bytes), BASE64_STANDARD.encode(&bytes));
        prop_assert_eq!(url_safe(&bytes), BASE64_URL_SAFE_NO_PAD.encode(&bytes));
        prop_assert_eq!(url_safe_padded(&bytes), BASE64_URL_SAFE.encode(&bytes));
    }
}

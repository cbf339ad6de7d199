//! Against the RFC.

use super::*;

#[test]
fn the_example_of_rfc_7636_appendix_b() {
    let challenge = challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

#[test]
fn a_verifier_is_as_long_as_section_4_1_asks_and_new_each_time() {
    let cx = Context::fixed(0, 7);
    let (first, second) = (verifier(&cx), verifier(&cx));
    assert_eq!(first.len(), 43);
    assert_ne!(first, second);
    assert_ne!(first, verifier(&Context::fixed(0, 8)));
    assert_eq!(first, verifier(&Context::fixed(0, 7)));
}

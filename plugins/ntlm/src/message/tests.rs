use super::*;

#[test]
fn the_negotiate_message_names_nobody_and_asks_for_neither_signing_nor_a_key() {
    let value = "NTLM TlRMTVNTUAABAAAABYKIoAAAAAAoAAAAAAAAACgAAAAAAAAAAAAAAA==";
    assert_eq!(credential(&NEGOTIATE), value);
    // Signing, sealing, the exchange of a key, and text that is not Unicode.
    for unwanted in [1 << 4, 1 << 5, 1 << 30, 1 << 1, 1 << 7] {
        assert_eq!(flag::WANTED & unwanted, 0);
    }
}

#[test]
fn a_part_that_is_too_long_for_its_length_makes_no_message() {
    let of = |length: usize| {
        let part = vec![0; length];
        let message = Authenticate {
            domain: &[],
            user: &[],
            workstation: &[],
            response: &part,
            flags: flag::WANTED,
        };
        message.write().is_some()
    };
    assert!(of(65_535) && !of(65_536));
}

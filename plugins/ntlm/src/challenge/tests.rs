use super::*;

/// MS-NLMP, section 4.2.4.3.
pub(crate) const PUBLISHED: [u8; 104] = *b"NTLMSSP\0\x02\0\0\0\x0c\0\x0c\0\
    \x38\0\0\0\x33\x82\x8a\xe2\x01\x23\x45\x67\x89\xab\xcd\xef\
    \0\0\0\0\0\0\0\0\x24\0\x24\0\x44\0\0\0\
    \x06\0\x70\x17\0\0\0\x0fS\0e\0r\0v\0\
    e\0r\0\x02\0\x0c\0D\0o\0m\0a\0\
    i\0n\0\x01\0\x0c\0S\0e\0r\0v\0\
    e\0r\0\0\0\0\0";

/// The same with other bytes in one place.
fn with(place: usize, bytes: &[u8]) -> Vec<u8> {
    let mut message = PUBLISHED.to_vec();
    message[place..place + bytes.len()].copy_from_slice(bytes);
    message
}

fn reply(values: &[&str]) -> Found {
    let entry = |value: &&str| (WWW_AUTHENTICATE.to_owned(), (*value).to_owned());
    found(&values.iter().map(entry).collect::<Vec<_>>())
}

fn offer() -> String {
    message::credential(&PUBLISHED)
}

#[test]
fn the_published_challenge_is_read() {
    let challenge = Challenge::parse(&PUBLISHED).unwrap();
    assert_eq!(challenge.flags, 0xe28a_8233);
    assert_eq!(challenge.nonce, [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]);
    assert_eq!(challenge.target.write(), PUBLISHED[68..]);
    assert_eq!(challenge.target.timestamp(), None);
}

#[test]
fn a_message_that_breaks_off_anywhere_is_refused() {
    for length in 0..PUBLISHED.len() {
        assert!(Challenge::parse(&PUBLISHED[..length]).is_err(), "{length}");
    }
}

#[test]
fn what_a_server_says_of_nothing_at_all_is_taken_as_that() {
    // Older ones end behind the nonce.
    let flags = (flag::UNICODE | flag::NTLM).to_le_bytes();
    let message = [&PUBLISHED[..12], &[0; 8], &flags, b"8 bytes."].concat();
    assert_eq!(Challenge::parse(&message).unwrap().target, Target::default());
    for length in 0..message.len() {
        assert!(Challenge::parse(&message[..length]).is_err(), "{length}");
    }
}

#[test]
fn a_message_that_points_out_of_itself_or_is_another_is_refused() {
    for (place, bytes) in [
        (0, &b"ntlmssp\0"[..]),
        // An answer, a negotiate message, and neither.
        (8, &[3]),
        (8, &[1]),
        (9, &[1]),
        // The name of the server: its length, its place.
        (TARGET_NAME, &[0xff, 0xff]),
        (TARGET_NAME + 4, &[100, 0, 0, 0]),
        (TARGET_NAME + 4, &[0xff, 0xff, 0xff, 0xff]),
        // Its list of names, likewise.
        (TARGET, &[0x25, 0]),
        (TARGET, &[0, 0]),
        (TARGET + 4, &[0x45, 0, 0, 0]),
        (TARGET + 4, &[0xff, 0xff, 0xff, 0x7f]),
        // No Unicode; no NTLM.
        (FLAGS, &[0x32]),
        (FLAGS + 1, &[0x80]),
    ] {
        let message = with(place, bytes);
        assert!(Challenge::parse(&message).is_err(), "{place} {bytes:?}");
    }
    let long = [&PUBLISHED[..], &[0; LONGEST]].concat();
    assert!(Challenge::parse(&long).is_err());
}

#[test]
fn the_challenge_is_found_wherever_a_reply_has_it() {
    let offer = offer();
    let lower = offer.replacen("NTLM", "ntlm", 1);
    let list = format!("Negotiate, {offer}");
    let after = format!("Basic realm=\"a, b\",{offer} ");
    for values in
        [&[&*offer][..], &[&lower], &[&list], &[&after], &["Negotiate", "NTLM", &offer, "Basic"]]
    {
        assert_eq!(reply(values), Found::Usable(PUBLISHED.to_vec()), "{values:?}");
    }
}

#[test]
fn a_reply_without_ntlm_is_not_ours_and_one_that_cannot_be_answered_is_said_to_be() {
    for values in [&[][..], &["Negotiate"], &["Basic realm=\"NTLM\""], &["NTLMv2 x"], &[""]] {
        assert_eq!(reply(values), Found::Nothing, "{values:?}");
    }
    let offer = offer();
    let twice = [&*offer, ", ", &*offer].concat();
    let unpadded = message::credential(&PUBLISHED[..103]).replace('=', "");
    let long = format!("NTLM {}", "A".repeat(12 << 10));
    let commas = ",".repeat((16 << 10) + 1);
    for value in
        ["NTLM", "NTLM ", "NTLM !!", "NTLM AAAA", "NTLM \u{ff}", &twice, &unpadded, &long, &commas]
    {
        assert!(matches!(reply(&[value]), Found::Unusable(_)), "{value}");
    }
    // All that there are count together.
    let half = ",".repeat(9 << 10);
    assert_eq!(reply(&[&half]), Found::Nothing);
    assert!(matches!(reply(&[&half, &half]), Found::Unusable(_)));
}

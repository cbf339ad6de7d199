use super::*;
use crate::challenge::tests::PUBLISHED;

const LOGIN: Login<'_> =
    Login { user: "User", domain: "Domain", password: "Password", workstation: "COMPUTER" };

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<char> = hex.chars().filter(|c| !c.is_whitespace()).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// A part of an authenticate message, by its field.
fn part(message: &[u8], field: usize) -> &[u8] {
    let number = |at: usize| usize::from(u16::from_le_bytes([message[at], message[at + 1]]));
    assert_eq!(number(field), number(field + 2));
    &message[number(field + 4)..number(field + 4) + number(field)]
}

/// MS-NLMP, section 4.2.4.3, but for what is left out here: the older answer, an encrypted key.
#[test]
fn the_published_challenge_is_answered_as_published() {
    let challenge = Challenge::parse(&PUBLISHED).unwrap();
    let message = answer(&LOGIN, &challenge, [0xaa; 8], [0; 8]).unwrap();
    let response = "68cd0ab851e51c96aabc927bebef6a1c01010000000000000000000000000000aaaaaaaaaaaaaaaa\
                    0000000002000c0044006f006d00610069006e0001000c0053006500720076006500720000000000\
                    00000000";
    assert_eq!(part(&message, 20), bytes(response));
    assert_eq!(part(&message, 28), bytes("44006f006d00610069006e00"));
    assert_eq!(part(&message, 36), bytes("5500730065007200"));
    assert_eq!(part(&message, 44), bytes("43004f004d0050005500540045005200"));
    // What both sides have said: this server does not repeat that it was asked for its name.
    assert_eq!(message[60..64], (flag::WANTED & !flag::REQUEST_TARGET).to_le_bytes());
    assert_eq!(part(&message, 12), [0; 24], "no older answer");
    assert_eq!(part(&message, 52), b"", "no key");
    assert_eq!(message[CODE..CODE + 16], [0; 16], "no code where the server says no time");
}

/// The same account and nonce, a server that says its time. Computed with pyspnego 0.12.4.
#[test]
fn a_server_that_says_its_time_is_given_it_back_and_a_code_over_all_messages() {
    let message = bytes(
        "4e544c4d53535000020000000c000c0030000000058289a20123456789abcdef0000000000000000
         300030003c00000053006500720076006500720002000c0044006f006d00610069006e0001000c00
         5300650072007600650072000700080000005af64cf5d40100000000",
    );
    let expected = bytes(
        "4e544c4d5353500003000000180018007c00000068006800940000000c000c005800000008000800
         64000000100010006c00000000000000fc000000058288a000000000000000005e63126911d10f80
         6f2bcfcaaf83ebf344006f006d00610069006e00550073006500720043004f004d00500055005400
         45005200000000000000000000000000000000000000000000000000ab18c7c4f8a6fc8e913321e8
         6bcc7dfe010100000000000000005af64cf5d401aaaaaaaaaaaaaaaa0000000002000c0044006f00
         6d00610069006e0001000c005300650072007600650072000700080000005af64cf5d40106000400
         020000000000000000000000",
    );
    let challenge = Challenge::parse(&message).unwrap();
    // Whatever the time here is.
    for now in [[0; 8], [7; 8]] {
        assert_eq!(answer(&LOGIN, &challenge, [0xaa; 8], now).unwrap(), expected);
    }
}

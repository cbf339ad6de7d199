//! A secret that must turn up nowhere, in any of the forms it could be written in.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// The places of `text` that hold `secret`: plain, in base64 at any of its three alignments and in
/// both alphabets, in hex of either case, percent-encoded (every byte, or only those that need it),
/// or as a list of bytes.
pub fn traces(text: &str, secret: &str) -> Vec<String> {
    let mut forms = forms(secret);
    // A log has a million lines, and mostly none of these.
    forms.retain(|form| text.contains(form.as_str()));
    if forms.is_empty() {
        return Vec::new();
    }
    text.lines()
        .filter(|line| forms.iter().any(|form| line.contains(form.as_str())))
        .map(ToOwned::to_owned)
        .collect()
}

fn forms(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let each = |write: fn(&u8) -> String, between: &str| {
        bytes.iter().map(write).collect::<Vec<_>>().join(between)
    };
    let mut forms = vec![
        secret.to_owned(),
        each(|b| format!("{b:02x}"), ""),
        each(|b| format!("{b:02X}"), ""),
        each(|b| format!("%{b:02x}"), ""),
        each(|b| format!("%{b:02X}"), ""),
        each(u8::to_string, ", "),
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        STANDARD.encode(secret),
    ];
    for shift in 0..3 {
        let shifted = [&[b'x'; 3][..shift], bytes].concat();
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let text = engine.encode(&shifted);
            // Without the characters that also hold bits of what stands before or after.
            let from = [0, 2, 3][shift];
            let to = text.len() - usize::from(shifted.len() % 3 != 0);
            forms.push(text[from..to].to_owned());
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "s3cr+t/canary";

    #[test]
    fn a_secret_is_found_in_every_form() {
        for around in ["", "u", "us", "user:"] {
            let text = format!("{around}{SECRET}{around}");
            for form in [
                text.clone(),
                STANDARD.encode(&text),
                URL_SAFE_NO_PAD.encode(&text),
                utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string(),
                format!("{:?}", text.as_bytes()),
                text.bytes().map(|b| format!("{b:02x}")).collect::<Vec<_>>().concat(),
            ] {
                assert_eq!(traces(&format!("a\nsays {form} here\nb"), SECRET).len(), 1, "{form}");
            }
        }
        assert!(traces("nothing here", SECRET).is_empty());
    }
}

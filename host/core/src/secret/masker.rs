//! Finds known secrets in text, and covers them.
//!
//! A masker sees only the encodings that it knows: plain, percent (either case), form, hex (either
//! case), JSON string escapes, and base64 in both alphabets at each of the three alignments that a
//! secret can have inside a longer encoded text (`base64("user:" + secret)`). It is a net under the
//! types, not a proof.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Secret;

/// What stands where a secret stood.
pub const MASK: &str = "[masked]";

/// Shorter secrets are masked only as a whole word of the text: covering every `7` would tell
/// more than it hides.
const SHORTEST_EVERYWHERE: usize = 4;

/// RFC 3986 unreserved stay as they are; what a careful encoder leaves alone.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Covers known secrets wherever they turn up. What to look for is worked out at the first use,
/// because most calls have nothing to mask.
///
/// Clones share what they know until one of them learns more.
#[derive(Clone, Default)]
pub struct Masker(Arc<Known>);

#[derive(Clone, Default)]
struct Known {
    secrets: Vec<Secret>,
    needles: OnceLock<Vec<Secret>>,
}

impl Masker {
    /// Learns `secrets` in all the encodings of the module's first lines.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let secrets = secrets.into_iter().filter(|secret| !secret.is_empty()).cloned().collect();
        Self(Arc::new(Known { secrets, needles: OnceLock::new() }))
    }

    /// Learns one more.
    pub fn learn(&mut self, secret: &Secret) {
        if !secret.is_empty() {
            self.change(|secrets| secrets.push(secret.clone()));
        }
    }

    /// Learns what the other one knows.
    pub fn join(&mut self, other: &Self) {
        self.change(|secrets| secrets.extend_from_slice(&other.0.secrets));
    }

    /// Forgets one, however often it was learnt: for what is shown on purpose.
    pub fn forget(&mut self, secret: &Secret) {
        self.change(|secrets| secrets.retain(|known| known.expose() != secret.expose()));
    }

    /// Whether `text` holds a known secret.
    pub fn finds(&self, text: &str) -> bool {
        self.needles().iter().any(|needle| find(text, needle.expose(), 0).is_some())
    }

    /// `text` with every known secret replaced by [`MASK`]. One pass over the text for each form of
    /// each secret.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut masked = Cow::Borrowed(text);
        for needle in self.needles() {
            let needle = needle.expose();
            let mut covered = String::new();
            let mut done = 0;
            while let Some(at) = find(&masked, needle, done) {
                covered.push_str(&masked[done..at]);
                covered.push_str(MASK);
                done = at + needle.len();
            }
            if done > 0 {
                covered.push_str(&masked[done..]);
                masked = Cow::Owned(covered);
            }
        }
        masked
    }

    /// Bytes of the longest form that it looks for.
    pub(crate) fn longest(&self) -> usize {
        self.needles().first().map_or(0, |needle| needle.expose().len())
    }

    fn change(&mut self, change: impl FnOnce(&mut Vec<Secret>)) {
        let known = Arc::make_mut(&mut self.0);
        change(&mut known.secrets);
        known.needles.take();
    }

    fn needles(&self) -> &[Secret] {
        self.0.needles.get_or_init(|| {
            let mut forms = Vec::new();
            for secret in &self.0.secrets {
                let text = secret.expose();
                forms.push(text.to_owned());
                if text.len() >= SHORTEST_EVERYWHERE {
                    forms.extend(encodings(text));
                }
            }
            // Longest first, so that an encoding is covered whole and not by a part of it.
            forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
            forms.dedup();
            forms.into_iter().map(Secret::new).collect()
        })
    }
}

/// Where `needle` begins in `text` at or after `from`, skipping what stands inside a [`MASK`] already written.
fn find(text: &str, needle: &str, from: usize) -> Option<usize> {
    let mut from = from;
    while let Some(at) = text[from..].find(needle).map(|at| from + at) {
        let end = at + needle.len();
        let whole_word = || {
            let before = text[..at].chars().next_back();
            let after = text[end..].chars().next();
            !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
        };
        let inside_mask = MASK.contains(needle)
            && text
                .match_indices(MASK)
                .any(|(mask_at, _)| mask_at <= at && end <= mask_at + MASK.len());
        if !inside_mask && (needle.len() >= SHORTEST_EVERYWHERE || whole_word()) {
            return Some(at);
        }
        from = at + text[at..].chars().next().map_or(1, char::len_utf8);
    }
    None
}

fn encodings(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let mut forms = Vec::new();
    for set in [UNRESERVED, NON_ALPHANUMERIC, CONTROLS] {
        let upper = utf8_percent_encode(text, set).to_string();
        forms.push(lower_escapes(&upper));
        forms.push(upper.replace("%20", "+"));
        forms.push(upper);
    }
    let hex = bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    forms.push(hex.to_uppercase());
    forms.push(hex);
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        for shift in 0..3 {
            forms.extend(aligned(&engine, bytes, shift));
        }
    }
    if let Ok(json) = serde_json::to_string(text) {
        forms.push(json.trim_matches('"').to_owned());
    }
    forms.retain(|form| form.len() >= SHORTEST_EVERYWHERE);
    forms
}

/// The characters of `base64(shift bytes + bytes + anything)` that depend on `bytes` alone.
fn aligned(engine: &base64::engine::GeneralPurpose, bytes: &[u8], shift: usize) -> Option<String> {
    let mut padded = vec![0; shift];
    padded.extend_from_slice(bytes);
    let encoded = engine.encode(&padded);
    let first = (shift * 8).div_ceil(6);
    let last = padded.len() * 8 / 6;
    encoded.get(first..last).map(ToOwned::to_owned)
}

fn lower_escapes(text: &str) -> String {
    let mut lowered = String::with_capacity(text.len());
    let mut escape = 0;
    for c in text.chars() {
        match (c, escape) {
            ('%', _) => {
                escape = 2;
                lowered.push(c);
            }
            (_, 0) => lowered.push(c),
            _ => {
                escape -= 1;
                lowered.push(c.to_ascii_lowercase());
            }
        }
    }
    lowered
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn covers_a_secret_in_every_encoding_it_knows() {
        let text = "p@ss/w\"ord~1";
        let masker = Masker::new([&Secret::from(text)]);
        for (name, shown) in [
            ("plain", text.to_owned()),
            ("percent", "p%40ss%2Fw%22ord~1".to_owned()),
            ("percent, lower case", "p%40ss%2fw%22ord~1".to_owned()),
            ("hex", text.bytes().fold(String::new(), |hex, b| hex + &format!("{b:02X}"))),
            ("base64", STANDARD.encode(text)),
            ("base64 after one byte", STANDARD.encode(format!("u{text}"))),
            ("base64 after a user name", STANDARD.encode(format!("user:{text}"))),
            ("base64, more behind", STANDARD.encode(format!("ab{text}:tail"))),
            ("json", serde_json::to_string(text).unwrap()),
        ] {
            let masked = masker.mask(&shown);
            assert!(masked.contains(MASK), "{name}: {masked}");
            assert!(!masker.finds(&masked), "{name}: {masked}");
        }
    }

    #[test]
    fn a_short_secret_is_covered_as_a_word_only() {
        let masker = Masker::new([&Secret::from("7")]);
        assert_eq!(masker.mask("pin=7, 17 apples"), format!("pin={MASK}, 17 apples"));
    }

    #[test]
    fn a_secret_that_is_part_of_the_mask_ends() {
        let masker = Masker::new([&Secret::from("masked")]);
        assert_eq!(masker.mask("was masked here"), format!("was {MASK} here"));
    }

    #[test]
    fn what_is_forgotten_is_shown_and_what_is_joined_is_not() {
        let [host, token] = ["acme.example.com", "hunter2"].map(Secret::from);
        let mut masker = Masker::new([&host, &host]);
        masker.join(&Masker::new([&token]));
        masker.forget(&host);
        let shown = masker.mask("acme.example.com hunter2").into_owned();
        assert_eq!(shown, format!("acme.example.com {MASK}"));
    }

    #[test]
    fn a_text_made_of_secrets_is_covered_in_one_pass() {
        let masker = Masker::new([&Secret::from("hunter2")]);
        let masked = masker.mask(&"hunter2".repeat(100_000)).into_owned();
        assert_eq!(masked.len(), 100_000 * MASK.len());
    }

    #[test]
    fn text_without_secrets_is_not_copied() {
        let masker = Masker::new([&Secret::from("hunter2")]);
        assert!(matches!(masker.mask("nothing here"), Cow::Borrowed(_)));
    }
}

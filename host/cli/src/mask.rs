//! What is covered in what the command prints.
//!
//! The library's masker finds the secrets of an account, its connection and its state in the forms
//! it knows. Here is what printing a whole request adds: a credential that stands in a header as
//! base64 is covered as one word, however short it is; a credential header in which nothing was
//! found (a derived one) is covered but for its scheme; bytes that are not text are covered whole
//! where a secret is among them. What fills the host of `proxy_url` is shown, since whoever
//! resolves names is told it anyway, unless its field is a secret one.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use countersign::Subject;
use countersign::account::State;
use countersign::provider::Field;
use countersign::secret::{MASK, Masker, Secret};
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderName, HeaderValue};

/// Covers secrets, or shows them.
#[derive(Clone, Default)]
pub(crate) struct Mask {
    /// None where everything is shown.
    masker: Option<Masker>,
    shown: Vec<Secret>,
}

impl Mask {
    /// One that shows everything.
    pub(crate) fn reveal() -> Self {
        Self::default()
    }

    /// One that covers what is known of the subject.
    pub(crate) fn of(subject: &Subject) -> Self {
        let connection = subject.connection().values();
        let mut masker = Masker::new(connection.secrets());
        let account = subject.account();
        account.values().for_each(|(_, secret)| masker.learn(secret));
        let is_secret = |name: &str| subject.pattern().field(name).is_none_or(Field::is_secret);
        let shown = subject.provider().template().host_names();
        let shown = shown
            .filter(|name| !is_secret(name))
            .filter_map(|name| account.value(name).cloned())
            .collect();
        let mut mask = Self { masker: Some(masker), shown };
        mask.learn_state(account.state());
        mask.forget_shown();
        mask
    }

    /// Covers the state's secrets as well.
    pub(crate) fn learn_state(&mut self, state: Option<&State>) {
        if let (Some(masker), Some(state)) = (&mut self.masker, state) {
            state.secrets.values().for_each(|secret| masker.learn(secret));
        }
    }

    /// Covers what the other one knows as well.
    pub(crate) fn join(&mut self, other: &Masker) {
        if let Some(masker) = &mut self.masker {
            masker.join(other);
        }
        self.forget_shown();
    }

    /// Whether secrets are shown.
    pub(crate) fn reveals(&self) -> bool {
        self.masker.is_none()
    }

    pub(crate) fn text(&self, text: &str) -> String {
        match &self.masker {
            None => text.to_owned(),
            Some(masker) => masker.mask(text).into_owned(),
        }
    }

    pub(crate) fn header(&self, name: &HeaderName, value: &HeaderValue) -> String {
        let text = text_of(value.as_bytes());
        let Some(masker) = &self.masker else { return text };
        let words: Vec<&str> = text
            .split(' ')
            .map(|word| if decoded(word).any(|it| masker.finds(&it)) { MASK } else { word })
            .collect();
        let masked = masker.mask(&words.join(" ")).into_owned();
        let holds_credentials = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(name);
        if !holds_credentials || masked.contains(MASK) {
            return masked;
        }
        match masked.split_once(' ') {
            Some((scheme, _)) => format!("{scheme} {MASK}"),
            None => MASK.to_owned(),
        }
    }

    /// The bytes as they may be shown.
    pub(crate) fn bytes<'b>(&self, bytes: &'b [u8]) -> Shown<'b> {
        match (std::str::from_utf8(bytes), &self.masker) {
            (Ok(text), _) => Shown::Text(self.text(text)),
            (Err(_), Some(masker)) if masker.finds(&latin1(bytes)) => Shown::Text(MASK.to_owned()),
            (Err(_), _) => Shown::Bytes(bytes),
        }
    }

    fn forget_shown(&mut self) {
        if let Some(masker) = &mut self.masker {
            self.shown.iter().for_each(|secret| masker.forget(secret));
        }
    }
}

/// Bytes of a body: text, or something else.
pub(crate) enum Shown<'b> {
    Text(String),
    Bytes(&'b [u8]),
}

/// UTF-8 where it is, else each byte as one character.
fn text_of(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| latin1(bytes), ToOwned::to_owned)
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// What the word says as base64, in each of its forms.
fn decoded(word: &str) -> impl Iterator<Item = String> {
    [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .into_iter()
        .filter_map(move |engine| String::from_utf8(engine.decode(word).ok()?).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(secrets: &[&str]) -> Mask {
        let secrets: Vec<Secret> = secrets.iter().map(|&secret| secret.into()).collect();
        Mask { masker: Some(Masker::new(&secrets)), shown: Vec::new() }
    }

    #[test]
    fn a_credential_is_covered_in_every_header_form() {
        let mask = mask(&["k-1", "hunter22"]);
        for (name, value, shown) in [
            ("authorization", "Bearer hunter22", "Bearer [masked]"),
            ("authorization", "Basic ay0xOg==", "Basic [masked]"),
            ("authorization", "Bearer signed-from-it", "Bearer [masked]"),
            ("authorization", "derived", "[masked]"),
            ("x-key", "1700000000.hunter22", "1700000000.[masked]"),
            ("x-time", "1700000000", "1700000000"),
        ] {
            let name = HeaderName::from_static(name);
            assert_eq!(mask.header(&name, &HeaderValue::from_static(value)), shown, "{value}");
        }
    }

    #[test]
    fn bytes_that_are_not_text_are_covered_whole_where_they_hold_a_secret() {
        let mask = mask(&["hunter22"]);
        assert!(matches!(mask.bytes(b"\xffhunter22"), Shown::Text(text) if text == MASK));
        assert!(matches!(mask.bytes(b"\xff\xfe"), Shown::Bytes(b"\xff\xfe")));
    }
}

//! The parameters of a call: its query, taken apart name by name.
//!
//! Whatever is wrong is noted, and nothing stops at the first. A parameter that the call does not have
//! is wrong too: a filter that is misspelt would select everything.

use crate::fault::FieldFault;

/// What a query holds and nobody has asked for yet.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Of a query, as forms write it.
    pub(super) fn parse(query: &str) -> Self {
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// All values of that name.
    fn take(&mut self, name: &str) -> Vec<String> {
        let taken = self.0.extract_if(.., |(it, _)| it == name);
        taken.map(|(_, value)| value).collect()
    }

    fn only(&mut self, name: &str, faults: &mut Vec<FieldFault>) -> Option<String> {
        let mut values = self.take(name);
        if values.len() > 1 {
            faults.push(FieldFault::new(name, "is given twice", "give it once"));
        }
        values.pop()
    }

    /// Text of at most so many characters; where it is empty it is not there.
    pub(super) fn text(
        &mut self,
        name: &str,
        most: usize,
        faults: &mut Vec<FieldFault>,
    ) -> Option<String> {
        let text = self.only(name, faults).filter(|text| !text.is_empty())?;
        if text.chars().count() > most {
            let what = format!("is longer than {most} characters");
            faults.push(FieldFault::new(name, what, "shorten it"));
        }
        Some(text)
    }

    /// Texts, each given by itself or several with commas between.
    pub(super) fn texts(&mut self, name: &str) -> Vec<String> {
        let values = self.take(name);
        let texts = values.iter().flat_map(|value| value.split(','));
        texts.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect()
    }

    /// A whole number from 0 to `most`.
    pub(super) fn number(
        &mut self,
        name: &str,
        most: u32,
        faults: &mut Vec<FieldFault>,
    ) -> Option<u32> {
        let text = self.only(name, faults)?;
        let plain = text.bytes().all(|it| it.is_ascii_digit());
        let number = text.parse().ok().filter(|number| plain && *number <= most);
        if number.is_none() {
            let what = format!("is no whole number from 0 to {most}");
            faults.push(FieldFault::new(name, what, "leave it out for the usual number"));
        }
        number
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, name: &str, faults: &mut Vec<FieldFault>) -> Option<bool> {
        let text = self.only(name, faults)?;
        let flag = text.parse().ok();
        if flag.is_none() {
            faults.push(FieldFault::new(name, "is neither true nor false", "write one of them"));
        }
        flag
    }

    /// One of these words.
    pub(super) fn word<T: Copy>(
        &mut self,
        name: &str,
        words: &[(&str, T)],
        faults: &mut Vec<FieldFault>,
    ) -> Option<T> {
        let text = self.only(name, faults).filter(|text| !text.is_empty())?;
        let word = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if word.is_none() {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let fix = format!("write one of {}", words.join(", "));
            faults.push(FieldFault::new(name, "is none of its words", fix));
        }
        word
    }

    /// Notes what nobody has asked for.
    pub(super) fn end(self, faults: &mut Vec<FieldFault>) {
        for (name, _) in self.0 {
            let name = name.escape_debug().to_string();
            if faults.iter().all(|it| it.field != name) {
                faults.push(FieldFault::new(name, "is no parameter of this call", "leave it out"));
            }
        }
    }
}

//! What a request of the login leaves for its answer, as a form.
//!
//! The host keeps it to itself and gives it back as it was; one that does not read back is refused.

use countersign_plugin::{Entry, Refusal, find, form};

/// Where the login stands.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Cursor {
    /// Which request was sent, from 0.
    pub(crate) request: usize,
    /// What those before it took.
    pub(crate) taken: Vec<Entry>,
    /// The earliest end of the session that an answer gave, in Unix seconds.
    pub(crate) until: Option<u64>,
}

const TAKEN: &str = "taken/";

impl Cursor {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut pairs = vec![("request".to_owned(), self.request.to_string())];
        pairs.extend(self.until.map(|until| ("until".to_owned(), until.to_string())));
        let taken = self.taken.iter();
        pairs.extend(taken.map(|(name, value)| ([TAKEN, name].concat(), value.clone())));
        let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        form::join(pairs).into_bytes()
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let lost = || Refusal::reauthorize("the login has lost its place");
        let text = std::str::from_utf8(bytes).map_err(|_| lost())?;
        let pairs = form::split(text).ok_or_else(lost)?;
        let number = |name| find(&pairs, name).map(|text| text.parse::<u64>().map_err(|_| lost()));
        let request = number("request").ok_or_else(lost)??;
        let taken = pairs.iter().filter_map(|(name, value)| {
            Some((name.strip_prefix(TAKEN)?.to_owned(), value.clone()))
        });
        Ok(Self {
            request: usize::try_from(request).map_err(|_| lost())?,
            taken: taken.collect(),
            until: number("until").transpose()?,
        })
    }
}

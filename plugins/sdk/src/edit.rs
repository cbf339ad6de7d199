//! Answers of `authorize` and `replied`, put together.

use crate::{Edit, Next, Outcome, Reaction, Ready, Watch};

impl Edit {
    /// Sets a header in place of every copy there is.
    pub fn header(name: &str, value: &str) -> Self {
        Self::SetHeader((name.to_owned(), value.to_owned()))
    }

    /// Sets a query parameter in place of every copy there is. Name and value are not encoded yet.
    pub fn query(name: &str, value: &str) -> Self {
        Self::SetQuery((name.to_owned(), value.to_owned()))
    }

    /// Sets a cookie in place of every copy there is.
    pub fn cookie(name: &str, value: &str) -> Self {
        Self::SetCookie((name.to_owned(), value.to_owned()))
    }
}

impl Ready {
    /// An answer that holds for this request alone.
    pub fn once(edits: Vec<Edit>) -> Self {
        Self { edits, remember: 0, watches: Vec::new(), memo: None, cursor: Vec::new() }
    }

    /// An answer that holds until something about the account changes; the host caps the time, and
    /// ends it when the state expires.
    pub fn lasting(edits: Vec<Edit>) -> Self {
        Self { remember: u32::MAX, ..Self::once(edits) }
    }

    /// The same, with replies of this status shown to `replied` without their body.
    pub fn watch(mut self, status: u16) -> Self {
        self.watches.push(Watch { status: Some(status), headers: Vec::new(), body: 0 });
        self
    }
}

impl From<Ready> for Outcome {
    fn from(ready: Ready) -> Self {
        Self::Ready(ready)
    }
}

impl Reaction {
    /// The caller gets the reply.
    pub fn deliver() -> Self {
        Self { next: Next::Deliver, memo: None }
    }

    /// The state is made anew, and the request sent once more.
    pub fn renew() -> Self {
        Self { next: Next::Renew(Vec::new()), memo: None }
    }
}

//! Steps and states, put together.

use crate::{Fetch, HttpRequest, HttpResponse, State, Step};

impl State {
    /// One that holds nothing and never expires.
    pub fn empty() -> Self {
        Self { secrets: Vec::new(), attributes: Vec::new(), renew_after: None, expires_after: None }
    }

    /// The same, with a value that is masked wherever it turns up.
    pub fn secret(mut self, name: &str, value: &str) -> Self {
        self.secrets.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same, with a value that anyone may see.
    pub fn attribute(mut self, name: &str, value: &str) -> Self {
        self.attributes.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same, good for so many seconds and renewed when a tenth of them is left.
    pub fn expires_in(mut self, seconds: Option<u32>) -> Self {
        self.renew_after = seconds.map(|seconds| seconds - seconds / 10);
        self.expires_after = seconds;
        self
    }
}

impl Step {
    /// Has the host send this; `cursor` comes back with the answer.
    pub fn fetch(request: HttpRequest, cursor: Vec<u8>) -> Self {
        Self::Fetch(Fetch { request, client_certificate: None, cursor })
    }
}

impl HttpResponse {
    /// The first header of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The seconds of `retry-after` (RFC 9110, section 10.2.3). The form that is a date is passed
    /// over: the host has a back-off of its own.
    pub fn retry_after(&self) -> Option<u32> {
        self.header("retry-after")?.trim().parse().ok()
    }
}

//! The signature base string (section 3.4.1): the one text that both sides can come to.

use crate::encoding::{decoded, encoded};

/// Parameters that a call has the time for, beside the protocol's. A caller must not choose how long it
/// takes: a call that runs out of time is a fault, and enough of them suspend the plugin for everybody.
const MOST: usize = 1000;

/// Whether a query or a form has no more parameters than there may be in all.
pub(crate) fn are_signable(forms: [&[u8]; 2]) -> bool {
    let count = |form: &[u8]| form.split(|&byte| byte == b'&').filter(|it| !it.is_empty()).count();
    forms.map(count).iter().sum::<usize>() <= MOST
}

/// What the query and a form contribute, and the protocol itself, each name and value encoded.
#[derive(Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// One of the protocol's.
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        self.0.push((encoded(name.as_bytes()), encoded(value.as_bytes())));
    }

    /// Those of a query or a form, as they go on the wire.
    pub(crate) fn add_form(&mut self, form: &[u8]) {
        for part in form.split(|&byte| byte == b'&').filter(|part| !part.is_empty()) {
            let at = part.iter().position(|&byte| byte == b'=');
            let (name, value) = at.map_or((part, &b""[..]), |at| (&part[..at], &part[at + 1..]));
            self.0.push((encoded(&decoded(name)), encoded(&decoded(value))));
        }
    }

    /// Whether one is called so. The name is one that encoding leaves alone.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(found, _)| found == name)
    }

    /// Section 3.4.1.3.2. Of one name, its values are in their order too.
    fn normalized(mut self) -> String {
        self.0.sort_unstable();
        let mut text = String::new();
        for (name, value) in &self.0 {
            if !text.is_empty() {
                text.push('&');
            }
            text.extend([name, "=", value]);
        }
        text
    }
}

/// Where a request goes, without its query.
pub(crate) struct Target<'a> {
    scheme: String,
    authority: String,
    path: &'a str,
    /// As it goes on the wire, without its `?`.
    pub(crate) query: &'a str,
}

impl<'a> Target<'a> {
    /// Of an absolute URL that is percent-encoded.
    pub(crate) fn of(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (rest, _) = rest.split_once('#').unwrap_or((rest, ""));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let scheme = scheme.to_ascii_lowercase();
        let default = match scheme.as_str() {
            "http" => ":80",
            "https" => ":443",
            _ => return None,
        };
        let host = authority.strip_suffix(default).unwrap_or(authority).to_ascii_lowercase();
        let path = if path.is_empty() { "/" } else { path };
        (!host.is_empty()).then_some(Self { scheme, authority: host, path, query })
    }

    /// Section 3.4.1.1.
    pub(crate) fn base_string(&self, method: &str, parameters: Parameters) -> String {
        let uri = [&self.scheme, "://", &self.authority, self.path].concat();
        let method = encoded(method.to_ascii_uppercase().as_bytes());
        let parameters = encoded(parameters.normalized().as_bytes());
        [&method, "&", &encoded(uri.as_bytes()), "&", &parameters].concat()
    }
}

//! `proxy_headers`: headers that the payload fixes for every request, such as a version.
//!
//! A [`ProxyHeader`] has a name that may be set, and a text made of no secret: a credential goes
//! on a request by a plugin's edit alone, where it is checked, audited and masked.

use http::HeaderName;

use super::{
    AuthPattern, header,
    placeholder::{self, Text},
};
use crate::{
    fields::names_a_secret,
    problem::{Problems, Reader, kind, place},
};

/// One fixed header.
#[derive(Clone)]
pub struct ProxyHeader {
    name: HeaderName,
    text: Text,
    path: String,
}

impl ProxyHeader {
    /// Its name.
    pub fn name(&self) -> &HeaderName {
        &self.name
    }

    /// Its value, placeholders not filled.
    pub(crate) fn text(&self) -> &Text {
        &self.text
    }
}

pub(super) fn read(reader: &mut Reader<'_, '_>) -> Vec<ProxyHeader> {
    let mut headers: Vec<ProxyHeader> = Vec::new();
    for (name, json) in reader.object("proxy_headers").into_iter().flatten() {
        let path = place(&reader.at("proxy_headers"), name);
        let problems = &mut *reader.problems;
        let Some(value) = json.as_str() else {
            let what = format!("is {} where text is expected", kind(json));
            problems.error(path, what, "write the header's value as text");
            continue;
        };
        if value.is_empty() || !header::is_visible(value) {
            problems.error(
                &path,
                "is empty or holds a character that no header value may have",
                "use printable ASCII, without line breaks",
            );
        }
        let Ok(text) = Text::parse(value) else {
            placeholder::malformed(&path, problems);
            continue;
        };
        if !header::check_name(&path, name, problems) {
            continue;
        }
        if headers.iter().any(|other| header::folded(other.name.as_str()) == header::folded(name)) {
            problems.error(&path, "is set twice, in two spellings", "keep one of them");
        }
        if name.eq_ignore_ascii_case("authorization") {
            problems.warn(
                &path,
                "is where a credential goes, and a payload is not kept as a secret",
                "make it a field of an auth pattern; what a plugin sets wins over it",
            );
        }
        // Cannot fail: the name was checked two steps above.
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { continue };
        headers.push(ProxyHeader { name, text, path });
    }
    headers
}

/// Notes placeholders that no pattern declares, and those that would let a secret out.
pub(super) fn check(
    headers: &[ProxyHeader],
    patterns: &[Option<AuthPattern>],
    problems: &mut Problems,
) {
    for header in headers {
        for name in header.text.names() {
            for pattern in patterns.iter().flatten() {
                check_name(header, name, pattern, problems);
            }
        }
    }
}

fn check_name(header: &ProxyHeader, name: &str, by: &AuthPattern, problems: &mut Problems) {
    let known = match name.split_once('/') {
        None => by.declares(name),
        Some(("provider", key)) => matches!(key, "display_name" | "identifier"),
        Some(("pattern", _)) => by.values().get(name).is_some(),
        Some(("connection", key)) => !key.is_empty(),
        Some(_) => false,
    };
    if name.contains('/') && !known {
        problems.error(
            &header.path,
            format!("uses {{{{{name}}}}}, which is not a value that a fixed header may have"),
            "use a declared field or attribute, or a name under provider/, pattern/ or connection/",
        );
    } else if !known {
        placeholder::undeclared(&header.path, name, by, problems);
    } else if names_a_secret(name) || by.field(name).is_some_and(super::Field::is_secret) {
        problems.error(
            &header.path,
            format!("uses {{{{{name}}}}}, which is a secret"),
            "give that field a header_name, so that the plugin puts it on the request",
        );
    }
}

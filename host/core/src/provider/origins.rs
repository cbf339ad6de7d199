//! The URLs and origins of a payload, held against `target`'s grammar when the payload is read.

use crate::problem::{Problems, Reader};
use crate::target::{AllowedOrigins, TargetRules, Template, TemplateError};

/// Reads a base URL; `None`, with the problem noted, where it is none.
pub(super) fn base(path: &str, text: &str, problems: &mut Problems) -> Option<Template> {
    noted(path, text, Template::parse_base(text), problems)
}

/// Reads an endpoint, which may have a query.
pub(super) fn endpoint(path: &str, text: &str, problems: &mut Problems) -> Option<Template> {
    noted(path, text, Template::parse(text), problems)
}

fn noted(
    path: &str,
    text: &str,
    template: Result<Template, TemplateError>,
    problems: &mut Problems,
) -> Option<Template> {
    if text.starts_with("http://") {
        problems.warn(
            path,
            "is plain http, over which a credential can be read on the way",
            "use https://; plain http is refused unless the operator allows it",
        );
    }
    match template {
        Ok(template) => Some(template),
        Err(error) => {
            problems.error(
                path,
                format!("is refused: {error}"),
                "write https://, a host, and a path; {{name}} may stand for the whole host, for \
                 one label of it, or for one segment of the path",
            );
            None
        }
    }
}

/// `allowed_proxy_domains` of a provider or a pattern.
pub(super) fn read(reader: &mut Reader<'_, '_>) -> AllowedOrigins {
    let texts = reader.texts("allowed_proxy_domains");
    let mut allowed = AllowedOrigins::default();
    for (index, text) in texts.iter().enumerate() {
        if let Err(error) = allowed.add(text, TargetRules::default()) {
            let path = reader.at(&format!("allowed_proxy_domains[{index}]"));
            reader.problems.error(
                path,
                format!("is refused: {error}"),
                "write `api.example.com` or `https://api.example.com`, without a path",
            );
        }
    }
    allowed
}

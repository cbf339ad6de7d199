//! A provider: an upstream API and the ways in to it, as a payload describes it.
//!
//! [`Provider::parse`] takes a payload as the management API or a file gives it. On `Ok` every
//! mandatory key is there and of its kind; every header that the payload names may be set; every
//! placeholder is declared by the pattern that it is used with; no fixed header is made of a
//! secret; every `pattern` of a field compiles; and every auth pattern can be selected. On `Err`
//! every problem is listed, not only the first. Keys that are not known stay in the raw payload,
//! with a warning.

mod field;
mod header;
mod mutation;
mod origins;
mod pattern;
mod placeholder;
mod proxy_header;
mod select;

pub use field::Field;
pub use mutation::{CustomMutation, FieldMutation};
pub use pattern::AuthPattern;
pub use proxy_header::ProxyHeader;
pub use select::SelectError;

pub(crate) use field::usable_name;
pub(crate) use header::is_visible;
pub(crate) use placeholder::Part;

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value as Json;

use crate::{
    problem::{Problem, Problems, Reader},
    target::{AllowedOrigins, Template},
    values::Values,
};

/// Keys of the management API that say nothing about a request; read back from there and sent in
/// again, they are no mistake.
const BOOKKEEPING: &[&str] = &[
    "id",
    "identifier",
    "categories",
    "icon_src",
    "display_priority",
    "coming_soon",
    "is_custom",
    "is_custom_mcp",
    "metadata",
];

/// An upstream API, once its payload has been found good.
#[derive(Clone)]
pub struct Provider {
    display_name: String,
    identifier: String,
    description: Option<String>,
    proxy_url: String,
    template: Template,
    proxy_enabled: bool,
    auth_patterns: Vec<AuthPattern>,
    proxy_headers: Vec<ProxyHeader>,
    listed_origins: AllowedOrigins,
    warnings: Vec<Problem>,
    raw: Json,
}

impl Provider {
    /// Reads a payload.
    pub fn parse(payload: &Json) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let provider = read(payload, &mut problems);
        match provider {
            Some(provider) if !problems.has_errors() => {
                Ok(Self { warnings: problems.into_list(), ..provider })
            }
            _ => Err(problems),
        }
    }

    /// Reads a payload from its JSON text.
    pub fn parse_text(payload: &str) -> Result<Self, Problems> {
        let json = serde_json::from_str(payload).map_err(|error| {
            let mut problems = Problems::default();
            let what = format!("is not JSON: line {}, column {}", error.line(), error.column());
            problems.error("", what, "write one JSON object");
            problems
        })?;
        Self::parse(&json)
    }

    /// The same under the identifier that it was first given: that of a provider does not change with
    /// its display name.
    pub fn with_identifier(self, identifier: &str) -> Self {
        Self { identifier: identifier.to_owned(), ..self }
    }

    /// The name for people.
    pub fn display_name(&self) -> &str {
        &self.display_name
    }

    /// The name for calls: derived from the display name, unless it was given one.
    pub fn identifier(&self) -> &str {
        &self.identifier
    }

    /// What it is, for people.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The base URL as the payload has it, placeholders and all.
    pub fn proxy_url(&self) -> &str {
        &self.proxy_url
    }

    /// The same, ready to be filled.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// Where false, no request may go out.
    pub fn proxy_enabled(&self) -> bool {
        self.proxy_enabled
    }

    /// The ways in; at least one.
    pub fn auth_patterns(&self) -> &[AuthPattern] {
        &self.auth_patterns
    }

    /// Headers that go on every request, in the payload's order. What a plugin sets wins over them.
    pub fn proxy_headers(&self) -> &[ProxyHeader] {
        &self.proxy_headers
    }

    /// Other origins that a request may be sent to, as written: `https://host`, or a host alone.
    pub fn listed_origins(&self) -> &AllowedOrigins {
        &self.listed_origins
    }

    /// Where secrets of a connection that uses this pattern may go, and those of its accounts:
    /// the origin of `proxy_url`, those of the pattern's endpoints, and those that are listed, with
    /// placeholders as they are written, each with what decides its value besides the account: its
    /// field's `pattern`, and its mutation. Sorted, each once. A credential that was given for fewer
    /// must not be used.
    pub fn secret_origins(&self, pattern: &AuthPattern) -> Vec<String> {
        let endpoints = pattern.endpoints();
        let endpoints = endpoints.iter().filter_map(|(_, url)| Template::parse(url).ok());
        let listed = self.listed_origins.iter().chain(pattern.listed_origins().iter());
        let hole = |name: &str| pattern.hole(name);
        let all = [self.template.origin_text(hole)]
            .into_iter()
            .chain(endpoints.map(|template| template.origin_text(hole)))
            .chain(listed.map(ToString::to_string));
        all.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What its author should look at, though it can be used.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// The payload, unknown keys and all.
    pub fn raw(&self) -> &Json {
        &self.raw
    }

    /// The auth pattern that a connection names by its `name`, `display_name` or `type`; without a
    /// selector the only one, or the one marked `is_default`.
    pub fn pattern(&self, selector: Option<&str>) -> Result<&AuthPattern, SelectError> {
        select::select(&self.auth_patterns, selector)
    }

    /// `provider/…`, with `proxy_url` as written; whoever renders it sets it again.
    pub fn values(&self) -> Values {
        let mut values = Values::default();
        values.set("provider/display_name", &self.display_name);
        values.set("provider/identifier", &self.identifier);
        values.set("provider/proxy_url", &self.proxy_url);
        values
    }
}

/// Names only: a payload is where a secret ends up by mistake.
impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("identifier", &self.identifier).finish_non_exhaustive()
    }
}

/// The identifier of a display name: its ASCII letters and digits in lower case, with one hyphen
/// for whatever stands between them. `None` where there are none.
///
/// ```
/// assert_eq!(countersign::provider::identifier("My Asana (EU)").as_deref(), Some("my-asana-eu"));
/// ```
pub fn identifier(display_name: &str) -> Option<String> {
    let words: Vec<String> = display_name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    if words.is_empty() { None } else { Some(words.join("-")) }
}

fn read(payload: &Json, problems: &mut Problems) -> Option<Provider> {
    let mut reader = Reader::open(payload, String::new(), problems)?;
    let display_name = reader.needed_text("display_name", "name the provider for people");
    let name = display_name.and_then(identifier);
    if display_name.is_some() && name.is_none() {
        reader.problems.error(
            "display_name",
            "holds no ASCII letter or digit, so no identifier can be derived from it",
            "use at least one",
        );
    }
    let description = reader.text("description");
    let proxy_url =
        reader.needed_text("proxy_url", "give the base URL of the API: https://api.example.com");
    let proxy_enabled = reader.needed_flag("proxy_enabled", "set it to true");
    if proxy_enabled == Some(false) {
        reader.problems.warn(
            "proxy_enabled",
            "is false, so every request is refused",
            "set it to true to send any",
        );
    }
    let list = reader.list("auth_patterns");
    if list.is_empty() && reader.json("auth_patterns").is_none_or(Json::is_array) {
        reader.problems.error(
            "auth_patterns",
            "holds no auth pattern",
            "give at least one: { \"type\": …, \"fields\": […] }",
        );
    }
    let auth_patterns: Vec<_> = list
        .iter()
        .enumerate()
        .map(|(index, json)| {
            pattern::read(json, format!("auth_patterns[{index}]"), reader.problems)
        })
        .collect();
    let proxy_headers = proxy_header::read(&mut reader);
    let listed_origins = origins::read(&mut reader);
    reader.warn_of_the_rest(BOOKKEEPING);

    let template = proxy_url.and_then(|url| origins::base("proxy_url", url, problems));
    if let Some(template) = &template {
        placeholder::check("proxy_url", template, &auth_patterns, problems);
    }
    proxy_header::check(&proxy_headers, &auth_patterns, problems);
    let auth_patterns: Vec<AuthPattern> = auth_patterns.into_iter().collect::<Option<_>>()?;
    select::check(&auth_patterns, problems);
    Some(Provider {
        display_name: display_name?.to_owned(),
        identifier: name?,
        description: description.map(str::to_owned),
        proxy_url: proxy_url?.to_owned(),
        template: template?,
        proxy_enabled: proxy_enabled?,
        auth_patterns,
        proxy_headers,
        listed_origins,
        warnings: Vec::new(),
        raw: payload.clone(),
    })
}

#[cfg(test)]
mod tests;

//! A URL with placeholders, parsed structure first.
//!
//! On `Ok` every placeholder is known to stand where one may, and everything else is literal text
//! that has passed the grammar. What the operator decides is asked with [`Template::check`].

use std::str::FromStr;

use ::url::Host;

use super::TargetRules;
use super::error::TemplateError;
use super::host;
use super::origin::{Origin, Scheme};
use super::path;
use super::placeholder::Text;

/// A URL template such as `https://{{domain}}/api/{{version}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pub(super) scheme: Scheme,
    pub(super) host: HostPart,
    pub(super) port: Option<PortPart>,
    /// What stands between the slashes; empty without a path, and the last one empty where the path
    /// ends in a slash.
    pub(super) segments: Vec<Text>,
    pub(super) query: Option<Text>,
    names: Vec<String>,
}

/// The host of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HostPart {
    Literal(Host<String>),
    /// One placeholder is all of it.
    Whole(String),
    /// Placeholders beside literal text, dots in the literal text only.
    Labels(Text),
}

/// The port of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PortPart {
    Literal(u16),
    Hole(String),
}

impl Template {
    /// Parses a URL with or without placeholders. Text around it, blanks included, is refused.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let names = distinct(&Text::parse(text)?);
        let (scheme, rest) = split_scheme(text)?;
        if let Some((_, fragment)) = rest.split_once('#') {
            return Err(TemplateError::Fragment { field: first_name(fragment)? });
        }
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(parse_query(query)?)),
            None => (rest, None),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if let Some((user_info, _)) = authority.rsplit_once('@') {
            return Err(TemplateError::UserInfo { field: first_name(user_info)? });
        }
        let (host, port) = split_port(authority);
        Ok(Self {
            scheme,
            host: parse_host(host)?,
            port: port.map(parse_port).transpose()?,
            segments: parse_path(path)?,
            query,
            names,
        })
    }

    /// Parses a base URL: one without a query.
    pub fn parse_base(text: &str) -> Result<Self, TemplateError> {
        let template = Self::parse(text)?;
        if template.query.is_some() { Err(TemplateError::BaseQuery) } else { Ok(template) }
    }

    /// The placeholders, each once, in the order they stand in. One that nobody declared is a fault
    /// of the provider.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Whether the host ends in literal text of two labels or more, as in
    /// `{{tenant}}.example.com`: no value can then lead out of that domain.
    pub fn is_anchored(&self) -> bool {
        match &self.host {
            HostPart::Literal(_) => true,
            HostPart::Whole(_) => false,
            HostPart::Labels(text) => text
                .literal_end()
                .and_then(|end| end.split_once('.'))
                .is_some_and(|(_, domain)| domain.contains('.')),
        }
    }

    /// The placeholders that stand in the host, whole or beside text. Their values are shown to
    /// every resolver on the way.
    pub fn host_names(&self) -> impl Iterator<Item = &str> {
        let (whole, labels) = match &self.host {
            HostPart::Literal(_) => (None, None),
            HostPart::Whole(name) => (Some(name.as_str()), None),
            HostPart::Labels(text) => (None, Some(text.names())),
        };
        whole.into_iter().chain(labels.into_iter().flatten())
    }

    /// Where it leads, as far as the template says: an origin, or the text of one with each of its
    /// placeholders as `hole` writes it. Equal texts lead to the same places for the same values.
    pub fn origin_text(&self, hole: impl Fn(&str) -> String) -> String {
        let braced = |name: &str| format!("{{{{{}}}}}", hole(name));
        let host = match &self.host {
            HostPart::Literal(host) => host.to_string(),
            HostPart::Whole(name) => braced(name),
            HostPart::Labels(text) => text.spelled(str::to_ascii_lowercase, braced),
        };
        let port = match &self.port {
            None => String::new(),
            Some(PortPart::Literal(port)) if *port == self.scheme.default_port() => String::new(),
            Some(PortPart::Literal(port)) => format!(":{port}"),
            Some(PortPart::Hole(name)) => format!(":{}", braced(name)),
        };
        format!("{}://{host}{port}", self.scheme.as_str())
    }

    /// Whether the operator allows such a template. Rendering asks again.
    pub fn check(&self, rules: TargetRules) -> Result<(), TemplateError> {
        if self.scheme == Scheme::Http && !rules.http {
            return Err(TemplateError::HttpNotAllowed);
        }
        match &self.port {
            Some(PortPart::Hole(field)) if !rules.placeholder_ports => {
                Err(TemplateError::PortPlaceholder { field: field.clone() })
            }
            _ => Ok(()),
        }
    }

    /// The origin, where there is nothing else in the template and no placeholder in it.
    pub(super) fn literal_origin(&self) -> Option<Origin> {
        let port = match self.port {
            None => self.scheme.default_port(),
            Some(PortPart::Literal(port)) => port,
            Some(PortPart::Hole(_)) => return None,
        };
        match &self.host {
            HostPart::Literal(host) if self.segments.is_empty() && self.query.is_none() => {
                Some(Origin { scheme: self.scheme, host: host.clone(), port })
            }
            _ => None,
        }
    }
}

/// As [`Template::parse`].
impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        Self::parse(text)
    }
}

/// A port as it is written in a URL, without sign or leading zeros.
pub(super) fn port_number(text: &str) -> Option<u16> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    if plain { text.parse().ok() } else { None }
}

/// Cuts a port off at the colon that ends a name or a bracketed address. A name is cut at its first
/// colon, so that a second one is a fault of the port.
pub(super) fn split_port(authority: &str) -> (&str, Option<&str>) {
    let host_end = authority.rfind(']').unwrap_or(0);
    match authority[host_end..].split_once(':') {
        Some((end, port)) => (&authority[..host_end + end.len()], Some(port)),
        None => (authority, None),
    }
}

fn split_scheme(text: &str) -> Result<(Scheme, &str), TemplateError> {
    let (scheme, rest) = text.split_once("://").unwrap_or((text, ""));
    if let Some(field) = first_name(scheme)? {
        return Err(TemplateError::SchemePlaceholder { field });
    }
    Ok((Scheme::parse(scheme).ok_or(TemplateError::Scheme)?, rest))
}

fn parse_host(text: &str) -> Result<HostPart, TemplateError> {
    let parsed = Text::parse(text)?;
    if let Some(name) = parsed.whole() {
        return Ok(HostPart::Whole(name.to_owned()));
    }
    let sample = parsed.sample();
    let Some(field) = parsed.first_name() else {
        return match host::address(&sample) {
            Some(address) => Ok(HostPart::Literal(address)),
            None => host::name(&sample).map(HostPart::Literal).map_err(TemplateError::Host),
        };
    };
    if !sample.contains('.') {
        return Err(TemplateError::HostPlaceholder { field: field.to_owned() });
    }
    host::name(&sample).map_err(TemplateError::Host)?;
    Ok(HostPart::Labels(parsed))
}

fn parse_port(text: &str) -> Result<PortPart, TemplateError> {
    let parsed = Text::parse(text)?;
    if let Some(name) = parsed.whole() {
        return Ok(PortPart::Hole(name.to_owned()));
    }
    match parsed.first_name() {
        Some(field) => Err(TemplateError::PortPlaceholder { field: field.to_owned() }),
        None => port_number(text).map(PortPart::Literal).ok_or(TemplateError::Port),
    }
}

fn parse_path(text: &str) -> Result<Vec<Text>, TemplateError> {
    if text.contains("//") {
        return Err(TemplateError::EmptySegment);
    }
    path::absolute(&Text::parse(text)?.sample()).map_err(TemplateError::Path)?;
    text.split('/').skip(1).map(Text::parse).collect()
}

fn parse_query(text: &str) -> Result<Text, TemplateError> {
    let parsed = Text::parse(text)?;
    path::query(&parsed.sample()).map_err(TemplateError::Query)?;
    for pair in text.split('&') {
        let key = pair.split_once('=').map_or(pair, |(key, _)| key);
        if let Some(field) = first_name(key)? {
            return Err(TemplateError::QueryPlaceholder { field });
        }
    }
    Ok(parsed)
}

fn first_name(text: &str) -> Result<Option<String>, TemplateError> {
    Ok(Text::parse(text)?.first_name().map(str::to_owned))
}

fn distinct(text: &Text) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in text.names() {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

//! Filling a template: each value is taken once, judged by its place, and never read as a template.

use ::url::Host;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::TargetRules;
use super::base::RenderedBase;
use super::error::{TargetError, TemplateError};
use super::fault::{HostFault, PathFault};
use super::host;
use super::origin::Origin;
use super::path;
use super::pattern::Pattern;
use super::placeholder::Text;
use super::template::{HostPart, PortPart, Template, port_number, split_port};
use super::url::TargetUrl;

/// The longest value that a placeholder takes, in bytes. A long token in a path has some hundred,
/// and the time of a `pattern` grows with it.
const MAX_VALUE: usize = 2048;

/// Encoded in a query value: all but RFC 3986's unreserved characters.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Encoded in a path segment: all but what RFC 3986 section 3.3 lets stand there, and `;`, at which
/// servlet containers cut. A bot token such as `123:abc` keeps its bytes.
const SEGMENT: &AsciiSet = &VALUE
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// What placeholders are filled from.
pub trait Fill {
    /// The value of that name; none or an empty one fails the rendering.
    fn value(&self, name: &str) -> Option<&str>;

    /// The field's own pattern, which the whole value must match.
    fn pattern(&self, _name: &str) -> Option<&Pattern> {
        None
    }
}

/// Nothing to fill from: for templates without placeholders.
impl Fill for () {
    fn value(&self, _name: &str) -> Option<&str> {
        None
    }
}

impl Template {
    /// Fills a base URL.
    pub fn render<F>(&self, fill: &F, rules: TargetRules) -> Result<RenderedBase, TargetError>
    where
        F: Fill + ?Sized,
    {
        if self.query.is_some() {
            return Err(TemplateError::BaseQuery.into());
        }
        self.render_url(fill, rules).map(RenderedBase::new)
    }

    /// Fills a whole URL, such as a token endpoint.
    pub fn render_url<F>(&self, fill: &F, rules: TargetRules) -> Result<TargetUrl, TargetError>
    where
        F: Fill + ?Sized,
    {
        self.check(rules)?;
        let origin = self.origin(fill, rules)?;
        let mut path = String::new();
        for segment in &self.segments {
            path.push('/');
            path.push_str(&fill_segment(segment, fill)?);
        }
        let query = self.query.as_ref().map(|query| query.fill(|name| query_value(name, fill)));
        let mut url = RenderedBase::try_from(origin.clone())?.url().as_url().clone();
        url.set_path(&path);
        url.set_query(query.transpose()?.as_deref());
        TargetUrl::of(&origin, url)
    }

    fn origin<F>(&self, fill: &F, rules: TargetRules) -> Result<Origin, TargetError>
    where
        F: Fill + ?Sized,
    {
        let (host, own_port) = match &self.host {
            HostPart::Literal(host) => (host.clone(), None),
            HostPart::Labels(text) => (fill_labels(text, fill)?, None),
            HostPart::Whole(field) => {
                let may_hold_port = rules.placeholder_ports && self.port.is_none();
                whole_host(field, value(field, fill)?, may_hold_port, rules)?
            }
        };
        let port = match &self.port {
            None => own_port.unwrap_or(self.scheme.default_port()),
            Some(PortPart::Literal(port)) => *port,
            Some(PortPart::Hole(field)) => port(field, value(field, fill)?)?,
        };
        Ok(Origin { scheme: self.scheme, host, port })
    }
}

fn whole_host(
    field: &str,
    value: &str,
    may_hold_port: bool,
    rules: TargetRules,
) -> Result<(Host<String>, Option<u16>), TargetError> {
    if let Some(address) = host::address(value).filter(|_| rules.placeholder_addresses) {
        return Ok((address, None));
    }
    let (text, port_text) = if may_hold_port { split_port(value) } else { (value, None) };
    let own_port = port_text.map(|text| port(field, text)).transpose()?;
    let host = match host::address(text) {
        Some(address) if rules.placeholder_addresses => Ok(address),
        _ if rules.placeholder_addresses => host::name(text),
        _ => host::full_name(text),
    };
    Ok((host.map_err(|fault| host_error(field, fault))?, own_port))
}

fn port(field: &str, text: &str) -> Result<u16, TargetError> {
    port_number(text).ok_or_else(|| TargetError::Port { field: field.to_owned() })
}

fn fill_labels<F: Fill + ?Sized>(text: &Text, fill: &F) -> Result<Host<String>, TargetError> {
    let filled = text.fill(|field| {
        let value = value(field, fill)?;
        host::label_part(value).map_err(|fault| host_error(field, fault))?;
        Ok::<_, TargetError>(value.to_owned())
    })?;
    // The parts are right one by one; together they may be too long or end in a number.
    let field = text.first_name().unwrap_or_default();
    host::name(&filled).map_err(|fault| host_error(field, fault))
}

fn fill_segment<F: Fill + ?Sized>(segment: &Text, fill: &F) -> Result<String, TargetError> {
    let filled = segment.fill(|field| {
        let value = value(field, fill)?;
        segment_value(value).map_err(|fault| text_error(field, fault))?;
        Ok::<_, TargetError>(utf8_percent_encode(value, SEGMENT).to_string())
    })?;
    // `.{{a}}` with `;` in `a` is a dot segment only as a whole.
    let field = segment.first_name().unwrap_or_default();
    path::dots(&filled).map_err(|fault| text_error(field, fault))?;
    Ok(filled)
}

fn segment_value(value: &str) -> Result<(), PathFault> {
    if value.contains(char::is_control) {
        return Err(PathFault::Control);
    }
    for (character, fault) in
        [('/', PathFault::Slash), ('\\', PathFault::Backslash), ('%', PathFault::Percent)]
    {
        if value.contains(character) {
            return Err(fault);
        }
    }
    path::dots(value)
}

fn query_value<F: Fill + ?Sized>(field: &str, fill: &F) -> Result<String, TargetError> {
    let value = value(field, fill)?;
    if value.contains(char::is_control) {
        return Err(text_error(field, PathFault::Control));
    }
    Ok(utf8_percent_encode(value, VALUE).to_string())
}

fn value<'a, F: Fill + ?Sized>(field: &str, fill: &'a F) -> Result<&'a str, TargetError> {
    let value = fill
        .value(field)
        .filter(|value| !value.is_empty())
        .ok_or_else(|| TargetError::Missing { field: field.to_owned() })?;
    if value.len() > MAX_VALUE {
        return Err(text_error(field, PathFault::TooLong));
    }
    match fill.pattern(field) {
        Some(pattern) if !pattern.matches(value) => {
            Err(TargetError::Pattern { field: field.to_owned() })
        }
        _ => Ok(value),
    }
}

fn host_error(field: &str, fault: HostFault) -> TargetError {
    TargetError::Host { field: field.to_owned(), fault }
}

fn text_error(field: &str, fault: PathFault) -> TargetError {
    TargetError::Text { field: field.to_owned(), fault }
}

//! The further origins that a provider lists (`allowed_proxy_domains`).
//!
//! Exact: no wildcards, no subdomains, no other port.

use super::TargetRules;
use super::error::TemplateError;
use super::origin::Origin;
use super::template::Template;

/// The origins that a provider lists beside that of its `proxy_url`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedOrigins(Vec<Origin>);

impl AllowedOrigins {
    /// Reads the whole list; the first bad entry fails it.
    pub fn parse<I>(entries: I, rules: TargetRules) -> Result<Self, TemplateError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let mut allowed = Self::default();
        for entry in entries {
            allowed.add(entry.as_ref(), rules)?;
        }
        Ok(allowed)
    }

    /// Adds one entry: a domain name, which means `https` on port 443, or a full origin.
    pub fn add(&mut self, entry: &str, rules: TargetRules) -> Result<(), TemplateError> {
        let full = entry.contains("://");
        if entry.contains('*') || (!full && entry.contains(':')) {
            return Err(TemplateError::NotAnOrigin);
        }
        let text = if full { entry.to_owned() } else { format!("https://{entry}") };
        let template = Template::parse(&text)?;
        template.check(rules)?;
        let origin = template.literal_origin().ok_or(TemplateError::NotAnOrigin)?;
        if !self.contains(&origin) {
            self.0.push(origin);
        }
        Ok(())
    }

    /// Whether exactly that origin is listed.
    pub fn contains(&self, origin: &Origin) -> bool {
        self.0.contains(origin)
    }

    /// Those listed, in order, each once.
    pub fn iter(&self) -> impl Iterator<Item = &Origin> {
        self.0.iter()
    }
}

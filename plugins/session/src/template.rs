//! Text with `{{name}}` in it, and the values that the names stand for.
//!
//! A [`Template`] exists only once each of its names is known: a field of the account (`{{username}}`), a
//! value that an earlier request took (`{{csrf}}`), or a setting of the connection that the pattern lists
//! (`{{connection/app_id}}`). Filling is one pass: what a value holds is never looked at again.

use countersign_plugin::{Account, Entry, Refusal, find};

/// Text cut up at its placeholders.
#[derive(Default)]
pub(crate) struct Template<'a> {
    parts: Vec<Part<'a>>,
}

enum Part<'a> {
    Literal(&'a str),
    Value(Source<'a>),
}

/// Where a value comes from.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    Account(&'a str),
    /// With its `connection/`.
    Connection(&'a str),
    Taken(&'a str),
}

/// The names that there are, where a template stands.
#[derive(Default)]
pub(crate) struct Scope<'a> {
    pub(crate) fields: Vec<&'a str>,
    /// Without `connection/`.
    pub(crate) connection: Vec<&'a str>,
    pub(crate) taken: Vec<&'a str>,
}

/// Why text is no template.
pub(crate) enum Flaw<'a> {
    /// Braces that do not match, or something else than a name between them.
    Braces,
    /// Nothing has this name here.
    Unknown(&'a str),
}

impl<'a> Scope<'a> {
    fn source(&self, name: &'a str) -> Option<Source<'a>> {
        if self.taken.contains(&name) {
            return Some(Source::Taken(name));
        }
        if self.fields.contains(&name) {
            return Some(Source::Account(name));
        }
        let setting = name.strip_prefix("connection/")?;
        self.connection.contains(&setting).then_some(Source::Connection(name))
    }
}

impl<'a> Template<'a> {
    /// Cuts `text` up. A `}}` that closes nothing is text: JSON ends in it.
    pub(crate) fn parse(text: &'a str, scope: &Scope<'a>) -> Result<Self, Flaw<'a>> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, from_name)) = rest.split_once("{{") {
            let (name, after) = from_name.split_once("}}").ok_or(Flaw::Braces)?;
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
            if name.is_empty() || !name.bytes().all(fits) {
                return Err(Flaw::Braces);
            }
            parts.push(Part::Literal(literal));
            parts.push(Part::Value(scope.source(name).ok_or(Flaw::Unknown(name))?));
            rest = after;
        }
        parts.push(Part::Literal(rest));
        Ok(Self { parts })
    }

    /// Whether it stands for text that was no template: what was cut up has a part, if an empty one.
    pub(crate) fn is_broken(&self) -> bool {
        self.parts.is_empty()
    }

    /// The sources of its values.
    pub(crate) fn sources(&self) -> impl Iterator<Item = Source<'a>> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Value(source) => Some(*source),
        })
    }

    /// The same text with this in place of every value.
    pub(crate) fn with(&self, text: &str) -> String {
        let part = |part: &Part<'a>| match part {
            Part::Literal(literal) => (*literal).to_owned(),
            Part::Value(_) => text.to_owned(),
        };
        self.parts.iter().map(part).collect()
    }

    /// The text with its values, each as `put` makes it fit its place.
    pub(crate) fn fill(
        &self,
        values: &Values<'_>,
        mut put: impl FnMut(Source<'_>, &str) -> Result<String, Refusal>,
    ) -> Result<String, Refusal> {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => filled.push_str(literal),
                Part::Value(source) => {
                    let value = values.value(*source)?;
                    filled.push_str(&put(*source, value)?);
                }
            }
        }
        Ok(filled)
    }
}

impl Source<'_> {
    /// By which the host knows the value.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Account(name) => ["account/", name].concat(),
            Self::Connection(name) => name.to_owned(),
            Self::Taken(name) => ["state/", name].concat(),
        }
    }
}

/// What names stand for, now.
pub(crate) struct Values<'a> {
    account: &'a Account,
    /// None where the login is over, and what it took is in the state.
    taken: Option<&'a [Entry]>,
}

impl<'a> Values<'a> {
    /// For a request of the API.
    pub(crate) fn kept(account: &'a Account) -> Self {
        Self { account, taken: None }
    }

    /// For a request of the login, after those that took these.
    pub(crate) fn taken(account: &'a Account, taken: &'a [Entry]) -> Self {
        Self { account, taken: Some(taken) }
    }

    /// One that is not there, or empty, is refused.
    fn value(&self, source: Source<'_>) -> Result<&'a str, Refusal> {
        let name = source.name();
        match (source, self.taken) {
            (Source::Taken(short), Some(taken)) => find(taken, short)
                .ok_or_else(|| Refusal::reauthorize("the login has lost its place").at(&name)),
            (Source::Taken(_), None) => self.account.require_state(&name),
            (Source::Account(_) | Source::Connection(_), _) => self.account.require(&name),
        }
    }
}

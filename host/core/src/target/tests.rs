//! What the target promises, by file: the rows of docs/pitfalls.md, templates, hosts, the table of
//! paths, and properties over any value and any path.

mod hosts;
mod paths;
mod pitfalls;
mod properties;
mod templates;
mod urls;

use super::{Fill, Pattern, RenderedBase, TargetError, TargetRules, Template};

/// Values by name, and patterns by name.
#[derive(Default)]
struct Account {
    values: Vec<(&'static str, String)>,
    patterns: Vec<(&'static str, Pattern)>,
}

impl Fill for Account {
    fn value(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    fn pattern(&self, name: &str) -> Option<&Pattern> {
        self.patterns.iter().find(|(known, _)| *known == name).map(|(_, pattern)| pattern)
    }
}

fn account(name: &'static str, value: &str) -> Account {
    Account { values: vec![(name, value.to_owned())], patterns: Vec::new() }
}

fn template(text: &str) -> Template {
    Template::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn strict() -> TargetRules {
    TargetRules::default()
}

/// `https://{{domain}}/api` with that domain.
fn freshdesk(domain: &str) -> Result<RenderedBase, TargetError> {
    template("https://{{domain}}/api").render(&account("domain", domain), strict())
}

fn base(text: &str) -> RenderedBase {
    template(text).render(&(), TargetRules { http: true, ..strict() }).unwrap()
}

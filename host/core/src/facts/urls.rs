//! The URLs of a provider and of its pattern, filled with values: which of these stand where, and whether
//! the host that comes of it is one that the payload admits.

use std::collections::BTreeSet;

use crate::client::Inner;
use crate::error::Error;
use crate::fields;
use crate::needs::Granted;
use crate::provider::{AuthPattern, Field};
use crate::subject::Subject;
use crate::target::{Fill, Origin, Pattern, RenderedBase, TargetError, Template};
use crate::values::Values;

/// What stands in a URL that cannot be filled as things are.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Unfilled {
    /// The request is refused.
    Refuse,
    /// Nothing does: a flow may be what brings a better value.
    Leave,
}

/// What placeholders of a URL are filled from.
struct Filling<'a> {
    pattern: &'a AuthPattern,
    values: &'a Values,
}

impl Fill for Filling<'_> {
    fn value(&self, name: &str) -> Option<&str> {
        fields::placeholder(self.pattern, self.values, name)
    }

    fn pattern(&self, name: &str) -> Option<&Pattern> {
        self.pattern.field(name).and_then(Field::pattern)
    }
}

impl Filling<'_> {
    /// Whether it is an attribute of the state, and nothing that was typed, that is at fault.
    fn blames_state(&self, cause: &TargetError) -> bool {
        let typed = |name: &str| self.values.text(&format!("account/{name}"));
        cause.field().is_some_and(|name| typed(name).is_none_or(str::is_empty))
    }

    /// Whether `name` is filled with an attribute, and no pattern of the payload narrows it.
    fn learnt(&self, name: &str) -> bool {
        let typed = self.pattern.field(name).is_some_and(|field| {
            let text = self.values.text(&format!("account/{name}"));
            field.pattern().is_some() || text.is_some_and(|text| !text.is_empty())
        });
        !typed
    }
}

/// Which of the account's values stand in which URL.
#[derive(Default)]
pub(super) struct Placed {
    in_hosts: BTreeSet<String>,
    /// A URL's name, and that of the account's value.
    in_urls: Vec<(String, String)>,
}

impl Placed {
    fn note(&mut self, url: &str, template: &Template) {
        let account = |name: &str| format!("account/{name}");
        self.in_hosts.extend(template.host_names().map(account));
        self.in_urls.extend(template.names().map(|name| (url.to_owned(), account(name))));
    }

    /// The names of those that whoever wrote the payload shows: hosts are shown to every resolver
    /// on the way, and a page's URL to the user.
    pub(super) fn in_sight(self, granted: &Granted, values: &Values) -> BTreeSet<String> {
        let pages = granted.visit_urls(values);
        let mut in_sight = self.in_hosts;
        let shown = self.in_urls.into_iter();
        in_sight.extend(
            shown
                .filter(|(url, _)| pages.iter().any(|(page, _)| page == url))
                .map(|(_, value)| value),
        );
        in_sight
    }
}

/// A host that a reply alone decides must be one that the payload lists: otherwise whoever answers
/// a flow could have the credential sent anywhere.
fn check_learnt(
    subject: &Subject,
    template: &Template,
    filling: &Filling<'_>,
    origin: &Origin,
) -> Result<(), TargetError> {
    let learnt = template.host_names().find(|name| filling.learnt(name));
    match learnt {
        Some(name) if !template.is_anchored() && !subject.lists(origin) => {
            Err(TargetError::Learnt { field: name.to_owned() })
        }
        _ => Ok(()),
    }
}

impl Inner {
    /// The provider's own URL, filled.
    pub(crate) fn base(
        &self,
        subject: &Subject,
        values: &Values,
    ) -> Result<RenderedBase, TargetError> {
        let filling = Filling { pattern: subject.pattern(), values };
        let template = subject.provider().template();
        let base = template.render(&filling, self.rules())?;
        check_learnt(subject, template, &filling, base.origin())?;
        Ok(base)
    }

    /// Fills `provider/proxy_url` and the pattern's own URLs under the strict grammar.
    ///
    /// Nobody need have a value for a URL that this call does not use: without one it is not
    /// there, and a plugin that wants it says so. Gives back which of the account's
    /// values stand where.
    pub(super) fn fill_urls(
        &self,
        subject: &Subject,
        values: &mut Values,
        unfilled: Unfilled,
    ) -> Result<Placed, Error> {
        let pattern = subject.pattern();
        let mut filled = Vec::new();
        let mut placed = Placed::default();
        placed.note("provider/proxy_url", subject.provider().template());
        for (name, text) in pattern.endpoints() {
            if !text.contains("{{") {
                continue;
            }
            let template = Template::parse(&text).map_err(TargetError::Template)?;
            placed.note(&name, &template);
            let filling = Filling { pattern, values };
            let url = template.render_url(&filling, self.rules()).and_then(|url| {
                check_learnt(subject, &template, &filling, url.origin())?;
                Ok(url)
            });
            match url {
                Ok(url) => filled.push((name, url.as_str().to_owned())),
                Err(TargetError::Missing { .. }) => filled.push((name, String::new())),
                // What an account holder typed no flow can mend.
                Err(cause) if unfilled == Unfilled::Leave && filling.blames_state(&cause) => {
                    filled.push((name, String::new()));
                }
                Err(error) => return Err(error.into()),
            }
        }
        // Whatever else is wrong with it is said where it is used.
        let base = self.base(subject, values);
        let base = base.map(|base| base.url().as_str().to_owned()).unwrap_or_default();
        filled.push(("provider/proxy_url".to_owned(), base));
        for (name, url) in filled {
            values.set(name, url);
        }
        Ok(placed)
    }
}

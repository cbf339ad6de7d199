//! All that is known for one call: the values, what the plugin may do with them, and where the
//! request goes.
//!
//! On `Ok` every required value is there, every mutation has been made, and the pattern's URLs are
//! filled. The destination is kept apart, because it may name an attribute that only a renewal
//! brings.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::account::State;
use crate::client::Inner;
use crate::edit::EditError;
use crate::error::Error;
use crate::fields::{self, Sources};
use crate::needs::Granted;
use crate::provider::{AuthPattern, Field};
use crate::refusal::Refusal;
use crate::sandbox::{Plugin, Shown};
use crate::secret::{Masker, Secret};
use crate::subject::Subject;
use crate::target::{Fill, Pattern, TargetError, Template};
use crate::values::Values;
use crate::view::ViewError;

/// What a call is made with.
pub(crate) struct Facts {
    pub(crate) plugin: Arc<Plugin>,
    pub(crate) values: Values,
    pub(crate) granted: Arc<Granted>,
    pub(crate) masker: Masker,
    pub(crate) state: Option<Arc<State>>,
    pub(crate) shared_version: u64,
}

impl Facts {
    /// The values that the plugin may see, on their way into the sandbox.
    pub(crate) fn shown(&self, memo: &[u8]) -> Shown {
        let values = self.granted.reads(&self.values);
        Shown::new(values.map(|(name, value)| (name, value.expose())), memo)
    }

    pub(crate) fn state_version(&self) -> u64 {
        version(self.state.as_deref())
    }

    pub(crate) fn refused(&self, raw: crate::contract::types::Refusal) -> Error {
        let refusal = Refusal::from_guest(raw, &self.masker);
        let plugin = self.plugin.guest.name.clone();
        tracing::info!(plugin, reason = refusal.reason.code(), "{refusal}");
        Error::Refused { plugin, refusal }
    }

    pub(crate) fn edit_refused(&self, cause: &EditError) -> Error {
        let message = self.masker.mask(&cause.to_string()).into_owned();
        Error::Edit { plugin: self.plugin.guest.name.clone(), message }
    }

    pub(crate) fn view_refused(&self, cause: &ViewError) -> Error {
        let message = self.masker.mask(&cause.to_string()).into_owned();
        Error::View { plugin: self.plugin.guest.name.clone(), message }
    }

    pub(crate) fn broke(&self, what: &'static str) -> Error {
        Error::Contract { plugin: self.plugin.guest.name.clone(), what }
    }
}

pub(crate) fn version(state: Option<&State>) -> u64 {
    state.map_or(0, |state| state.version)
}

/// What placeholders of a URL are filled from.
pub(crate) struct Filling<'a> {
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

impl<'a> Filling<'a> {
    pub(crate) fn new(pattern: &'a AuthPattern, values: &'a Values) -> Self {
        Self { pattern, values }
    }
}

impl Inner {
    /// Reads the state and gathers the rest. `wishes` are values under `grant/`.
    pub(crate) async fn facts(
        &self,
        subject: &Subject,
        plugin: Arc<Plugin>,
        wishes: &BTreeMap<String, String>,
    ) -> Result<Facts, Error> {
        let state = self.store.state(subject.state_key()).await?;
        let shared = self.store.state(&subject.shared_key()).await?;
        let mut assembled = fields::assemble(&Sources {
            provider: subject.provider(),
            pattern: subject.pattern(),
            connection: subject.connection(),
            shared: shared.as_deref(),
            account: subject.account(),
            state: state.as_deref(),
        })?;
        while let Some(call) = assembled.pending().cloned() {
            let value = self.mutated(&assembled, &call).await?;
            assembled.apply(value)?;
        }
        let mut values = assembled.finish()?;
        for (name, text) in wishes {
            values.set(format!("grant/{name}"), text);
        }
        self.fill_endpoints(subject.pattern(), &mut values)?;
        let granted = granted(&plugin, &values);
        let masker = Masker::new(values.secrets());
        let shared_version = version(shared.as_deref());
        Ok(Facts { plugin, values, granted, masker, state, shared_version })
    }

    /// The facts of a whole connection: no account in sight.
    pub(crate) async fn shared_facts(
        &self,
        subject: &Subject,
        plugin: Arc<Plugin>,
    ) -> Result<Facts, Error> {
        let shared = self.store.state(&subject.shared_key()).await?;
        let mut values = fields::connection_values(
            subject.provider(),
            subject.pattern(),
            subject.connection(),
            shared.as_deref(),
        );
        self.fill_endpoints(subject.pattern(), &mut values)?;
        let granted = granted(&plugin, &values);
        let masker = Masker::new(values.secrets());
        let shared_version = version(shared.as_deref());
        Ok(Facts { plugin, values, granted, masker, state: shared, shared_version })
    }

    /// One custom mutation, in the sandbox.
    async fn mutated(
        &self,
        assembled: &fields::Assembled,
        call: &fields::MutationCall,
    ) -> Result<Secret, Error> {
        let mutation = self.registry.mutation(call.mutation())?;
        let names = mutation.reads(call.options());
        let visible = assembled.visible(call.target(), &names);
        let masker = Masker::new(visible.iter().filter_map(|(_, value)| value.as_secret()));
        let shown = Shown::new(visible.iter().map(|(name, value)| (*name, value.expose())), &[]);
        let answer = self
            .sandbox
            .mutate(&mutation, shown, call.options().to_vec(), self.moment(), &masker)
            .await?;
        let plugin = mutation.guest.name.clone();
        let values = answer.map_err(|raw| Error::Refused {
            plugin: plugin.clone(),
            refusal: Refusal::from_guest(raw, &masker),
        })?;
        let mut values: Vec<(String, Secret)> =
            values.into_iter().map(|(name, text)| (name, Secret::new(text))).collect();
        match (values.pop(), values.is_empty()) {
            (Some((name, value)), true) if name == call.target() => Ok(value),
            _ => Err(Error::Contract {
                plugin,
                what: "a mutation must answer with its target and nothing else",
            }),
        }
    }

    /// Fills the pattern's own URLs under the strict grammar.
    fn fill_endpoints(&self, pattern: &AuthPattern, values: &mut Values) -> Result<(), Error> {
        let mut filled = Vec::new();
        for (name, text) in pattern.endpoints() {
            if !text.contains("{{") {
                continue;
            }
            let template = Template::parse(&text).map_err(TargetError::Template)?;
            let url = template.render_url(&Filling { pattern, values }, self.rules);
            match url {
                Ok(url) => filled.push((name, url.as_str().to_owned())),
                // Nobody need have a value for an endpoint that this call does not use: without
                // one it is not there, and a plugin that wants it says so.
                Err(TargetError::Missing { .. }) => filled.push((name, String::new())),
                Err(error) => return Err(error.into()),
            }
        }
        for (name, url) in filled {
            values.set(name, url);
        }
        Ok(())
    }
}

fn granted(plugin: &Plugin, values: &Values) -> Arc<Granted> {
    let granted = plugin.needs.resolve(values);
    for ungranted in granted.ungranted() {
        tracing::warn!(plugin = plugin.guest.name, "{ungranted}");
    }
    Arc::new(granted)
}

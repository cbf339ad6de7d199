//! How facts are come by: values are put together, mutations made, URLs filled, needs resolved.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::account::State;
use crate::client::Inner;
use crate::error::Error;
use crate::fields::{self, Sources};
use crate::memo::{Memo, Whose};
use crate::needs::Granted;
use crate::refusal::Refusal;
use crate::sandbox::{Plugin, Shown};
use crate::secret::{Masker, Secret};
use crate::subject::Subject;
use crate::values::Values;

use super::urls::Unfilled;
use super::{Facts, Known, KnownFacts};

impl Inner {
    /// The facts of a request.
    pub(crate) async fn request_facts(
        &self,
        subject: &Subject,
        plugin: &Arc<Plugin>,
        generation: u64,
    ) -> Result<Arc<Facts>, Error> {
        let state = self.store.state(subject.state_key()).await?;
        let shared = self.store.state(subject.shared_key()).await?;
        let key = Known {
            host: self.id(),
            generation,
            plugin: plugin.guest.digest,
            state_version: state.as_deref().map(|state| state.version),
            shared_version: shared.as_deref().map(|state| state.version),
        };
        if let Some(known) = subject.facts.load().as_ref().filter(|known| known.key == key) {
            return Ok(Arc::clone(&known.facts));
        }
        let none = BTreeMap::new();
        let facts = self.gather(subject, plugin, [state, shared], &none, Unfilled::Refuse).await?;
        let facts = Arc::new(facts);
        subject.facts.store(Some(Arc::new(KnownFacts { key, facts: Arc::clone(&facts) })));
        Ok(facts)
    }

    /// What the plugin left for calls with these facts.
    pub(crate) fn memo<'a>(&self, subject: &Subject, facts: &'a Facts) -> &'a Arc<Memo> {
        facts.memo.get_or_init(|| {
            let (plugin, version) = (facts.plugin.guest.digest, facts.state_version());
            let account = subject.state_key();
            self.memos.find(Whose::new(account, facts.host, plugin, version, &facts.values))
        })
    }

    /// The facts of a flow of the account. `wishes` are values under `grant/`.
    pub(crate) async fn flow_facts(
        &self,
        subject: &Subject,
        plugin: &Arc<Plugin>,
        wishes: &BTreeMap<String, String>,
    ) -> Result<Facts, Error> {
        let state = self.store.state(subject.state_key()).await?;
        let shared = self.store.state(subject.shared_key()).await?;
        self.gather(subject, plugin, [state, shared], wishes, Unfilled::Leave).await
    }

    async fn gather(
        &self,
        subject: &Subject,
        plugin: &Arc<Plugin>,
        [state, shared]: [Option<Arc<State>>; 2],
        wishes: &BTreeMap<String, String>,
        unfilled: Unfilled,
    ) -> Result<Facts, Error> {
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
        fields::lay_over(&mut values, subject.laid_over(), state.as_deref());
        for (name, text) in wishes {
            values.set(format!("grant/{name}"), text);
        }
        self.facts_of(subject, plugin, values, [state, shared], unfilled)
    }

    fn facts_of(
        &self,
        subject: &Subject,
        plugin: &Arc<Plugin>,
        mut values: Values,
        [state, shared]: [Option<Arc<State>>; 2],
        unfilled: Unfilled,
    ) -> Result<Facts, Error> {
        let host = self.id();
        let placed = self.fill_urls(subject, &mut values, unfilled)?;
        let granted = self.granted(subject, plugin, &values);
        let in_sight = placed.in_sight(&granted, &values);
        let masker = Masker::new(values.secrets());
        Ok(Facts {
            host,
            plugin: Arc::clone(plugin),
            values,
            granted,
            masker,
            state,
            shared,
            place: OnceLock::new(),
            memo: OnceLock::new(),
            certificate: OnceLock::new(),
            in_sight,
        })
    }

    /// The facts of a whole connection: no account in sight.
    pub(crate) async fn shared_facts(
        &self,
        subject: &Subject,
        plugin: &Arc<Plugin>,
    ) -> Result<Facts, Error> {
        let shared = self.store.state(subject.shared_key()).await?;
        let mut values = fields::connection_values(
            subject.provider(),
            subject.pattern(),
            subject.connection(),
            shared.as_deref(),
        );
        fields::lay_over_connection(&mut values, subject.laid_over());
        self.facts_of(subject, plugin, values, [shared.clone(), shared], Unfilled::Leave)
    }

    /// The plugin's needs, as far as the operator lets it have them.
    fn granted(&self, subject: &Subject, plugin: &Plugin, values: &Values) -> Arc<Granted> {
        let settings = self.settings.load();
        let granted = match settings.policy.get(subject.pattern().auth_type()) {
            Some(policy) => plugin.needs.narrowed(policy).resolve(values),
            None => plugin.needs.resolve(values),
        };
        for ungranted in granted.ungranted() {
            tracing::warn!(plugin = plugin.guest.name, "{ungranted}");
        }
        subject.connection().granted.shared(granted)
    }

    /// One custom mutation, in the sandbox.
    pub(crate) async fn mutated(
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
}

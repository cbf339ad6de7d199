//! All that is known for one call: the values, what the plugin may do with them, and where the
//! request goes.
//!
//! On `Ok` every required value is there, every mutation has been made, and the pattern's URLs are
//! filled. The destination is kept apart, because it may name an attribute that only a renewal
//! brings.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use crate::account::State;
use crate::authorize::Place;
use crate::client::Inner;
use crate::edit::EditError;
use crate::egress::{self, CertificateError, CertificateFlaw, ClientCertificate};
use crate::error::Error;
use crate::fields::{self, Sources};
use crate::memo::{Memo, Whose};
use crate::needs::Granted;
use crate::provider::{AuthPattern, Field};
use crate::refusal::{Reason, Refusal};
use crate::sandbox::{Digest, Plugin, Shown};
use crate::secret::{Masker, Secret};
use crate::subject::Subject;
use crate::target::{Fill, Origin, Pattern, RenderedBase, TargetError, Template};
use crate::values::Values;
use crate::view::ViewError;

/// What a call is made with.
pub(crate) struct Facts {
    /// Under which [`Inner::id`] they were gathered.
    pub(crate) host: u64,
    pub(crate) plugin: Arc<Plugin>,
    pub(crate) values: Values,
    pub(crate) granted: Arc<Granted>,
    pub(crate) masker: Masker,
    /// The account's, or the connection's for `setup`.
    pub(crate) state: Option<Arc<State>>,
    pub(crate) shared: Option<Arc<State>>,
    /// Worked out once it is needed.
    pub(crate) place: OnceLock<Arc<Place>>,
    /// The same.
    memo: OnceLock<Arc<Memo>>,
    /// The one that was asked for first. A key is read and checked once, and not for each request.
    certificate: OnceLock<ClientCertificate>,
    /// The account's values that stand in a host, or in a page that the user is sent to: whoever
    /// wrote the payload shows them there.
    in_sight: BTreeSet<String>,
}

/// Facts, and all that they were gathered from beside the subject: for the next request, while
/// nothing of it moves.
pub(crate) struct KnownFacts {
    key: Known,
    facts: Arc<Facts>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Known {
    /// Another host has other policy and rules.
    host: u64,
    /// Another mutation gives other values.
    generation: u64,
    plugin: Digest,
    state_version: Option<u64>,
    shared_version: Option<u64>,
}

/// What stands in a URL that cannot be filled as things are.
#[derive(Clone, Copy, PartialEq)]
enum Unfilled {
    /// The request is refused.
    Refuse,
    /// Nothing does: a flow may be what brings a better value.
    Leave,
}

impl Facts {
    /// The values that the plugin may see, on their way into the sandbox.
    pub(crate) fn shown(&self, memo: &[u8]) -> Shown {
        let values = self.granted.reads(&self.values);
        Shown::new(values.map(|(name, value)| (name, value.expose())), memo)
    }

    /// The secrets that may stand in no page's URL and no attribute.
    pub(crate) fn hidden(&self) -> impl Iterator<Item = &Secret> {
        let values = self.values.iter().filter(|(name, _)| !self.in_sight.contains(*name));
        values.filter_map(|(_, value)| value.as_secret())
    }

    pub(crate) fn state_version(&self) -> u64 {
        version(self.state.as_deref())
    }

    /// Whether the state must not be used at `now`, in Unix milliseconds.
    pub(crate) fn is_expired(&self, now: u64) -> bool {
        self.state.as_ref().is_some_and(|state| state.is_expired(now))
    }

    /// The same of what the connection shares.
    pub(crate) fn shares_expired(&self, now: u64) -> bool {
        self.shared.as_ref().is_some_and(|state| state.is_expired(now))
    }

    pub(crate) fn refused(&self, raw: crate::contract::types::Refusal) -> Error {
        let refusal = Refusal::from_guest(raw, &self.masker);
        let plugin = self.plugin.guest.name.clone();
        if self.plugin.guest.may_tell() {
            tracing::info!(plugin, reason = refusal.reason.code(), "{refusal}");
        }
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

    /// The certificate that is in the values of these names.
    pub(crate) fn certificate(
        &self,
        subject: &Subject,
        names: [&str; 2],
    ) -> Result<ClientCertificate, CertificateError> {
        if let Some(known) = self.certificate.get().filter(|it| it.names() == names) {
            return Ok(known.clone());
        }
        let read = self.read_certificate(subject, names)?;
        // Of several that read it at once, the first is kept.
        let _: Result<(), ClientCertificate> = self.certificate.set(read.clone());
        Ok(read)
    }

    fn read_certificate(
        &self,
        subject: &Subject,
        names: [&str; 2],
    ) -> Result<ClientCertificate, CertificateError> {
        let value = |name: &str| {
            let text = self.values.text(name).filter(|text| !text.trim().is_empty());
            let flaw = CertificateFlaw::Missing;
            text.map(Secret::from).ok_or_else(|| CertificateError { name: name.to_owned(), flaw })
        };
        let (chain, key) = (value(names[0])?, value(names[1])?);
        let of_connection = names.iter().all(|name| name.starts_with("connection/"));
        let holder = if of_connection { subject.shared_key() } else { subject.state_key() };
        let row = holder.row.as_ref().map_or("", |row| &row.id);
        let identifier = holder.identifier.as_deref().unwrap_or_default();
        let holder = [&*holder.environment, &*holder.connection, identifier, row];
        ClientCertificate::parse(names, &chain, &key, &holder)
    }

    /// The values that only the host may look at, to present them, and that are nothing to present.
    pub(crate) fn unpresentable(&self) -> impl Iterator<Item = Refusal> {
        let unseen = self.values.iter().filter(|(name, value)| {
            let there = !value.expose().trim().is_empty();
            there && self.granted.may_present(name) && !self.granted.may_read(name)
        });
        let bad = unseen.filter(|(_, value)| !egress::is_presentable(value.expose()));
        bad.map(|(name, _)| Refusal {
            reason: Reason::InvalidConfig,
            field: Some(name.to_owned()),
            message: "is neither a certificate nor an unencrypted private key in PEM".to_owned(),
            retry_after: None,
        })
    }

    pub(crate) fn broke(&self, what: &'static str) -> Error {
        Error::Contract { plugin: self.plugin.guest.name.clone(), what }
    }
}

pub(crate) fn version(state: Option<&State>) -> u64 {
    state.map_or(0, |state| state.version)
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
struct Placed {
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
    fn in_sight(self, granted: &Granted, values: &Values) -> BTreeSet<String> {
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
        Arc::new(granted)
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

    /// Fills `provider/proxy_url` and the pattern's own URLs under the strict grammar.
    ///
    /// Nobody need have a value for a URL that this call does not use: without one it is not
    /// there, and a plugin that wants it says so. Gives back which of the account's
    /// values stand where.
    fn fill_urls(
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

//! From a request without a credential to one with it.
//!
//! The plugin is first asked without a request; its answer is ready, or it wants to see parts of
//! the request, or new state. Each of these loops is bounded: three rounds of showing, each a
//! superset of the last; two renewals; answers dropped because the memo had moved. On `Ok` the
//! answer's edits are checked, and the destination is the provider's. On `Err` nothing was sent.

mod ask;
mod outgoing;
mod sieve;

use std::sync::Arc;

use http::{HeaderMap, HeaderName};
use zeroize::Zeroizing;

use crate::account::{State, Status};
use crate::client::Inner;
use crate::contract::authorizer::Ready;
use crate::edit::{CheckedEdits, EditRules};
use crate::error::Error;
use crate::facts::{Facts, version};
use crate::fields;
use crate::memo::SeenMemo;
use crate::needs::header::same_spelling;
use crate::remember::{Answer, Key, UseAgain};
use crate::reply::MOST_HELD;
use crate::sandbox::{Flow, Plugin};
use crate::subject::Subject;
use crate::target::{RenderedBase, TargetError};

use ask::Asked;
pub(crate) use outgoing::Outgoing;
pub(crate) use sieve::Sieve;

/// Renewals within one request: one for a stale state, one for a hint that the first could not
/// know of (a token for this audience).
const MOST_RENEWALS: usize = 2;
/// Times that a plugin is asked anew because of a renewal, also one that another request made for
/// another hint.
const MOST_TRIES: usize = 8;
/// Watches of one answer. Digest needs two.
const MOST_WATCHES: usize = 8;

/// Headers of one watch, and bytes of a header's name.
const MOST_WATCHED_HEADERS: usize = 16;
const LONGEST_NAME: usize = 256;
/// Bytes of a cursor or a renewal's hint: a remembered answer keeps them. A token and a nonce fit
/// ten times over.
const LONGEST_CURSOR: usize = 64 << 10;

/// What a reply left for the next try.
#[derive(Default)]
pub(crate) struct Again {
    /// The plugin's own words to itself; empty on the first try.
    pub(crate) cursor: Zeroizing<Vec<u8>>,
    /// Of the state that the reply was an answer to; `None` on the first try.
    pub(crate) state_version: Option<u64>,
}

impl Inner {
    /// Comes to an answer for this request. A remembered one costs no call.
    pub(crate) async fn authorize(
        self: &Arc<Self>,
        subject: &Arc<Subject>,
        outgoing: &mut Outgoing,
        again: &Again,
    ) -> Result<Arc<Answer>, Error> {
        if !subject.provider().proxy_enabled() {
            return Err(Error::ProxyDisabled);
        }
        if matches!(subject.status, Status::Disconnected | Status::PendingVerification) {
            return Err(Error::Inactive(subject.status));
        }
        if again.cursor.is_empty()
            && let Some(answer) = self.remembered(subject).await?
        {
            self.counts.remembered.up();
            return Ok(answer);
        }
        // On the heap, as what nearly every request waits in shall be small.
        Box::pin(self.authorize_anew(subject, outgoing, again)).await
    }

    /// The same by asking the plugin.
    async fn authorize_anew(
        self: &Arc<Self>,
        subject: &Arc<Subject>,
        outgoing: &mut Outgoing,
        again: &Again,
    ) -> Result<Arc<Answer>, Error> {
        self.counts.asked.up();
        let generation = self.registry.generation();
        let plugin = self.registry.plugin(subject.pattern().auth_type())?;
        let found = self.keep_fresh(subject, &plugin).await?;
        // An attribute that only a renewal brings; and where the state is past its end anyhow, one
        // that no longer fits its URL.
        let brings = |error: &Error| match error {
            Error::Target(cause) => {
                let is_attribute =
                    |name: &str| subject.pattern().attributes().iter().any(|it| it == name);
                renews(&plugin)
                    && cause.field().is_some_and(is_attribute)
                    && (found.ended || matches!(cause, TargetError::Missing { .. }))
            }
            _ => false,
        };
        let mut renewals = 0;
        for _ in 0..MOST_TRIES {
            let facts = match self.request_facts(subject, &plugin, generation).await {
                Ok(facts) => facts,
                Err(error) if renewals == 0 && brings(&error) => {
                    renewals += 1;
                    self.renew(subject, found.version, Zeroizing::default()).await?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let hint = match self.place(subject, &facts) {
                Err(error) if renewals == 0 && brings(&error) => Zeroizing::default(),
                Err(error) => return Err(error),
                Ok(place) => {
                    let asked = self.ask(subject, &facts, &place, outgoing, &again.cursor).await?;
                    match asked {
                        // Whatever it makes of what is past its end: that is not used.
                        Asked::Ready(..) if facts.shares_expired(self.clock.unix_millis()) => {
                            return Err(Error::SharedExpired);
                        }
                        Asked::Ready(..) if facts.is_expired(self.clock.unix_millis()) => {
                            Zeroizing::default()
                        }
                        Asked::Ready(ready, seen, blind) => {
                            // A cursor comes from a reply, and so from a request.
                            let blind = blind && again.cursor.is_empty();
                            let when = When { generation, seen, blind };
                            return self.finish(subject, &facts, place, ready, &when);
                        }
                        Asked::Renew(hint) => hint,
                    }
                }
            };
            if renewals == MOST_RENEWALS {
                return Err(facts.broke("it asks for renewal after renewal"));
            }
            // What a reply has led to is bounded as a renewal that a reply asks for. One that only
            // rests is not counted as made.
            let attempt = self.attempt(&hint, facts.state_version());
            if again.state_version == Some(facts.state_version())
                && subject.failed.at(attempt, self.clock.elapsed()).is_none()
                && !self.forced.pass(subject.state_key(), &*self.clock)
            {
                return Err(Error::RenewedLately);
            }
            let renewed = self.renew(subject, facts.state_version(), hint).await?;
            if renewed.ran && renewed.state.is_expired(self.clock.unix_millis()) {
                // Not once more: that would use up another refresh token.
                return Err(facts.broke("it renewed to a state that is past its end"));
            }
            renewals += usize::from(renewed.ran);
        }
        Err(Error::Contended { plugin: plugin.guest.name.clone() })
    }

    /// State past its end is refused where there is no way to renew it; the plugin says which way,
    /// since it may need a hint. What the connection shares is set up again, which needs none. What
    /// will soon be past its end is renewed in the background, and used meanwhile.
    async fn keep_fresh(
        self: &Arc<Self>,
        subject: &Arc<Subject>,
        plugin: &Plugin,
    ) -> Result<Found, Error> {
        let now = self.clock.unix_millis();
        let ends = |state: &Option<Arc<State>>| state.as_ref().is_some_and(|it| it.is_expired(now));
        let shared = self.store.state(subject.shared_key()).await?;
        if ends(&shared) {
            if !plugin.flows.contains(&Flow::Setup) {
                return Err(Error::SharedExpired);
            }
            self.set_up_again(subject, version(shared.as_deref())).await?;
        } else if plugin.flows.contains(&Flow::Setup) {
            self.renew_ahead(subject, Flow::Setup, shared.as_deref());
        }
        let state = self.store.state(subject.state_key()).await?;
        let found = Found { version: version(state.as_deref()), ended: ends(&state) };
        match (found.ended, renews(plugin)) {
            (true, false) => return Err(Error::Expired),
            (false, true) => self.renew_ahead(subject, Flow::Renew, state.as_deref()),
            (true, true) | (false, false) => {}
        }
        Ok(found)
    }

    /// Where the request goes, and what the provider puts on it.
    fn place(&self, subject: &Subject, facts: &Facts) -> Result<Arc<Place>, Error> {
        if let Some(place) = facts.place.get() {
            return Ok(Arc::clone(place));
        }
        let base = self.base(subject, &facts.values)?;
        let headers = fields::proxy_headers(subject.provider(), subject.pattern(), &facts.values)?;
        let rules = EditRules {
            named_headers: headers.keys().cloned().collect(),
            origins: subject.listed_origins().to_vec(),
            ..EditRules::default()
        };
        let place = || subject.connection().place.shared(Place { base, headers, rules });
        Ok(Arc::clone(facts.place.get_or_init(place)))
    }

    fn finish(
        &self,
        subject: &Subject,
        facts: &Arc<Facts>,
        place: Arc<Place>,
        ready: Ready,
        when: &When,
    ) -> Result<Arc<Answer>, Error> {
        check_watches(&ready, facts)?;
        if ready.cursor.len() > LONGEST_CURSOR {
            return Err(facts.broke("its cursor is over 64 KiB"));
        }
        let edits = CheckedEdits::check(ready.edits, &facts.granted, &place.rules)
            .map_err(|cause| facts.edit_refused(&cause))?;
        let names = edits.client_certificate();
        let certificate = names.map(|names| facts.certificate(subject, names)).transpose()?;
        let mut answer = Answer {
            plugin: Arc::clone(&facts.plugin),
            granted: Arc::clone(&facts.granted),
            masker: facts.masker.clone(),
            place,
            edits,
            certificate,
            watches: ready.watches,
            cursor: Zeroizing::new(ready.cursor),
            state_version: facts.state_version(),
            again: None,
        };
        if when.blind {
            let key = Key {
                host: facts.host,
                generation: when.generation,
                state_version: facts.state.as_deref().map(|state| state.version),
                shared_version: facts.shared.as_deref().map(|state| state.version),
                memo_revision: when.seen.revision(),
            };
            let states = [facts.state.as_deref(), facts.shared.as_deref()];
            let (remember, now) = (ready.remember, self.clock.unix_millis());
            let memo = Arc::clone(self.memo(subject, facts));
            answer.again = UseAgain::new(key, &answer, memo, remember, now, states);
            let answer = Arc::new(answer);
            let is_remembered = answer.again.is_some();
            if is_remembered {
                // They will not be asked for again before something moves.
                subject.facts.store(None);
            }
            subject.remembered.store(is_remembered.then(|| Arc::clone(&answer)));
            return Ok(answer);
        }
        Ok(Arc::new(answer))
    }

    /// The answer that is remembered, where it holds now.
    pub(crate) async fn remembered(&self, subject: &Subject) -> Result<Option<Arc<Answer>>, Error> {
        let Some(answer) = subject.remembered.load_full() else { return Ok(None) };
        let Some(again) = &answer.again else { return Ok(None) };
        let state = self.store.state(subject.state_key()).await?;
        let shared = self.store.state(subject.shared_key()).await?;
        let key = Key {
            host: self.id(),
            generation: self.registry.generation(),
            state_version: state.map(|state| state.version),
            shared_version: shared.map(|state| state.version),
            memo_revision: again.memo.revision(),
        };
        Ok(again.holds(key, self.clock.unix_millis()).then_some(answer))
    }
}

fn check_watches(ready: &Ready, facts: &Facts) -> Result<(), Error> {
    if ready.watches.len() > MOST_WATCHES {
        return Err(facts.broke("it watches for too many kinds of reply"));
    }
    let mut names = ready.watches.iter().map(|watch| &watch.headers);
    if names.any(|names| {
        names.len() > MOST_WATCHED_HEADERS || names.iter().any(|name| name.len() > LONGEST_NAME)
    }) {
        return Err(facts.broke("it watches for too many headers"));
    }
    if ready.watches.iter().any(|watch| watch.body > MOST_HELD) {
        return Err(facts.broke("it wants more than 64 KiB of a reply held back"));
    }
    if ready.watches.iter().any(|watch| watch.body > 0) && !facts.granted.reads_reply_body() {
        return Err(Error::WatchedBody { plugin: facts.plugin.guest.name.clone() });
    }
    Ok(())
}

/// Where a request goes, and what is on it whatever the plugin says.
#[derive(PartialEq)]
pub(crate) struct Place {
    pub(crate) base: RenderedBase,
    /// The provider's own.
    pub(crate) headers: HeaderMap,
    pub(crate) rules: EditRules,
}

impl Place {
    /// Whether one of the provider's own headers has this name, in whatever spelling.
    fn names(&self, name: &HeaderName) -> bool {
        self.headers.keys().any(|own| same_spelling(own.as_str(), name.as_str()))
    }
}

/// The account's state, as a request came upon it.
struct Found {
    version: u64,
    /// Whether it is past its end.
    ended: bool,
}

/// Under what circumstances an answer was given.
struct When {
    generation: u64,
    seen: SeenMemo,
    blind: bool,
}

pub(crate) fn renews(plugin: &Plugin) -> bool {
    plugin.flows.contains(&Flow::Renew)
}

#[cfg(test)]
mod tests;

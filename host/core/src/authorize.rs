//! From a request without a credential to one with it.
//!
//! The plugin is first asked without a request; its answer is ready, or it wants to see parts of
//! the request, or new state. Each of these loops is bounded: three rounds of showing, each a
//! superset of the last; two renewals; three answers dropped because the memo had moved. On `Ok`
//! the answer's edits are checked, and the destination is the provider's. On `Err` nothing was
//! sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, Method, Request};
use http_body::Body;
use url::Url;

use crate::account::Status;
use crate::body::{BodyError, RequestBody};
use crate::client::Inner;
use crate::contract::authorizer::{Outcome, Ready};
use crate::edit::{self, CheckedEdits, EditRules};
use crate::egress;
use crate::error::Error;
use crate::facts::Facts;
use crate::fields;
use crate::needs::Granted;
use crate::remember::{Answer, Key, Remembered};
use crate::reply::MOST_HELD;
use crate::sandbox::{Flow, Plugin};
use crate::subject::{LONGEST_MEMO, MemoOwner, SeenMemo, Subject};
use crate::target::{RenderedBase, TargetError};
use crate::view::Wish;

/// Rounds of `show` (the contract's own number).
const MOST_ROUNDS: usize = 3;
/// Renewals within one request: one for a stale state, one for a hint that the first could not
/// know of (a token for this audience).
const MOST_RENEWALS: usize = 2;
/// Answers dropped because another call changed the memo meanwhile.
const MOST_MEMO_RACES: usize = 3;
/// Watches of one answer. Digest needs two.
const MOST_WATCHES: usize = 8;

/// Headers of one watch, and bytes of a header's name.
const MOST_WATCHED_HEADERS: usize = 16;
const LONGEST_NAME: usize = 256;
/// Bytes of a cursor or a renewal's hint: a remembered answer keeps them. A token and a nonce fit
/// ten times over.
const LONGEST_CURSOR: usize = 64 << 10;

/// The caller's request, on its way.
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    path: String,
    query: Option<String>,
    headers: HeaderMap,
    pub(crate) body: RequestBody,
}

impl Outgoing {
    /// Of the URI only path and query are taken.
    pub(crate) fn new<B>(request: Request<B>) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        let (parts, body) = request.into_parts();
        let mut headers = parts.headers;
        egress::settle(&mut headers);
        // The destination's own name is the host's business.
        headers.remove(HOST);
        Self {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().map(ToOwned::to_owned),
            headers,
            body: RequestBody::new(body),
        }
    }

    /// The same once more, where the body is known whole.
    pub(crate) fn again(&self) -> Option<Self> {
        let body = RequestBody::whole(self.body.as_whole()?.clone());
        Some(Self {
            method: self.method.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            headers: self.headers.clone(),
            body,
        })
    }

    pub(crate) async fn spool(&mut self, limit: usize) -> Result<(), Error> {
        let body = std::mem::replace(&mut self.body, RequestBody::whole(Bytes::new()));
        self.body = body.spool(limit).await.map_err(|_| Error::Body)?;
        Ok(())
    }

    /// As it would leave under `base`, but for the edits: without what the plugin may write, and
    /// with the provider's own headers.
    fn dressed(
        &self,
        base: &RenderedBase,
        granted: &Granted,
        fixed: &HeaderMap,
    ) -> Result<(HeaderMap, Url), TargetError> {
        let mut url = base.join(&self.path, self.query.as_deref())?.into_url();
        let mut headers = self.headers.clone();
        edit::strip(granted, &mut headers, &mut url);
        for (name, value) in fixed {
            edit::remove(&mut headers, name);
            headers.insert(name.clone(), value.clone());
        }
        Ok((headers, url))
    }
}

impl Inner {
    /// Comes to an answer for this request. A remembered one costs no call.
    pub(crate) async fn authorize(
        self: &Arc<Self>,
        subject: &Arc<Subject>,
        outgoing: &mut Outgoing,
        cursor: &[u8],
    ) -> Result<Arc<Answer>, Error> {
        if !subject.provider().proxy_enabled() {
            return Err(Error::ProxyDisabled);
        }
        let status = subject.account().status();
        if matches!(status, Status::Disconnected | Status::PendingVerification) {
            return Err(Error::Inactive(status));
        }
        if cursor.is_empty()
            && let Some(remembered) = subject.remembered.load_full()
        {
            let key = self.key(subject).await?;
            if remembered.holds(key, self.clock.unix_millis()) {
                return Ok(Arc::clone(&remembered.answer));
            }
        }
        let generation = self.registry.generation();
        let plugin = self.registry.plugin(subject.pattern().auth_type())?;
        let mut renewals = 0;
        self.renew_stale(subject, &plugin, &mut renewals).await?;
        loop {
            let facts = self.facts(subject, Arc::clone(&plugin), &BTreeMap::new()).await?;
            let hint = match self.base(subject, &facts.values) {
                // An attribute that only a renewal brings.
                Err(TargetError::Missing { field })
                    if renewals == 0
                        && renews(&plugin)
                        && subject.pattern().attributes().contains(&field) =>
                {
                    Vec::new()
                }
                Err(error) => return Err(error.into()),
                Ok(base) => {
                    let headers = fields::proxy_headers(
                        subject.provider(),
                        subject.pattern(),
                        &facts.values,
                    )?;
                    let place = Place { base, headers };
                    match self.ask(subject, &facts, &place, outgoing, cursor).await? {
                        Asked::Ready(ready, seen, blind) => {
                            // A cursor comes from a reply, and so from a request.
                            let blind = blind && cursor.is_empty();
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
            renewals += 1;
            self.renew(subject, facts.state_version(), hint).await?;
        }
    }

    /// State past its end is renewed before anything else, or refused where there is no way to;
    /// state that will soon be is renewed in the background, and used meanwhile.
    async fn renew_stale(
        self: &Arc<Self>,
        subject: &Arc<Subject>,
        plugin: &Plugin,
        renewals: &mut usize,
    ) -> Result<(), Error> {
        let Some(state) = self.store.state(subject.state_key()).await? else { return Ok(()) };
        let now = self.clock.unix_millis();
        if state.is_expired(now) {
            if !renews(plugin) {
                return Err(Error::Expired);
            }
            *renewals += 1;
            self.renew(subject, state.version, Vec::new()).await?;
        } else if state.renew_at.is_some_and(|time| time <= now)
            && renews(plugin)
            && self.ahead.pass(subject.state_key(), now, self.settings.forced_renewal_gap)
        {
            let (inner, subject) = (Arc::clone(self), Arc::clone(subject));
            let version = state.version;
            tokio::spawn(async move {
                if let Err(error) = inner.renew(&subject, version, Vec::new()).await {
                    tracing::warn!(code = error.code(), "a renewal ahead of expiry failed");
                }
            });
        }
        Ok(())
    }

    /// Asks until the answer is ready, or is a wish for new state.
    async fn ask(
        &self,
        subject: &Subject,
        facts: &Facts,
        place: &Place,
        outgoing: &mut Outgoing,
        cursor: &[u8],
    ) -> Result<Asked, Error> {
        let owner =
            MemoOwner { digest: facts.plugin.guest.digest, state_version: facts.state_version() };
        // What it wished last time it will most likely wish again; but an answer may be remembered
        // only where it was given without sight, so without a wish it is asked blind first.
        let digest = facts.plugin.guest.digest;
        let mut wished = subject.wished(digest);
        // That may not be what this request needs; then the plugin is asked from the beginning.
        let mut guessed = wished.is_some();
        let (mut rounds, mut races) = (0, 0);
        loop {
            let view = match &wished {
                None => None,
                Some(names) => {
                    let wish = Wish::parse(names, &facts.granted)
                        .map_err(|cause| facts.view_refused(&cause))?;
                    if wish.wants_body() {
                        outgoing.spool(self.settings.spool_bytes).await?;
                    }
                    let (headers, url) =
                        outgoing.dressed(&place.base, &facts.granted, &place.headers)?;
                    let Outgoing { method, body, .. } = &*outgoing;
                    Some(wish.view(method, url.as_str(), &headers, body, &facts.granted))
                }
            };
            let blind = view.is_none();
            let _turn = subject.memo_turn().await;
            let memo = subject.memo(owner);
            let outcome = self
                .sandbox
                .authorize(
                    &facts.plugin,
                    facts.shown(&memo.bytes),
                    view,
                    cursor.to_vec(),
                    self.moment(),
                    &facts.masker,
                )
                .await?
                .map_err(|raw| facts.refused(raw))?;
            match outcome {
                Outcome::Renew(_) if !renews(&facts.plugin) => {
                    return Err(facts.broke("it asks for a renewal that it does not have"));
                }
                Outcome::Renew(hint) if hint.len() > LONGEST_CURSOR => {
                    return Err(facts.broke("its hint is over 64 KiB"));
                }
                Outcome::Renew(hint) => return Ok(Asked::Renew(hint)),
                Outcome::Show(names) => {
                    let superset = wished
                        .as_ref()
                        .is_none_or(|last| last.iter().all(|name| names.contains(name)));
                    let grows = wished.as_ref().is_none_or(|last| last.len() < names.len());
                    if guessed && !(superset && grows) {
                        guessed = false;
                        wished = None;
                        continue;
                    }
                    rounds += 1;
                    if !superset || !grows || rounds > MOST_ROUNDS {
                        return Err(facts.broke("it asks to be shown more without end"));
                    }
                    // Kept only once it is known to be a wish that may be granted.
                    Wish::parse(&names, &facts.granted)
                        .map_err(|cause| facts.view_refused(&cause))?;
                    subject.wish(digest, &names);
                    wished = Some(names);
                }
                Outcome::Ready(mut ready) => {
                    let Some(bytes) = ready.memo.take() else {
                        return Ok(Asked::Ready(ready, memo, blind));
                    };
                    if bytes.len() > LONGEST_MEMO {
                        return Err(facts.broke("its memo is over 4 KiB"));
                    }
                    // An answer made from a memo that has moved (a nonce count used twice) must
                    // not be sent.
                    if subject.set_memo(owner, &memo, bytes) {
                        return Ok(Asked::Ready(ready, memo, false));
                    }
                    races += 1;
                    if races > MOST_MEMO_RACES {
                        return Err(Error::Host("the plugin's memo is changed too often"));
                    }
                }
            }
        }
    }

    fn finish(
        &self,
        subject: &Subject,
        facts: &Facts,
        place: Place,
        ready: Ready,
        when: &When,
    ) -> Result<Arc<Answer>, Error> {
        if ready.watches.len() > MOST_WATCHES {
            return Err(facts.broke("it watches for too many kinds of reply"));
        }
        let names = ready.watches.iter().map(|watch| &watch.headers);
        if names.clone().any(|names| names.len() > MOST_WATCHED_HEADERS)
            || names.flatten().any(|name| name.len() > LONGEST_NAME)
        {
            return Err(facts.broke("it watches for too many headers"));
        }
        if ready.cursor.len() > LONGEST_CURSOR {
            return Err(facts.broke("its cursor is over 64 KiB"));
        }
        if ready.watches.iter().any(|watch| watch.body > MOST_HELD) {
            return Err(facts.broke("it wants more than 64 KiB of a reply held back"));
        }
        if ready.watches.iter().any(|watch| watch.body > 0) && !facts.granted.reads_reply_body() {
            return Err(facts.broke("it watches for a reply's body, which is outside its needs"));
        }
        let rules =
            EditRules { origins: subject.listed_origins().to_vec(), ..EditRules::default() };
        let edits = CheckedEdits::check(ready.edits, &facts.granted, &rules)
            .map_err(|cause| facts.edit_refused(&cause))?;
        let answer = Arc::new(Answer {
            plugin: Arc::clone(&facts.plugin),
            granted: Arc::clone(&facts.granted),
            masker: facts.masker.clone(),
            rules,
            base: place.base,
            headers: place.headers,
            edits,
            watches: ready.watches,
            cursor: ready.cursor,
            state_version: facts.state_version(),
        });
        if when.blind {
            let key = Key {
                host: self.id,
                generation: when.generation,
                state_version: facts.state_version(),
                shared_version: facts.shared_version,
                memo_revision: when.seen.revision(),
            };
            let (now, state) = (self.clock.unix_millis(), facts.state.as_deref());
            let remembered = Remembered::new(key, Arc::clone(&answer), ready.remember, now, state);
            subject.remembered.store(remembered.map(Arc::new));
        }
        Ok(answer)
    }

    async fn key(&self, subject: &Subject) -> Result<Key, Error> {
        let state = self.store.state(subject.state_key()).await?;
        let shared = self.store.state(&subject.shared_key()).await?;
        Ok(Key {
            host: self.id,
            generation: self.registry.generation(),
            state_version: crate::facts::version(state.as_deref()),
            shared_version: crate::facts::version(shared.as_deref()),
            memo_revision: subject.memo_revision(),
        })
    }
}

impl Answer {
    /// Applies the answer, all of it or nothing, and checks where the request would go.
    pub(crate) fn apply(&self, outgoing: Outgoing) -> Result<Request<RequestBody>, Error> {
        let Answer { base, granted, rules, .. } = self;
        let (mut headers, mut url) = outgoing.dressed(base, granted, &self.headers)?;
        let mut replaced = None;
        let request = edit::Outgoing { headers: &mut headers, url: &mut url, body: &mut replaced };
        self.edits.apply(granted, rules, request, |url| base.admits(url)).map_err(|cause| {
            Error::Edit {
                plugin: self.plugin.guest.name.clone(),
                message: self.masker.mask(&cause.to_string()).into_owned(),
            }
        })?;
        let body = replaced.map_or(outgoing.body, RequestBody::whole);
        let mut request = Request::new(body);
        *request.method_mut() = outgoing.method;
        *request.uri_mut() = url.as_str().parse().map_err(|_| TargetError::NotCanonical)?;
        *request.headers_mut() = headers;
        request.extensions_mut().insert(self.masker.clone());
        Ok(request)
    }
}

/// Where the request goes, and the provider's headers on it.
struct Place {
    base: RenderedBase,
    headers: HeaderMap,
}

/// Under what circumstances an answer was given.
struct When {
    generation: u64,
    seen: SeenMemo,
    blind: bool,
}

/// What a plugin came to: ready, with the memo it saw and whether it saw no request.
enum Asked {
    Ready(Ready, SeenMemo, bool),
    Renew(Vec<u8>),
}

pub(crate) fn renews(plugin: &Plugin) -> bool {
    plugin.flows.contains(&Flow::Renew)
}

#[cfg(test)]
mod tests;

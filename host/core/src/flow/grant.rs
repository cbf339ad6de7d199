//! Flows that wait for a user: pauses, what the user is shown, and how the flow is found again.
//!
//! The host chooses the state token: 256 random bits, used once. Whoever serves the callback must
//! also tie it to the browser that began (a cookie), which a library cannot do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;
use tracing::Instrument as _;
use url::Url;
use zeroize::Zeroizing;

use super::{FlowError, Purpose, Run, Stage, Waiting};
use crate::account::State;
use crate::client::Countersign;
use crate::contract::flow::{Event, Pause};
use crate::error::Error;
use crate::sandbox::Flow;
use crate::secret::{Masker, Secret};
use crate::subject::Subject;

/// Seconds that a plugin may wait for (the contract's own numbers).
const PAUSE: std::ops::RangeInclusive<u32> = 1..=600;
/// Parameters of a callback, and bytes of each.
const MOST_PARAMETERS: usize = 32;
const LONGEST_PARAMETER: usize = 8 << 10;
/// Longest URL of a page, in bytes: what every browser opens.
const LONGEST_URL: usize = 8 << 10;

/// What a grant is asked with.
#[derive(Clone, Debug, Default)]
pub struct GrantRequest {
    /// Where the provider sends the browser back to.
    pub redirect_uri: String,
    /// Values under `grant/`, a login hint for example. Not secret.
    pub wishes: BTreeMap<String, String>,
}

/// Where a flow has come to.
pub enum Progress {
    /// It is done, and its state is stored.
    Done(Arc<State>),
    /// It waits.
    Paused(Box<Paused>),
}

/// A flow that waits for a user, for a time, or for whichever comes first.
pub struct Paused {
    /// What to show the user; none leaves the last one standing.
    pub prompt: Option<Prompt>,
    /// The callback parameter by which to find this flow again, and its value.
    pub callback: Option<(String, Secret)>,
    /// When to go on without the user.
    pub after: Option<Duration>,
    waiting: Box<Waiting>,
}

/// What to show a user.
#[derive(Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Where to send the browser.
    pub url: Url,
    /// For the user to type there.
    pub code: Option<String>,
}

/// What ends a pause.
#[derive(Clone, Debug)]
pub enum Callback {
    /// The browser came back with these parameters.
    Parameters(Vec<(String, String)>),
    /// The time is over.
    Elapsed,
}

impl Countersign {
    /// Begins a grant: a user is here to consent.
    pub async fn begin_grant(
        &self,
        subject: &Arc<Subject>,
        request: GrantRequest,
    ) -> Result<Progress, Error> {
        let mut token = [0; 32];
        self.inner
            .random
            .fill(&mut token)
            .map_err(|_| Error::Host("the operating system gave no random bytes"))?;
        let purpose = Purpose::Grant {
            redirect_uri: request.redirect_uri,
            state_token: URL_SAFE_NO_PAD.encode(token),
        };
        self.run_flow(subject, purpose, request.wishes).await
    }

    /// Learns what the whole connection shares: discovery, client registration.
    pub async fn set_up(&self, subject: &Arc<Subject>) -> Result<Progress, Error> {
        self.run_flow(subject, Purpose::Setup, BTreeMap::new()).await
    }

    /// Gives the account's tokens back. Its state is then what the plugin left: mostly nothing.
    pub async fn revoke(&self, subject: &Arc<Subject>) -> Result<Progress, Error> {
        self.run_flow(subject, Purpose::Revoke, BTreeMap::new()).await
    }

    /// Renews the account's state whether or not it is stale.
    pub async fn renew(&self, subject: &Arc<Subject>) -> Result<Arc<State>, Error> {
        let state = self.inner.store.state(subject.state_key()).await?;
        let seen = crate::facts::version(state.as_deref());
        let renewed = self.inner.renew_now(subject, seen, Zeroizing::default()).await?;
        Ok(renewed.state)
    }

    /// Goes on with a flow that waits. A pause can be ended once: it is taken.
    pub async fn resume(
        &self,
        subject: &Arc<Subject>,
        paused: Paused,
        callback: Callback,
    ) -> Result<Progress, Error> {
        let event = match callback {
            Callback::Elapsed if paused.after.is_some() => Event::Elapsed,
            Callback::Elapsed => return Err(FlowError::Callback.into()),
            Callback::Parameters(parameters) => {
                check_callback(&paused, &parameters)?;
                Event::Callback(parameters)
            }
        };
        let (inner, subject) = (Arc::clone(&self.inner), Arc::clone(subject));
        let resuming = async move {
            let claim = inner.store.claim(&paused.waiting.flow.key(&subject)).await?;
            inner.resume(&subject, paused.waiting, event, &claim).await
        };
        let task = self.inner.tasks.spawn(resuming.in_current_span());
        progress(task.await.map_err(|_| Error::Host("a flow was lost"))??)
    }

    /// On a task of its own, so that a caller who goes away does not end it.
    async fn run_flow(
        &self,
        subject: &Arc<Subject>,
        purpose: Purpose,
        wishes: BTreeMap<String, String>,
    ) -> Result<Progress, Error> {
        let (inner, subject) = (Arc::clone(&self.inner), Arc::clone(subject));
        let beginning = async move {
            let claim = inner.store.claim(&purpose.flow().key(&subject)).await?;
            let plugin = inner.registry.plugin(subject.pattern().auth_type())?;
            inner.begin(&subject, plugin, &purpose, wishes, &claim).await
        };
        let task = self.inner.tasks.spawn(beginning.in_current_span());
        progress(task.await.map_err(|_| Error::Host("a flow was lost"))??)
    }
}

fn progress(stage: Stage) -> Result<Progress, Error> {
    let (pause, waiting) = match stage {
        Stage::Done(kept) => return Ok(Progress::Done(kept)),
        Stage::Paused(pause, waiting) => (pause, waiting),
    };
    let prompt = match pause.prompt {
        None => None,
        Some(prompt) => Some(Prompt {
            url: Url::parse(&prompt.url).map_err(|_| FlowError::PromptUrl)?,
            code: prompt.code,
        }),
    };
    Ok(Progress::Paused(Box::new(Paused {
        prompt,
        callback: pause.callback.map(|(name, value)| (name, Secret::new(value))),
        after: pause.seconds.map(|seconds| Duration::from_secs(seconds.into())),
        waiting,
    })))
}

/// Whether the host hands this pause out.
pub(super) fn check_pause(pause: &Pause, run: &Run<'_>) -> Result<(), FlowError> {
    if pause.seconds.is_some_and(|seconds| !PAUSE.contains(&seconds))
        || (pause.seconds.is_none() && pause.callback.is_none())
    {
        return Err(FlowError::Pause);
    }
    if run.flow != Flow::Grant && (pause.prompt.is_some() || pause.callback.is_some()) {
        return Err(FlowError::PromptOutsideGrant);
    }
    // Where the flow is found again by `state`, that must be the token of the host's own choosing,
    // in a pause that shows nothing new as well.
    let token = run.state_token.as_deref().unwrap_or_default();
    let by_state = pause.callback.as_ref().filter(|(name, _)| name == "state");
    if by_state.is_some_and(|(_, value)| value != token) {
        return Err(FlowError::PromptState);
    }
    let Some(prompt) = &pause.prompt else { return Ok(()) };
    let url = Url::parse(&prompt.url).map_err(|_| FlowError::PromptUrl)?;
    let facts = &run.facts;
    let secure = url.scheme() == "https" || (run.inner.rules().http && url.scheme() == "http");
    let plain = url.username().is_empty() && url.password().is_none();
    let mut visits = facts.granted.visit_urls(&facts.values).into_iter();
    let named = visits.any(|(_, text)| {
        Url::parse(text).is_ok_and(|named| {
            named.scheme() == url.scheme()
                && named.host() == url.host()
                && named.port_or_known_default() == url.port_or_known_default()
        })
    });
    if !secure || !plain || !named || prompt.url.len() > LONGEST_URL {
        return Err(FlowError::PromptUrl);
    }
    let code = prompt.code.as_deref().unwrap_or_default();
    let hidden = Masker::new(facts.hidden());
    if hidden.finds(&prompt.url)
        || hidden.finds(code)
        || url.query_pairs().any(|(name, value)| hidden.finds(&name) || hidden.finds(&value))
    {
        return Err(FlowError::PromptSecret);
    }
    let carried = url.query_pairs().any(|(name, value)| name == "state" && value == token);
    if by_state.is_some() && !carried {
        return Err(FlowError::PromptState);
    }
    Ok(())
}

/// Whether this is the callback that the flow waits for: no parameter twice, the right one equal.
fn check_callback(paused: &Paused, parameters: &[(String, String)]) -> Result<(), FlowError> {
    let bounded = parameters.len() <= MOST_PARAMETERS
        && parameters.iter().all(|(name, value)| name.len() + value.len() <= LONGEST_PARAMETER);
    let single = parameters
        .iter()
        .enumerate()
        .all(|(nth, (name, _))| parameters[..nth].iter().all(|(earlier, _)| earlier != name));
    let expected = paused.callback.as_ref().is_some_and(|(name, value)| {
        parameters.iter().any(|(found, given)| {
            found == name && bool::from(given.as_bytes().ct_eq(value.expose().as_bytes()))
        })
    });
    if bounded && single && expected { Ok(()) } else { Err(FlowError::Callback) }
}

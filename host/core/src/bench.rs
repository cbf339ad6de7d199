//! What `cargo xtask bench` measures; with the feature `bench` alone, and no part of the public
//! interface.
//!
//! Each function does one thing that production does, and nothing beside it, so that a bench need
//! only repeat it. They give an error where the call did not end in edits: what fails is not
//! measured.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;

use crate::authorize::{Again, Outgoing};
use crate::contract::authorizer::Outcome;
use crate::contract::types::Refusal;
use crate::remember::Answer;
use crate::sandbox::bench::{Asked, Reused};
use crate::sandbox::{Moment, Sandbox};
use crate::secret::Masker;
use crate::{Countersign, Subject};

/// What components are called that a bench loads by itself.
pub const NAME: &str = "bench";

/// What was to be measured did not happen.
#[derive(Debug, thiserror::Error)]
#[error("what was to be measured fails: {0}")]
pub struct Failed(String);

impl Failed {
    fn because(cause: &impl ToString) -> Self {
        Self(cause.to_string())
    }
}

/// One plugin asked for one account, over and over.
pub struct Call {
    sandbox: Arc<Sandbox>,
    asked: Asked,
    moment: Moment,
    masker: Masker,
}

/// A [`Call`] to an instance that is kept.
pub struct KeptCall<'a>(Reused<'a>);

impl Call {
    /// What the host would ask for this subject.
    pub async fn of(host: &Countersign, subject: &Subject) -> Result<Self, Failed> {
        let inner = &host.inner;
        let plugin = inner
            .registry
            .plugin(subject.pattern().auth_type())
            .map_err(|it| Failed::because(&it))?;
        let facts = inner
            .request_facts(subject, &plugin, inner.registry.generation())
            .await
            .map_err(|it| Failed::because(&it))?;
        let values = facts.granted.reads(&facts.values);
        let values = values.map(|(name, value)| (name.to_owned(), value.expose().to_owned()));
        Ok(Self {
            sandbox: Arc::clone(&inner.sandbox),
            asked: Asked::new(Arc::clone(&facts.plugin), values.collect()),
            moment: inner.moment(),
            masker: facts.masker.clone(),
        })
    }

    /// The same call to another component, loaded into `sandbox`.
    pub fn of_component(&self, sandbox: &Arc<Sandbox>, bytes: &[u8]) -> Result<Self, Failed> {
        self.of_values(sandbox, bytes, self.asked.values.clone())
    }

    /// A call to another component, loaded into `sandbox` under the name [`NAME`], with these values.
    pub fn of_values(
        &self,
        sandbox: &Arc<Sandbox>,
        bytes: &[u8],
        values: Vec<(String, String)>,
    ) -> Result<Self, Failed> {
        let plugin = sandbox.load_plugin(bytes, self.moment.clone());
        let plugin = plugin.ok_or_else(|| Failed::because(&"the component is not a plugin"))?;
        Ok(Self {
            sandbox: Arc::clone(sandbox),
            asked: Asked::new(plugin, values),
            moment: self.moment.clone(),
            masker: self.masker.clone(),
        })
    }

    /// What the plugin is shown.
    pub fn values(&self) -> &[(String, String)] {
        &self.asked.values
    }

    /// A store, its limits and its budget.
    pub fn store(&self) {
        self.sandbox.empty_store(self.moment.clone());
    }

    /// The same, and an instance.
    pub fn instance(&self) -> Result<(), Failed> {
        self.sandbox
            .instantiate_here(&self.asked.plugin, self.moment.clone())
            .map_err(|it| Failed::because(&it))
    }

    /// The same, and the call: what production does, on this thread. Gives the number of edits.
    pub fn fresh(&self) -> Result<usize, Failed> {
        edits(
            self.sandbox
                .authorize_here(&self.asked, self.moment.clone())
                .map_err(|it| Failed::because(&it))?,
        )
    }

    /// What production does, on a thread of the pool.
    pub async fn pooled(&self) -> Result<usize, Failed> {
        let moment = self.moment.clone();
        let answer = self.sandbox.authorize_pooled(&self.asked, moment, &self.masker).await;
        edits(answer.map_err(|it| Failed::because(&it))?)
    }

    /// An instance that is kept, which production never does.
    pub fn keep(&self) -> Result<KeptCall<'_>, Failed> {
        let kept = self.sandbox.reuse(&self.asked, self.moment.clone());
        kept.map(KeptCall).map_err(|it| Failed::because(&it))
    }
}

impl KeptCall<'_> {
    /// The call alone.
    pub fn again(&mut self) -> Result<usize, Failed> {
        edits(self.0.authorize().map_err(|it| Failed::because(&it))?)
    }
}

fn edits(answer: Result<Outcome, Refusal>) -> Result<usize, Failed> {
    match answer {
        Ok(Outcome::Ready(ready)) if !ready.edits.is_empty() => Ok(ready.edits.len()),
        Ok(_) => Err(Failed::because(&"the plugin is not ready")),
        Err(refusal) => Err(Failed(refusal.message)),
    }
}

/// A request whose answer is remembered.
pub struct Remembered {
    host: Countersign,
    subject: Arc<Subject>,
    outgoing: Outgoing,
    answer: Arc<Answer>,
}

impl Remembered {
    /// Asks once, and fails where the answer is not remembered.
    pub async fn new(
        host: &Countersign,
        subject: &Arc<Subject>,
        request: Request<Empty<Bytes>>,
    ) -> Result<Self, Failed> {
        let mut outgoing = Outgoing::new(request);
        let first = host
            .inner
            .authorize(subject, &mut outgoing, &Again::default())
            .await
            .map_err(|it| Failed::because(&it))?;
        let answer = host
            .inner
            .authorize(subject, &mut outgoing, &Again::default())
            .await
            .map_err(|it| Failed::because(&it))?;
        if !Arc::ptr_eq(&first, &answer) {
            return Err(Failed::because(&"the answer is not remembered"));
        }
        Ok(Self { host: host.clone(), subject: Arc::clone(subject), outgoing, answer })
    }

    /// Finds the answer.
    pub async fn lookup(&mut self) -> Result<(), Failed> {
        let inner = &self.host.inner;
        let answer = inner.authorize(&self.subject, &mut self.outgoing, &Again::default()).await;
        if Arc::ptr_eq(&answer.map_err(|it| Failed::because(&it))?, &self.answer) {
            return Ok(());
        }
        Err(Failed::because(&"the answer was forgotten"))
    }

    /// Puts it on the request.
    pub fn apply(&self) -> Result<(), Failed> {
        let outgoing = self.outgoing.again().ok_or_else(|| Failed::because(&"the body streams"))?;
        self.answer.apply(outgoing).map(drop).map_err(|it| Failed::because(&it))
    }
}

/// Forgets what is remembered for the subject.
pub fn forget(subject: &Subject) {
    subject.remembered.store(None);
}

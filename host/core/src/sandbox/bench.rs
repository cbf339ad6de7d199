//! Guest calls as the bench wants them: on the calling thread, and with an instance that is kept.
//!
//! Compiled in with the feature `bench` alone, so that no other build can use an instance twice.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::Store;
use zeroize::Zeroizing;

use super::call::{Authorize, unfit};
use super::host::Call;
use super::{CallError, Loaded, Moment, Plugin, Sandbox, Shown};
use crate::bench::NAME;
use crate::contract::authorizer::Outcome;
use crate::contract::types::Refusal;
use crate::secret::Masker;

/// Longer than any bench.
const NO_BUDGET: Duration = Duration::from_secs(1 << 20);

type Answer = Result<Outcome, Refusal>;

/// One plugin, and what it is asked.
pub(crate) struct Asked {
    pub(crate) plugin: Arc<Plugin>,
    pub(crate) values: Vec<(String, String)>,
    shown: Shown,
}

/// Calls before an instance is replaced: its guest frees nothing, as it was made for one call, and
/// this is a third of what its memory lasts for. The new instance costs each call a thousandth.
const CALLS_OF_ONE: u32 = 1000;

/// An instance that answers call after call.
pub(crate) struct Reused<'a> {
    sandbox: &'a Sandbox,
    moment: Moment,
    store: Store<Call>,
    authorize: Authorize<'a>,
    asked: &'a Asked,
    left: u32,
}

impl Asked {
    pub(crate) fn new(plugin: Arc<Plugin>, values: Vec<(String, String)>) -> Self {
        let shown = shown(&values);
        Self { plugin, values, shown }
    }
}

fn shown(values: &[(String, String)]) -> Shown {
    Shown::new(values.iter().map(|(name, text)| (name.as_str(), text.as_str())), &[])
}

impl Sandbox {
    /// An auth plugin, loaded as a registry does.
    pub(crate) fn load_plugin(&self, bytes: &[u8], moment: Moment) -> Option<Arc<Plugin>> {
        match self.load(NAME, bytes, moment).ok()? {
            Loaded::Plugin(plugin) => Some(plugin),
            Loaded::Mutation(_) => None,
        }
    }

    /// A call as production makes it, but for the pool's threads.
    pub(crate) fn authorize_here(
        &self,
        asked: &Asked,
        moment: Moment,
    ) -> Result<Answer, CallError> {
        self.run_here(&asked.plugin.guest, moment, |store| {
            let instance = asked.plugin.authorizer.instance_pre().instantiate(&mut *store);
            let instance = instance.map_err(unfit)?;
            let authorize = asked.plugin.functions.authorize(instance, store)?;
            let (answer,) = authorize.call(store, (asked.shown.account(), None, &[]))?;
            Ok(answer)
        })
    }

    /// A call as production makes it.
    pub(crate) async fn authorize_pooled(
        &self,
        asked: &Asked,
        moment: Moment,
        masker: &Masker,
    ) -> Result<Answer, CallError> {
        let shown = shown(&asked.values);
        let cursor = Zeroizing::default();
        self.authorize(&asked.plugin, shown, || None, cursor, moment, masker).await
    }

    /// What every call pays before its guest is there.
    pub(crate) fn empty_store(&self, moment: Moment) {
        drop(self.plain.store(self.plain.limits.request_budget, moment));
    }

    /// What every call pays before its guest runs.
    pub(crate) fn instantiate_here(
        &self,
        plugin: &Plugin,
        moment: Moment,
    ) -> Result<(), CallError> {
        self.run_here(&plugin.guest, moment, |store| {
            plugin.authorizer.instance_pre().instantiate(store).map_err(unfit).map(drop)
        })
    }

    pub(crate) fn reuse<'a>(
        &'a self,
        asked: &'a Asked,
        moment: Moment,
    ) -> wasmtime::Result<Reused<'a>> {
        let plugin = &asked.plugin;
        let mut store = plugin.guest.hall.store(NO_BUDGET, moment.clone());
        let instance = plugin.authorizer.instance_pre().instantiate(&mut store)?;
        let authorize = plugin.functions.authorize(instance, &mut store)?;
        Ok(Reused { sandbox: self, moment, store, authorize, asked, left: CALLS_OF_ONE })
    }
}

impl Reused<'_> {
    pub(crate) fn authorize(&mut self) -> wasmtime::Result<Answer> {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => *self = self.sandbox.reuse(self.asked, self.moment.clone())?,
        }
        let account = self.asked.shown.account();
        let (answer,) = self.authorize.call(&mut self.store, (account, None, &[]))?;
        Ok(answer)
    }
}

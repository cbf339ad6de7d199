//! The guest's functions, each as one call in a fresh instance.

use std::sync::Arc;

use wasmtime::{Store, Trap};

use super::guest::{Guest, Mutation, Plugin};
use super::host::{Call, TooMuchRandom};
use super::{CallError, Fault, Moment, Sandbox, Shown};
use crate::contract::authorizer::{Outcome, Reaction, RequestView};
use crate::contract::flow::{Event, Purpose, Step};
use crate::contract::types::{HttpResponse, Refusal};
use crate::contract::{AuthPlugin, AuthPluginPre, FlowHalf, MutationPlugin, MutationPluginPre};
use crate::secret::Masker;

/// What `describe` of an auth plugin answered; not yet checked.
pub(super) struct Described {
    pub(super) auth_types: Vec<String>,
    pub(super) flows: Vec<String>,
    pub(super) needs: Vec<(String, String)>,
    pub(super) about: String,
}

/// `Err` where a function has other types than the contract's.
type Typed<T> = Result<T, wasmtime::Error>;
type Answered<T> = Result<Result<T, Refusal>, CallError>;

impl Sandbox {
    pub(super) fn describe_plugin(
        &self,
        guest: &Guest,
        pre: &AuthPluginPre<Call>,
        has_flow: bool,
        moment: Moment,
    ) -> Result<Typed<Described>, CallError> {
        self.run_here(guest, moment, |store| {
            let instance = pre.instance_pre().instantiate(&mut *store).map_err(unfit)?;
            let flow = if has_flow { FlowHalf::new(&mut *store, &instance).err() } else { None };
            let plugin = match (AuthPlugin::new(&mut *store, &instance), flow) {
                (Ok(plugin), None) => plugin,
                (Err(cause), _) | (_, Some(cause)) => return Ok(Err(cause)),
            };
            let raw = plugin.countersign_auth_authorizer().call_describe(store)?;
            Ok(Ok(Described {
                auth_types: raw.auth_types,
                flows: raw.flows,
                needs: raw.needs,
                about: raw.about,
            }))
        })
    }

    pub(super) fn describe_mutation(
        &self,
        guest: &Guest,
        pre: &MutationPluginPre<Call>,
        moment: Moment,
    ) -> Result<Typed<String>, CallError> {
        self.run_here(guest, moment, |store| {
            let instance = pre.instance_pre().instantiate(&mut *store).map_err(unfit)?;
            match MutationPlugin::new(&mut *store, &instance) {
                Ok(mutation) => mutation.countersign_auth_mutator().call_describe(store).map(Ok),
                Err(cause) => Ok(Err(cause)),
            }
        })
    }

    /// Judges the values that are there.
    pub(crate) async fn validate(
        &self,
        plugin: &Arc<Plugin>,
        shown: Shown,
        moment: Moment,
        masker: &Masker,
    ) -> Result<Vec<Refusal>, CallError> {
        self.request_call(plugin, moment, masker, move |plugin, store| {
            plugin.countersign_auth_authorizer().call_validate(store, shown.account())
        })
        .await
    }

    /// Asks for the edits of one request; `request` is what the plugin may see of it.
    pub(crate) async fn authorize(
        &self,
        plugin: &Arc<Plugin>,
        shown: Shown,
        request: Option<RequestView>,
        cursor: Vec<u8>,
        moment: Moment,
        masker: &Masker,
    ) -> Answered<Outcome> {
        self.request_call(plugin, moment, masker, move |plugin, store| {
            plugin.countersign_auth_authorizer().call_authorize(
                store,
                shown.account(),
                request.as_ref(),
                &cursor,
            )
        })
        .await
    }

    /// Shows a watched reply.
    pub(crate) async fn replied(
        &self,
        plugin: &Arc<Plugin>,
        shown: Shown,
        reply: HttpResponse,
        cursor: Vec<u8>,
        moment: Moment,
        masker: &Masker,
    ) -> Answered<Reaction> {
        self.request_call(plugin, moment, masker, move |plugin, store| {
            plugin.countersign_auth_authorizer().call_replied(
                store,
                shown.account(),
                &reply,
                &cursor,
            )
        })
        .await
    }

    /// Begins a flow. The plugin must have it: its descriptor says so.
    pub(crate) async fn begin(
        &self,
        plugin: &Arc<Plugin>,
        shown: Shown,
        purpose: Purpose,
        moment: Moment,
        masker: &Masker,
    ) -> Answered<Step> {
        self.flow_call(plugin, moment, masker, move |flow, store| {
            flow.countersign_auth_flow().call_begin(store, shown.account(), &purpose)
        })
        .await
    }

    /// Hands a flow the answer to its last step.
    pub(crate) async fn resume(
        &self,
        plugin: &Arc<Plugin>,
        shown: Shown,
        event: Event,
        cursor: Vec<u8>,
        moment: Moment,
        masker: &Masker,
    ) -> Answered<Step> {
        self.flow_call(plugin, moment, masker, move |flow, store| {
            flow.countersign_auth_flow().call_resume(store, shown.account(), &event, &cursor)
        })
        .await
    }

    /// Runs a custom mutation over named values.
    pub(crate) async fn mutate(
        &self,
        mutation: &Arc<Mutation>,
        values: Shown,
        options: Vec<(String, String)>,
        moment: Moment,
        masker: &Masker,
    ) -> Answered<Vec<(String, String)>> {
        let budget = self.limits.request_budget;
        let pre = Arc::clone(mutation);
        let answer = self
            .run(&mutation.guest, budget, moment, move |store| {
                let mutation = pre.mutator.instantiate(&mut *store).map_err(unfit)?;
                mutation.countersign_auth_mutator().call_mutate(
                    store,
                    &values.account().values,
                    &options,
                )
            })
            .await?;
        mutation.guest.report(&answer.log, masker);
        Ok(answer.value)
    }

    async fn request_call<T: Send + 'static>(
        &self,
        plugin: &Arc<Plugin>,
        moment: Moment,
        masker: &Masker,
        call: impl FnOnce(&AuthPlugin, &mut Store<Call>) -> wasmtime::Result<T> + Send + 'static,
    ) -> Result<T, CallError> {
        let pre = Arc::clone(plugin);
        let answer = self
            .run(&plugin.guest, self.limits.request_budget, moment, move |store| {
                let plugin = pre.authorizer.instantiate(&mut *store).map_err(unfit)?;
                call(&plugin, store)
            })
            .await?;
        plugin.guest.report(&answer.log, masker);
        Ok(answer.value)
    }

    async fn flow_call<T: Send + 'static>(
        &self,
        plugin: &Arc<Plugin>,
        moment: Moment,
        masker: &Masker,
        call: impl FnOnce(&FlowHalf, &mut Store<Call>) -> wasmtime::Result<T> + Send + 'static,
    ) -> Result<T, CallError> {
        if plugin.flow.is_none() {
            return Err(CallError::Host("a flow was asked of a plugin that has none"));
        }
        let pre = Arc::clone(plugin);
        let answer = self
            .run(&plugin.guest, self.limits.flow_budget, moment, move |store| {
                let pre = pre.flow.as_ref().ok_or_else(|| wasmtime::Error::msg("no flow"))?;
                let flow = pre.instantiate(&mut *store).map_err(unfit)?;
                call(&flow, store)
            })
            .await?;
        plugin.guest.report(&answer.log, masker);
        Ok(answer.value)
    }
}

/// The guest could not even be instantiated: it asks for more than the pool's slots have.
#[derive(Debug, thiserror::Error)]
#[error("the instance does not fit")]
struct Unfit;

pub(super) fn unfit(error: wasmtime::Error) -> wasmtime::Error {
    error.context(Unfit)
}

/// Which fault an error is. Only fixed words come out: an error's own text may quote the guest.
pub(super) fn classify(error: &wasmtime::Error) -> Fault {
    if error.downcast_ref::<TooMuchRandom>().is_some() {
        return Fault::Random;
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => return Fault::Time,
        Some(trap) => return Fault::Trap(trap.to_string()),
        None => {}
    }
    if error.downcast_ref::<Unfit>().is_some() {
        return Fault::Size;
    }
    // wasmtime gives this one no type of its own.
    if format!("{error:#}").contains("allocated for hostcalls") {
        return Fault::AnswerSize;
    }
    Fault::Answer
}

//! The guest's functions, each as one call in a fresh instance.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use wasmtime::component::{Component, ComponentExportIndex, Instance, TypedFunc};
use wasmtime::{PoolConcurrencyLimitError, Store, Trap};
use zeroize::Zeroizing;

use super::guest::{Guest, Mutation, Plugin};
use super::host::{Call, TooMuchRandom};
use super::{CallError, Fault, Heard, Intent, Moment, Sandbox, Shown};
use crate::contract::authorizer::{Outcome, Reaction, RequestView};
use crate::contract::flow::Step;
use crate::contract::types::{Account, HttpResponse, Refusal};
use crate::contract::{AuthPlugin, AuthPluginPre, FlowHalf, MutationPlugin, MutationPluginPre};
use crate::random::RandomError;
use crate::secret::Masker;
use crate::witness::{self, Function, Told};

/// What `describe` of an auth plugin answered; not yet checked.
pub(super) struct Described {
    pub(super) auth_types: Vec<String>,
    pub(super) flows: Vec<String>,
    pub(super) needs: Vec<(String, String)>,
    pub(super) about: String,
}

/// `Err` where a function has other types than the contract's.
type Typed<T> = Result<T, wasmtime::Error>;

/// Where the functions of a request are among a plugin's exports.
///
/// The generated bindings would look up and type-check all four of the interface for every
/// instance, a tenth of the cost of a call; their types were checked when the plugin was loaded,
/// and here only that of the function that is called.
pub(super) struct Functions {
    validate: ComponentExportIndex,
    authorize: ComponentExportIndex,
    replied: ComponentExportIndex,
}

/// The types of `authorize`.
pub(super) type Authorize<'a> =
    TypedFunc<(&'a Account, Option<&'a RequestView>, &'a [u8]), (Result<Outcome, Refusal>,)>;

impl Functions {
    /// `None` where one is missing.
    pub(super) fn of(component: &Component) -> Option<Self> {
        // Finds every version that semver holds compatible with this one.
        let interface = component.get_export_index(None, "countersign:auth/authorizer@0.1.0")?;
        let index = |name| component.get_export_index(Some(&interface), name);
        Some(Self {
            validate: index("validate")?,
            authorize: index("authorize")?,
            replied: index("replied")?,
        })
    }

    pub(super) fn authorize<'a>(
        &self,
        instance: Instance,
        store: &mut Store<Call>,
    ) -> wasmtime::Result<Authorize<'a>> {
        instance.get_typed_func(store, self.authorize)
    }
}

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
        self.request_call(plugin, Function::Validate, moment, masker, || {
            let given = self.given(|| json!({"account": witness::account(shown.account())}));
            (given, move |plugin: &Plugin, instance: Instance, store: &mut Store<Call>| {
                let validate = instance.get_typed_func(&mut *store, plugin.functions.validate)?;
                let (refusals,) = validate.call(store, (shown.account(),))?;
                Ok(refusals)
            })
        })
        .await
    }

    /// Asks for the edits of one request; `view` makes what the plugin may see of it.
    pub(crate) async fn authorize(
        &self,
        plugin: &Arc<Plugin>,
        shown: Shown,
        view: impl FnOnce() -> Option<RequestView>,
        cursor: Zeroizing<Vec<u8>>,
        moment: Moment,
        masker: &Masker,
    ) -> Answered<Outcome> {
        self.request_call(plugin, Function::Authorize, moment, masker, || {
            let request = view();
            let given = self.given(|| {
                let request = request.as_ref().map(witness::request);
                let account = witness::account(shown.account());
                json!({"account": account, "request": request, "cursor": witness::bytes(&cursor)})
            });
            (given, move |plugin: &Plugin, instance: Instance, store: &mut Store<Call>| {
                let authorize = plugin.functions.authorize(instance, store)?;
                let (answer,) =
                    authorize.call(store, (shown.account(), request.as_ref(), &cursor))?;
                Ok(answer)
            })
        })
        .await
    }

    /// Shows a watched reply.
    pub(crate) async fn replied(
        &self,
        plugin: &Arc<Plugin>,
        shown: Shown,
        reply: HttpResponse,
        cursor: Zeroizing<Vec<u8>>,
        moment: Moment,
        masker: &Masker,
    ) -> Answered<Reaction> {
        self.request_call(plugin, Function::Replied, moment, masker, || {
            let given = self.given(|| {
                let account = witness::account(shown.account());
                let (reply, cursor) = (witness::response(&reply), witness::bytes(&cursor));
                json!({"account": account, "reply": reply, "cursor": cursor})
            });
            (given, move |plugin: &Plugin, instance: Instance, store: &mut Store<Call>| {
                let replied = instance.get_typed_func(&mut *store, plugin.functions.replied)?;
                let (reaction,) =
                    replied.call(store, (shown.account(), &reply, cursor.as_slice()))?;
                Ok(reaction)
            })
        })
        .await
    }

    /// Begins a flow. The plugin must have it: its descriptor says so.
    pub(crate) async fn begin(
        &self,
        plugin: &Arc<Plugin>,
        shown: Shown,
        intent: Intent,
        moment: Moment,
        masker: &Masker,
    ) -> Answered<Step> {
        let given = self.given(|| {
            let account = witness::account(shown.account());
            json!({"account": account, "purpose": witness::purpose(intent.purpose())})
        });
        self.flow_call(plugin, Function::Begin, given, moment, masker, move |flow, store| {
            flow.countersign_auth_flow().call_begin(store, shown.account(), intent.purpose())
        })
        .await
    }

    /// Hands a flow the answer to its last step.
    pub(crate) async fn resume(
        &self,
        plugin: &Arc<Plugin>,
        shown: Shown,
        heard: Heard,
        cursor: Zeroizing<Vec<u8>>,
        moment: Moment,
        masker: &Masker,
    ) -> Answered<Step> {
        let given = self.given(|| {
            let (account, event) =
                (witness::account(shown.account()), witness::event(heard.event()));
            json!({"account": account, "event": event, "cursor": witness::bytes(&cursor)})
        });
        self.flow_call(plugin, Function::Resume, given, moment, masker, move |flow, store| {
            flow.countersign_auth_flow().call_resume(store, shown.account(), heard.event(), &cursor)
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
        let budget = mutation.guest.hall.limits.request_budget;
        let pre = Arc::clone(mutation);
        self.run(&mutation.guest, Function::Mutate, budget, moment, masker, || {
            let given = self.given(|| {
                let values = witness::table(&values.account().values);
                json!({"values": values, "options": witness::table(&options)})
            });
            (given, move |store: &mut Store<Call>| {
                let mutation = pre.mutator.instantiate(&mut *store).map_err(unfit)?;
                let values = &values.account().values;
                mutation.countersign_auth_mutator().call_mutate(store, values, &options)
            })
        })
        .await
    }

    async fn request_call<T, C>(
        &self,
        plugin: &Arc<Plugin>,
        function: Function,
        moment: Moment,
        masker: &Masker,
        prepare: impl FnOnce() -> (Json, C),
    ) -> Result<T, CallError>
    where
        T: Told + Send + 'static,
        C: FnOnce(&Plugin, Instance, &mut Store<Call>) -> wasmtime::Result<T> + Send + 'static,
    {
        let pre = Arc::clone(plugin);
        let budget = plugin.guest.hall.limits.request_budget;
        self.run(&plugin.guest, function, budget, moment, masker, || {
            let (given, call) = prepare();
            (given, move |store: &mut Store<Call>| {
                let instance = pre.authorizer.instance_pre().instantiate(&mut *store);
                call(&pre, instance.map_err(unfit)?, store)
            })
        })
        .await
    }

    async fn flow_call<T: Told + Send + 'static>(
        &self,
        plugin: &Arc<Plugin>,
        function: Function,
        given: Json,
        moment: Moment,
        masker: &Masker,
        call: impl FnOnce(&FlowHalf, &mut Store<Call>) -> wasmtime::Result<T> + Send + 'static,
    ) -> Result<T, CallError> {
        if plugin.flow.is_none() {
            return Err(CallError::Host("a flow was asked of a plugin that has none"));
        }
        let pre = Arc::clone(plugin);
        let budget = plugin.guest.hall.limits.flow_budget;
        self.run(&plugin.guest, function, budget, moment, masker, || {
            (given, move |store: &mut Store<Call>| {
                let pre = pre.flow.as_ref().ok_or_else(|| wasmtime::Error::msg("no flow"))?;
                let flow = pre.instantiate(&mut *store).map_err(unfit)?;
                call(&flow, store)
            })
        })
        .await
    }
}

/// The guest could not even be instantiated: it asks for more than the pool's slots have.
#[derive(Debug, thiserror::Error)]
#[error("the instance does not fit")]
struct Unfit;

pub(super) fn unfit(error: wasmtime::Error) -> wasmtime::Error {
    error.context(Unfit)
}

/// Which fault an error is; on `Err`, what failed on this side, for which no guest is blamed. Only
/// fixed words come out: an error's own text may quote the guest.
pub(super) fn classify(error: &wasmtime::Error) -> Result<Fault, &'static str> {
    if error.downcast_ref::<RandomError>().is_some() {
        return Err("the operating system gave no random bytes");
    }
    if error.downcast_ref::<PoolConcurrencyLimitError>().is_some() {
        return Err("the instance pool is used up");
    }
    if error.downcast_ref::<std::io::Error>().is_some() {
        return Err("the operating system gave no memory for an instance");
    }
    if error.downcast_ref::<TooMuchRandom>().is_some() {
        return Ok(Fault::Random);
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => return Ok(Fault::Time),
        Some(trap) => return Ok(Fault::Trap(trap.to_string())),
        None => {}
    }
    if error.downcast_ref::<Unfit>().is_some() {
        return Ok(Fault::Size);
    }
    // wasmtime gives this one no type of its own.
    if format!("{error:#}").contains("allocated for hostcalls") {
        return Ok(Fault::AnswerSize);
    }
    Ok(Fault::Answer)
}

//! The generated traits, for every type of the author's.
//!
//! What comes in is never dropped: the instance ends with the call and its memory with it, so
//! taking values apart one by one would only be more code for every call to run.

use std::mem::ManuallyDrop;

use super::{Exported, ExportedMutation};
use crate::{
    Account, Context, Descriptor, Entry, Event, Flow, HttpResponse, Mutation, Outcome, Plugin,
    Purpose, Reaction, Refusal, RequestView, Step,
    bindings::{auth::exports::countersign::auth::authorizer, flow_half, mutation},
};

impl<P: Plugin> authorizer::Guest for Exported<P> {
    fn describe() -> Descriptor {
        P::descriptor()
    }

    fn validate(account: Account) -> Vec<Refusal> {
        P::validate(&Context::host(), &ManuallyDrop::new(account))
    }

    fn authorize(
        account: Account,
        request: Option<RequestView>,
        cursor: Vec<u8>,
    ) -> Result<Outcome, Refusal> {
        let account = ManuallyDrop::new(account);
        let request = ManuallyDrop::new(request);
        P::authorize(&Context::host(), &account, request.as_ref(), &ManuallyDrop::new(cursor))
    }

    fn replied(
        account: Account,
        reply: HttpResponse,
        cursor: Vec<u8>,
    ) -> Result<Reaction, Refusal> {
        let account = ManuallyDrop::new(account);
        let reply = ManuallyDrop::new(reply);
        P::replied(&Context::host(), &account, &reply, &ManuallyDrop::new(cursor))
    }
}

impl<P: Flow> flow_half::exports::countersign::auth::flow::Guest for Exported<P> {
    fn begin(account: Account, purpose: Purpose) -> Result<Step, Refusal> {
        P::begin(&Context::host(), &account, &purpose)
    }

    fn resume(account: Account, event: Event, cursor: Vec<u8>) -> Result<Step, Refusal> {
        P::resume(&Context::host(), &account, &event, &cursor)
    }
}

impl<M: Mutation> mutation::exports::countersign::auth::mutator::Guest for ExportedMutation<M> {
    fn describe() -> String {
        M::describe()
    }

    fn mutate(values: Vec<Entry>, options: Vec<Entry>) -> Result<Vec<Entry>, Refusal> {
        M::mutate(&values, &options)
    }
}

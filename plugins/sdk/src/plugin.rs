//! The traits that an author implements.
//!
//! None takes `self`: a plugin has no state between calls, so there is nothing to be a `self`.

use crate::{
    Account, Context, Descriptor, Entry, Event, HttpResponse, Outcome, Purpose, Reaction, Refusal,
    RequestView, Step,
};

/// Puts a credential on a request. Every auth plugin is one.
pub trait Plugin {
    /// What it answers to, and what it asks leave for.
    fn descriptor() -> Descriptor;

    /// Judges the values that are there, before they are saved. Missing ones are the host's to
    /// find.
    fn validate(_cx: &Context, _account: &Account) -> Vec<Refusal> {
        Vec::new()
    }

    /// First asked without a request; `cursor` is empty but after [`Next::Again`](crate::Next).
    fn authorize(
        cx: &Context,
        account: &Account,
        request: Option<&RequestView>,
        cursor: &[u8],
    ) -> Result<Outcome, Refusal>;

    /// A reply that it watches for has come. A refusal withholds it from the caller.
    fn replied(
        _cx: &Context,
        _account: &Account,
        _reply: &HttpResponse,
        _cursor: &[u8],
    ) -> Result<Reaction, Refusal> {
        Ok(Reaction::deliver())
    }
}

/// Gets a credential over time, and gives it back.
pub trait Flow: Plugin {
    /// The first step.
    fn begin(cx: &Context, account: &Account, purpose: &Purpose) -> Result<Step, Refusal>;

    /// The step after `event`. `cursor` is what the step before handed over.
    fn resume(
        cx: &Context,
        account: &Account,
        event: &Event,
        cursor: &[u8],
    ) -> Result<Step, Refusal>;
}

/// Changes one value before the plugin sees it: the custom half of `auth_field_mutations`.
pub trait Mutation {
    /// A JSON object for people, with two members for the host: `name` (lower-case letters, digits
    /// and hyphens) is what payloads call it by, and `reads` lists the account values that it wants
    /// beside its target, where `{option}` stands for the name that the payload gives under that
    /// option.
    fn describe() -> String;

    /// `values` holds the target first, then those of the values in `reads` that there are; names
    /// are without `account/`.
    ///
    /// Answers with the target alone, under the name that it came with, and not empty. The host
    /// refuses anything else, another value beside it too: nothing is sent then.
    fn mutate(values: &[Entry], options: &[Entry]) -> Result<Vec<Entry>, Refusal>;
}

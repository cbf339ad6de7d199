//! `countersign provider promote`: a provider of one gateway, brought to another.
//!
//! Each gateway is shown its own credentials alone.

use serde_json::json;

use super::apply::{Plan, providers};
use super::gateway::Gateway;
use super::payload::{self, Payload};
use crate::arguments::{NewOrigins, Trust};
use crate::codes;
use crate::confirm;
use crate::failure::Failure;
use crate::output::Output;

/// From where to where.
pub(super) struct Way<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) trust: &'a Trust,
}

pub(super) async fn run(
    way: &Way<'_>,
    name: &str,
    new_origins: Option<NewOrigins>,
    yes: bool,
    json: bool,
    output: &Output,
) -> Result<(), Failure> {
    let from = Gateway::connect(way.from, way.trust, "FROM_").await?;
    let to = Gateway::connect(way.to, way.trust, "TO_").await?;
    let has = providers(&from).await?;
    let provider = payload::named(&has, name)?;
    let payload = Payload::of(provider.clone()).ok_or_else(|| {
        Failure::new(codes::GATEWAY_UNREADABLE, "a provider of the answer is no JSON object")
    })?;
    let plan = Plan::new(payload, &providers(&to).await?);
    let (word, named) = (plan.word(), plan.name().to_owned());
    if !json {
        let to = to.host();
        output.text(&format!("{word} {named} at {to}\n{}", plan.difference(output)))?;
    }
    if !plan.changes_nothing() {
        let question = format!("To {word} {named} at {}?", to.host());
        confirm::demand(yes, &question, &format!("{named} was not promoted"))?;
    }
    let identifier = plan.carry_out(&to, new_origins).await?;
    if json {
        let mut told = plan.json();
        told["identifier"] = identifier.into();
        return output.json(&told);
    }
    if plan.changes_nothing() {
        return Ok(());
    }
    output.done(&format!("done: {identifier}"), &json!({}), false)
}

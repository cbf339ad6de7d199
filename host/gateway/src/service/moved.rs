//! Whether a change of an account would take its secrets to another host, and which of them.

use std::collections::BTreeSet;

use countersign::account::Account;
use countersign::provider::{AuthPattern, Provider};
use countersign::target::Template;
use serde_json::{Map, Value as Json};

use crate::fault::FieldFault;

/// The values that stand in host names, by name.
pub(super) fn hosts(
    provider: &Provider,
    pattern: &AuthPattern,
    document: &Map<String, Json>,
) -> BTreeSet<(String, String)> {
    let endpoints = pattern.endpoints();
    let endpoints = endpoints.iter().filter_map(|(_, url)| Template::parse(url).ok());
    let templates: Vec<Template> = endpoints.chain([provider.template().clone()]).collect();
    let names: BTreeSet<&str> = templates.iter().flat_map(Template::host_names).collect();
    let mut json = document.clone();
    json.insert("identifier".to_owned(), "any".into());
    let Ok(account) = Account::parse(&Json::Object(json)) else { return BTreeSet::new() };
    let values = names
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), account.value(name)?.expose().to_owned())));
    values.collect()
}

/// Each value that would be taken along to another host without being given for it. Only what hosts
/// are made of may stay, where the payload makes them as it did (`covered`): whatever else it says of a
/// field, whoever moves the host may have written it.
pub(super) fn not_given_again(
    provider: &Provider,
    pattern: &AuthPattern,
    given: &Map<String, Json>,
    document: &Map<String, Json>,
    covered: bool,
) -> Vec<FieldFault> {
    let (given, in_hosts) = (names(given), hosts(provider, pattern, document));
    let makes_a_host = |name: &String| covered && in_hosts.iter().any(|(host, _)| host == name);
    let stays = |name: &String| given.contains(name) || makes_a_host(name);
    let taken_along = names(document).into_iter().filter(|name| !stays(name));
    let what = "was given for other hosts than it would now go to";
    taken_along.map(|name| FieldFault::new(name, what, "give it again")).collect()
}

/// The names of all values in a document.
fn names(document: &Map<String, Json>) -> BTreeSet<String> {
    let mut json = document.clone();
    json.insert("identifier".to_owned(), "any".into());
    let Ok(account) = Account::parse(&Json::Object(json)) else { return BTreeSet::new() };
    account.values().map(|(name, _)| name.to_owned()).collect()
}

//! That no limit of the gateway is left out, and none of the library.

use crate::config::{Configuration, Layers};

#[test]
fn every_limit_of_the_gateway_is_a_setting_and_arrives_there() {
    let mut layers = Layers::default();
    let changed = [
        ("token_lifetime", "90s", "90s"),
        ("tokens_per_minute", "61", "61"),
        ("token_attempts_per_minute", "62", "62"),
        ("most_in_flight", "63", "63"),
        ("most_in_flight_per_account", "64", "64"),
        ("longest_body", "65", "65"),
        ("longest_document", "66", "66"),
        ("deadline", "67s", "67s"),
        ("tunnel_idle", "68s", "68s"),
        ("cached_accounts", "69", "69"),
        ("pass_cookies", "true", "true"),
    ];
    for (key, value, _) in changed {
        layers.set.push((format!("limits.{key}"), value.to_owned()));
    }
    layers.set.push(("data".to_owned(), "/nowhere".to_owned()));
    let loaded = layers.load().unwrap_or_else(|problems| panic!("{problems:?}"));
    let shown = format!("{:?}", super::limits(&loaded.settings.limits));
    let fields: Vec<String> =
        changed.iter().map(|(key, _, shown)| format!("{key}: {shown}")).collect();
    // Which is no limit, and set where a collector is named.
    assert_eq!(shown, format!("Settings {{ {}, traces: false }}", fields.join(", ")));
    let usual = super::limits(&Configuration::default().limits);
    assert_eq!(format!("{usual:?}"), format!("{:?}", countersign_gateway::Settings::default()));
}

#[test]
fn every_setting_of_requests_arrives_in_the_library() {
    let mut layers = Layers::default();
    let changed = [
        ("spool_bytes", "61", "61"),
        ("resend_bytes", "62", "62"),
        ("flow_deadline", "63s", "63s"),
        ("longest_hold", "64s", "64s"),
        ("forced_renewal_gap", "65s", "65s"),
    ];
    for (key, value, _) in changed {
        layers.set.push((format!("requests.{key}"), value.to_owned()));
    }
    layers.set.push(("data".to_owned(), "/nowhere".to_owned()));
    let loaded = layers.load().unwrap_or_else(|problems| panic!("{problems:?}"));
    let settings = super::requests(&loaded, &[]).unwrap_or_else(|it| panic!("{}", it.message()));
    let shown = format!("{settings:?}");
    let fields: Vec<String> =
        changed.iter().map(|(key, _, shown)| format!("{key}: {shown}")).collect();
    let target = format!("{:?}", countersign::Settings::default().target);
    assert_eq!(
        shown,
        format!("Settings {{ target: {target}, policy: {{}}, {} }}", fields.join(", "))
    );
}

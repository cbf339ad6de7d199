//! Components, for people. What a component says of itself is shown without control characters: a
//! file must not be able to write to the terminal of whoever looks at it.

use std::fmt::Write as _;

use countersign::registry::{GuestInfo, GuestKind, Listing};
use serde_json::Value as Json;

use super::verdict::Verdict;
use crate::policy::Policy;

/// Characters of a digest that tell components apart at a glance.
const SHORT_DIGEST: usize = 12;

/// One line for each component.
pub(super) fn listing(listing: &Listing, policy: &Policy) -> String {
    let mut rows =
        vec![["ANSWERS TO", "KIND", "FLOWS", "SOURCE", "SIZE", "SHA-256", "STATUS"].map(plain)];
    for info in &listing.serving {
        let (answers, kind, flows) = match &info.kind {
            GuestKind::Plugin { auth_types, flows, .. } => {
                (auth_types.join(" "), "plugin", flows.join(" "))
            }
            GuestKind::Mutation { mutation } => (mutation.clone(), "mutation", String::new()),
        };
        let flows = if flows.is_empty() { "-" } else { &flows };
        let digest: String = info.digest.to_string().chars().take(SHORT_DIGEST).collect();
        rows.push([
            plain(&answers),
            plain(kind),
            plain(flows),
            plain(&info.source.to_string()),
            info.size.to_string(),
            digest,
            status(info, policy),
        ]);
    }
    let mut text = String::new();
    let widths: Vec<usize> = (0..7)
        .map(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0))
        .collect();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            // Writing to a string cannot fail.
            let _ = write!(line, "{cell:<width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    for refused in &listing.refused {
        let kept = if refused.kept { "; the last good version goes on serving" } else { "" };
        let source = plain(&refused.source.to_string());
        let word = if refused.duplicate { "not needed" } else { "refused" };
        let _ = writeln!(text, "{word}: {source}: {}{kept}", plain(&refused.reason));
    }
    text
}

/// All that is known of one component.
pub(super) fn details(info: &GuestInfo, verdict: &Verdict, policy: &Policy) -> String {
    let mut text = String::new();
    let mut rows = |name: &str, values: &[String]| {
        let none = ["none".to_owned()];
        let values = if values.is_empty() { &none } else { values };
        for (nth, value) in values.iter().enumerate() {
            text.push_str(&row(if nth == 0 { name } else { "" }, value));
        }
    };
    rows("name", std::slice::from_ref(&info.name));
    if let Some(title) = info.about["title"].as_str() {
        let version = info.about["version"].as_str().unwrap_or_default();
        rows("title", &[format!("{title} {version}")]);
    }
    match &info.kind {
        GuestKind::Plugin { auth_types, flows, needs } => {
            let line = |(verb, object): &(String, String)| format!("{verb:<5} {object}");
            rows("answers to", auth_types);
            rows("flows", flows);
            rows("needs", &needs.iter().map(line).collect::<Vec<_>>());
            for auth_type in auth_types {
                if let Some(left) = policy.of(auth_type) {
                    let title = format!("for {auth_type}, no more than:");
                    let left: Vec<String> = left.iter().map(line).collect();
                    let none = ["  nothing".to_owned()];
                    let left = left.iter().map(|it| format!("  {it}")).collect::<Vec<_>>();
                    let left = if left.is_empty() { &none[..] } else { &left };
                    rows("policy", &[&[title], left].concat());
                }
            }
        }
        GuestKind::Mutation { mutation } => rows("mutation", std::slice::from_ref(mutation)),
    }
    let levels = ["connection", "pattern", "account"].into_iter();
    rows("inputs", &levels.flat_map(|level| inputs(&info.about, level)).collect::<Vec<_>>());
    rows("imports", &info.imports);
    rows("contract", std::slice::from_ref(&info.contract));
    rows("size", &[format!("{} bytes", info.size)]);
    rows("digest", &[format!("sha256:{}", info.digest)]);
    let accepted = match verdict {
        Verdict::Accepted => "yes".to_owned(),
        Verdict::Serving => "yes, it serves already".to_owned(),
        Verdict::Refused { why, .. } => format!("no: {why}"),
    };
    rows("accepted", &[accepted]);
    text
}

/// One more line below the details.
pub(super) fn row(name: &str, value: &str) -> String {
    format!("{name:<10}  {}\n", plain(value))
}

fn inputs(about: &Json, level: &str) -> Vec<String> {
    let list = about["inputs"][level].as_array().into_iter().flatten();
    list.map(|input| {
        let text = |key: &str| input[key].as_str().unwrap_or_default();
        let flag = |key: &str| input[key] == Json::Bool(true);
        let required = if flag("required") { "required" } else { "optional" };
        let secret = if flag("secret") { ", secret" } else { "" };
        format!("{level}/{} ({required}{secret}): {}", text("name"), text("label"))
    })
    .collect()
}

fn status(info: &GuestInfo, policy: &Policy) -> String {
    let narrowed = match &info.kind {
        GuestKind::Plugin { auth_types, .. } => {
            auth_types.iter().any(|auth_type| policy.of(auth_type).is_some())
        }
        GuestKind::Mutation { .. } => false,
    };
    let health = health(info);
    if narrowed { format!("{health}, narrowed by the policy") } else { health }
}

fn health(info: &GuestInfo) -> String {
    match (info.status.suspended, info.status.faults) {
        (Some(left), faults) => {
            format!("suspended for {} s, {faults} faults", left.as_secs() + 1)
        }
        (None, 0) => "ok".to_owned(),
        (None, faults) => format!("ok, {faults} faults"),
    }
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

//! Inputs, out of the members of a case: what is left out has the value that the format says.

use std::collections::BTreeMap;

use countersign::registry::GuestKind;
use http::Method;

use super::{Act, After, Documents, FlowKind, Inputs, Kept, Pause, Request};
use crate::case::exchange::{self, Asked};
use crate::case::{Common, Tested, expect};
use crate::reading::Members;
use crate::subject;

pub(in crate::case) const OF_A_PLUGIN: &[&str] = &[
    "name",
    "about",
    "auth_type",
    "values",
    "state",
    "shared",
    "memo",
    "now",
    "seed",
    "request",
    "flow",
    "redirect_uri",
    "pauses",
    "validate",
    "fetches",
    "replies",
    "expect",
];
pub(in crate::case) const OF_A_MUTATION: &[&str] =
    &["name", "about", "values", "options", "target", "expect"];

/// Any time that is not the beginning of time, in Unix milliseconds: 2023-11-14T22:13:20Z.
const NOW: u64 = 1_700_000_000_000;
const SEED: u64 = 1;
/// Bytes of a memo that a host keeps (the contract's host rules, `memo`).
const LONGEST_MEMO: usize = 4096;
/// Where a browser would come back to, where the case does not say.
const REDIRECT_URI: &str = "https://gateway.example/callback";

pub(in crate::case) fn read(
    case: &Members<'_>,
    common: &Common<'_>,
    tested: &Tested<'_>,
) -> Option<Inputs> {
    let mut values: BTreeMap<String, String> =
        common.values.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
    values.extend(case.texts("values"));
    let act = if tested.is_mutation() { mutation(case) } else { act(case, tested) };
    let documents = if tested.is_mutation() {
        Documents::default()
    } else {
        roots(case, &values);
        let auth_type = auth_type(case, common, tested)?;
        subject::documents(auth_type, &values, case)?
    };
    Some(Inputs {
        documents,
        values,
        state: kept(case, "state"),
        shared: kept(case, "shared"),
        memo: memo(case),
        now: case.number("now").unwrap_or(NOW),
        seed: case.number("seed").unwrap_or(SEED),
        act: act?,
        fetches: exchange::read(case, "fetches").unwrap_or_default(),
        replies: exchange::read(case, "replies").unwrap_or_default(),
    })
}

/// The type of the case, of the file, or the only one that there is.
fn auth_type<'a>(case: &Members<'a>, common: &Common<'a>, tested: &Tested<'a>) -> Option<&'a str> {
    let known = tested.auth_types();
    let named = case.text("auth_type").or(common.auth_type);
    match (named, known) {
        (Some(named), _) if known.iter().any(|it| it == named) => Some(named),
        (Some(_), _) => {
            case.flaw("auth_type", format!("is none of the plugin's: {}", known.join(", ")));
            None
        }
        (None, [only]) => Some(only),
        (None, _) => {
            case.flaw("auth_type", format!("is missing; there are: {}", known.join(", ")));
            None
        }
    }
}

/// A state's values belong to the state: a flow may replace them.
fn roots(case: &Members<'_>, values: &BTreeMap<String, String>) {
    let place = case.at("values");
    for name in values.keys() {
        let what = match name.split_once('/') {
            Some(("provider" | "pattern" | "connection" | "account" | "grant", _)) => continue,
            Some((root @ ("state" | "shared"), _)) => {
                format!("belongs under `{root}`, as a secret or an attribute")
            }
            _ => {
                "begins with none of provider/, pattern/, connection/, account/, grant/".to_owned()
            }
        };
        case.flaws().note(crate::reading::below(&place, name), what);
    }
}

fn kept(case: &Members<'_>, name: &str) -> Option<Kept> {
    let kept = case.members(name, &["secrets", "attributes", "renew_at", "expires_at"])?;
    Some(Kept {
        secrets: kept.texts("secrets"),
        attributes: kept.texts("attributes"),
        renew_at: kept.number("renew_at"),
        expires_at: kept.number("expires_at"),
    })
}

fn mutation(case: &Members<'_>) -> Option<Act> {
    let values = case.table("values").unwrap_or_default();
    let first = values.first().map(|(name, _)| *name);
    let Some(target) = case.text("target").or(first) else {
        case.flaw("target", "is missing, and there is no value that it could be");
        return None;
    };
    let options = case.table("options").unwrap_or_default();
    let options = options.into_iter().map(|(name, text)| (name.into(), text.into())).collect();
    Some(Act::Mutate { target: target.to_owned(), options })
}

fn act(case: &Members<'_>, tested: &Tested<'_>) -> Option<Act> {
    let acts: Vec<&str> =
        ["request", "flow", "validate"].into_iter().filter(|it| case.has(it)).collect();
    if acts.len() > 1 {
        case.flaw(acts[1], format!("stands beside `{}`: a case does one thing", acts[0]));
        return None;
    }
    let flow = match case.text("flow") {
        None => None,
        Some(name) => Some(flow(case, name, tested)?),
    };
    if !matches!(flow, Some(FlowKind::Grant { .. })) {
        for name in ["pauses", "redirect_uri"].into_iter().filter(|it| case.has(it)) {
            case.flaw(name, "belongs to the flow `grant`");
        }
    }
    if case.has("replies") && (flow.is_some() || case.has("validate")) {
        case.flaw("replies", "belongs to a request");
    }
    Some(match flow {
        Some(flow) => Act::Flow(flow),
        None if case.flag("validate") => Act::Validate,
        None => Act::Request { request: request(case)?, sent: case.has("replies") },
    })
}

fn flow(case: &Members<'_>, name: &str, tested: &Tested<'_>) -> Option<FlowKind> {
    let GuestKind::Plugin { flows, .. } = &tested.0.kind else { return None };
    if !flows.iter().any(|it| it == name) {
        let flows = if flows.is_empty() { "none".to_owned() } else { flows.join(", ") };
        case.flaw("flow", format!("is no flow of the plugin; it has: {flows}"));
        return None;
    }
    Some(match name {
        "setup" => FlowKind::Setup,
        "grant" => FlowKind::Grant {
            redirect_uri: case.text("redirect_uri").unwrap_or(REDIRECT_URI).to_owned(),
            pauses: pauses(case),
        },
        "renew" => FlowKind::Renew,
        _ => FlowKind::Revoke,
    })
}

fn pauses(case: &Members<'_>) -> Vec<Pause> {
    let place = case.at("pauses");
    let list = case.list("pauses").unwrap_or_default().iter().enumerate();
    let pause = |(nth, json)| {
        let known = ["expect", "callback", "elapsed"];
        let pause = Members::open(json, &format!("{place}/{nth}"), &known, case.flaws())?;
        if let Some(prompt) = pause.members("expect", &["url", "code", "seconds"]) {
            expect::read_prompt(&prompt);
        }
        let expect = pause.json("expect").and_then(|it| it.as_object().cloned()).map(Asked);
        let after = match (pause.has("callback"), pause.flag("elapsed")) {
            (true, false) => {
                let table = pause.table("callback")?.into_iter();
                After::Callback(table.map(|(name, text)| (name.into(), text.into())).collect())
            }
            (false, true) => After::Elapsed,
            _ => {
                let what = "needs one of `callback` and `\"elapsed\": true`";
                case.flaws().note(format!("{place}/{nth}"), what);
                return None;
            }
        };
        Some(Pause { expect, after })
    };
    list.filter_map(pause).collect()
}

fn request(case: &Members<'_>) -> Option<Request> {
    if !case.has("request") {
        return Some(Request::default());
    }
    let request = case.members("request", &["method", "path", "headers", "body"])?;
    let body = request.bytes("body").unwrap_or_default();
    let method = request.text("method").unwrap_or(if body.is_empty() { "GET" } else { "POST" });
    let Ok(method) = method.parse::<Method>() else {
        request.flaw("method", "is no HTTP method");
        return None;
    };
    let path = request.text("path").unwrap_or("/").to_owned();
    if !path.starts_with('/') || path.contains('#') || path.parse::<http::Uri>().is_err() {
        request.flaw("path", "is no path below `provider/proxy_url`: it begins with a slash");
        return None;
    }
    Some(Request { method, path, headers: exchange::headers(&request, "headers"), body })
}

/// What a plugin may leave.
fn memo(case: &Members<'_>) -> Option<Vec<u8>> {
    let memo = case.bytes("memo")?;
    if memo.len() > LONGEST_MEMO {
        case.flaw("memo", format!("is longer than the {LONGEST_MEMO} bytes that a host keeps"));
    }
    Some(memo)
}

//! What goes into a run: everything that its outcome may depend on.

use std::collections::BTreeMap;
use std::sync::Arc;

use countersign::connection::Connection;
use countersign::provider::Provider;
use countersign::registry::GuestKind;
use http::Method;

use super::exchange::{self, Asked, Exchange};
use super::{Common, Tested, expect};
use crate::reading::Members;
use crate::subject;

pub(super) const OF_A_PLUGIN: &[&str] = &[
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
pub(super) const OF_A_MUTATION: &[&str] =
    &["name", "about", "values", "options", "target", "expect"];

/// Any time that is not the beginning of time, in Unix milliseconds: 2023-11-14T22:13:20Z.
const NOW: u64 = 1_700_000_000_000;
const SEED: u64 = 1;
/// Where a browser would come back to, where the case does not say.
const REDIRECT_URI: &str = "https://gateway.example/callback";

/// All of it. A check changes one thing and runs it again.
#[derive(Clone)]
pub(crate) struct Inputs {
    pub(crate) documents: Documents,
    /// By their names in the contract; of a mutation, without a root.
    pub(crate) values: BTreeMap<String, String>,
    pub(crate) state: Option<Kept>,
    pub(crate) shared: Option<Kept>,
    pub(crate) memo: Option<Vec<u8>>,
    /// Unix milliseconds.
    pub(crate) now: u64,
    pub(crate) seed: u64,
    pub(crate) act: Act,
    pub(crate) fetches: Vec<Exchange>,
    pub(crate) replies: Vec<Exchange>,
}

/// What a host has besides the values: where requests go, and which placeholders there are.
#[derive(Clone, Default)]
pub(crate) struct Documents(pub(crate) Option<(Arc<Provider>, Arc<Connection>)>);

impl Inputs {
    /// Whether the request is sent, and its reply delivered.
    pub(crate) fn is_sent(&self) -> bool {
        matches!(self.act, Act::Request { sent: true, .. })
    }

    /// What ends the pauses of a grant.
    pub(crate) fn pauses(&self) -> &[Pause] {
        match &self.act {
            Act::Flow(FlowKind::Grant { pauses, .. }) => pauses,
            _ => &[],
        }
    }
}

/// What is done.
#[derive(Clone)]
pub(crate) enum Act {
    /// A request is made ready, and sent where `sent`.
    Request { request: Request, sent: bool },
    /// A flow is run from its beginning.
    Flow(FlowKind),
    /// The values are judged.
    Validate,
    /// A mutation changes one value.
    Mutate { target: String, options: Vec<(String, String)> },
}

#[derive(Clone)]
pub(crate) enum FlowKind {
    Setup,
    Grant { redirect_uri: String, pauses: Vec<Pause> },
    Renew,
    Revoke,
}

/// A request as a caller makes it.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Relative to `provider/proxy_url`, with the query.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Default for Request {
    fn default() -> Self {
        let (headers, body) = (Vec::new(), Vec::new());
        Self { method: Method::GET, path: "/".to_owned(), headers, body }
    }
}

/// A state or shared state that is there when the case begins.
#[derive(Clone, Default)]
pub(crate) struct Kept {
    pub(crate) secrets: BTreeMap<String, String>,
    pub(crate) attributes: BTreeMap<String, String>,
    /// Unix milliseconds, as the next.
    pub(crate) renew_at: Option<u64>,
    pub(crate) expires_at: Option<u64>,
}

/// A pause that a grant comes to, and what ends it.
#[derive(Clone)]
pub(crate) struct Pause {
    /// What the user is shown, as far as it is compared.
    pub(crate) expect: Option<Asked>,
    pub(crate) after: After,
}

#[derive(Clone)]
pub(crate) enum After {
    /// The browser comes back with these; the parameter that finds the flow again is added.
    Callback(Vec<(String, String)>),
    /// The time is over, and the clock has moved.
    Elapsed,
}

pub(super) fn read(case: &Members<'_>, common: &Common<'_>, tested: &Tested<'_>) -> Option<Inputs> {
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
        memo: case.bytes("memo"),
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

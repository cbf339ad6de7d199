//! Whether what a plugin asks for is within its needs: what is not, the host has refused, and here
//! it is told which need would have to be declared.

use countersign::Error;
use countersign::flow::FlowError;
use countersign::needs::{Granted, Needs};
use countersign::refusal::{Reason, Refusal};
use countersign::registry::GuestKind;
use countersign::values::Values;
use http::HeaderName;
use serde_json::Value as Json;

use super::{Checked, Tried};
use crate::case::{Case, Expect};
use crate::run::Run;
use crate::stage::Stage;
use crate::subject;

const MEND: &str = "declare the need in the plugin's descriptor, or leave out what asks for it";

const MEND_UNSEEN: &str = "declare the need in the plugin's descriptor; where this is what the case shows, expect the refusal";

/// The need to read what it calls wrong: a value that it is not shown is missing to it, though the case
/// has it. What is only presented, it has to name unseen.
fn unseen(refusal: &Refusal, granted: &Granted, values: &Values) -> Option<String> {
    let name = refusal.field.as_ref().filter(|_| refusal.reason == Reason::InvalidConfig)?;
    let has_it = values.get(name).is_some();
    let is_unseen = has_it && !granted.may_read(name) && !granted.may_present(name);
    is_unseen.then(|| format!("read {name}"))
}

fn is_expected(case: &Case, refusal: &Refusal) -> bool {
    let expected = case.expect.as_ref().and_then(|Expect(it)| it.get("refusal"));
    let field = |it: &Json| it["field"].as_str().map(ToOwned::to_owned);
    expected.is_some_and(|it| it["reason"] == "invalid-config" && field(it) == refusal.field)
}

/// Whether the run ended over a need that is not declared.
pub(super) fn check(stage: &Stage, tried: &Tried<'_>, checked: &mut Checked) -> bool {
    let Tried { case, run } = tried;
    let GuestKind::Plugin { needs, .. } = &stage.info().kind else { return false };
    let (Ok(needs), Some(error)) = (Needs::parse(needs), run.error()) else { return false };
    let values = subject::all_values(&case.inputs);
    let granted = needs.resolve(&values);
    let mut mend = MEND;
    let mut lacking = lacking(run, error, &granted, &values);
    if let Error::Refused { refusal, .. } = error
        && !is_expected(case, refusal)
    {
        lacking.extend(unseen(refusal, &granted, &values));
        mend = MEND_UNSEEN;
    }
    for need in &lacking {
        checked.find("outside-needs", case, format!("it lacks the need `{need}`"), mend);
    }
    !lacking.is_empty()
}

/// The needs that would have been asked for, as `verb object`; none where it ended over something
/// else.
fn lacking(run: &Run, error: &Error, granted: &Granted, values: &Values) -> Vec<String> {
    let last = run.answers().last();
    let asked = |path: &str| last.and_then(|it| it.pointer(path));
    let listed = |path: &str| asked(path).and_then(Json::as_array).into_iter().flatten();
    match error {
        Error::Edit { .. } => {
            let edits: Vec<&Json> = listed("/ready/edits").collect();
            let lacking: Vec<String> =
                edits.iter().filter_map(|edit| lacking_of(edit, granted)).collect();
            let carries = edits.iter().any(|edit| carries(edit));
            if lacking.is_empty() && !carries && !granted.send_bare() {
                return vec!["send bare".to_owned()];
            }
            lacking
        }
        Error::View { .. } => listed("/show")
            .filter_map(in_needs)
            .filter(|name| !may_see(name, granted))
            .map(|name| format!("read {name}"))
            .collect(),
        Error::WatchedBody { .. } => vec!["read reply/body".to_owned()],

        Error::Flow(FlowError::FetchUrl) => {
            let url = asked("/fetch/url").and_then(Json::as_str).unwrap_or_default();
            lacking_url("fetch", &held(values, url), &granted.fetch_urls(values))
        }
        Error::Flow(FlowError::ClientCertificate) => {
            let pair = asked("/fetch/client-certificate").unwrap_or(&Json::Null);
            lacking_certificate(&pair[0], &pair[1], granted).into_iter().collect()
        }
        Error::Flow(FlowError::PromptUrl) => {
            let url = asked("/pause/prompt/url").and_then(Json::as_str).unwrap_or_default();
            lacking_url("visit", &held(values, url), &granted.visit_urls(values))
        }
        Error::Flow(FlowError::StateName(name)) => {
            let is_setup = run.calls.iter().any(|call| call.given["purpose"] == "setup");
            vec![format!("write {}/{name}", if is_setup { "shared" } else { "state" })]
        }
        _ => Vec::new(),
    }
}

/// Whether the host takes it for one that puts something on the request.
fn carries(edit: &Json) -> bool {
    match edit[0].as_str() {
        Some("remove-header" | "set-origin" | "own-connection") => false,
        Some("set-query" | "append-query") => edit[2] != "",
        Some("set-body") => edit[1] != "",
        _ => true,
    }
}

fn lacking_of(edit: &Json, granted: &Granted) -> Option<String> {
    let name = edit[1].as_str().unwrap_or_default();
    let header = HeaderName::try_from(name).ok();
    let (may, object) = match edit[0].as_str()? {
        "set-header" | "append-header" | "remove-header" => {
            (granted.may_write_header(&header?), format!("header/{}", name.to_ascii_lowercase()))
        }
        "set-query" | "append-query" => (granted.may_write_query(name), format!("query/{name}")),
        "set-cookie" => (granted.may_write_cookie(name), format!("cookie/{name}")),
        "set-path" => (granted.may_write_path(), "path".to_owned()),
        "set-origin" => (granted.may_write_origin(), "origin".to_owned()),
        "set-body" => (granted.may_write_body(), "body".to_owned()),
        "client-certificate" => return lacking_certificate(&edit[1], &edit[2], granted),
        "own-connection" => (granted.may_own_connection(), "own-connection".to_owned()),
        _ => return None,
    };
    (!may).then(|| format!("write {object}"))
}

/// The value that may not be presented, the chain's first.
fn lacking_certificate(chain: &Json, key: &Json, granted: &Granted) -> Option<String> {
    let mut names = [chain, key].into_iter().filter_map(Json::as_str);
    let lacking = names.find(|name| !granted.may_present(name))?;
    Some(format!("write client-certificate/{lacking}"))
}

/// None where the need is there: it is then the URL that is at fault.
fn lacking_url(verb: &str, held: &str, granted: &[(&str, &str)]) -> Vec<String> {
    if granted.iter().any(|(name, _)| *name == held) {
        return Vec::new();
    }
    vec![format!("{verb} {held}")]
}

/// What is asked for in `show`, as a need has it; `None` where no need could be that.
fn in_needs(shown: &Json) -> Option<&str> {
    let name = shown.as_str()?;
    match name.split_once('/').map_or(name, |(root, _)| root) {
        "body" => Some("body"),
        "header" | "query" | "cookie" | "path" | "origin" => Some(name),
        _ => None,
    }
}

fn may_see(name: &str, granted: &Granted) -> bool {
    match name.strip_prefix("header/").map(HeaderName::try_from) {
        Some(Ok(header)) => granted.may_read_message_header(&header),
        _ => granted.may_read(name),
    }
}

/// The value that holds the URL, or one above it.
fn held(values: &Values, url: &str) -> String {
    let above = |text: &str| {
        let text = text.trim_end_matches('/');
        let rest = url.strip_prefix(text).filter(|_| text.contains("://"))?;
        (rest.is_empty() || rest.starts_with(['/', '?'])).then_some(text.len())
    };
    let above = values.iter().filter_map(|(name, value)| Some((name, above(value.expose())?)));
    // The longest is the one that says most of it.
    match above.max_by_key(|(_, length)| *length) {
        Some((name, _)) => name.to_owned(),
        None => format!("of a value that holds {url}"),
    }
}

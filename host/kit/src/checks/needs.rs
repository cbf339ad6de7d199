//! Whether what a plugin asks for is within its needs: what is not, the host has refused, and here it
//! is told which need would have to be declared.

use countersign::Error;
use countersign::flow::FlowError;
use countersign::needs::{Granted, Needs};
use countersign::registry::GuestKind;
use http::HeaderName;
use serde_json::Value as Json;

use super::{Checked, Tried};
use crate::run::Run;
use crate::stage::Stage;
use crate::subject;

const MEND: &str = "declare the need in the plugin's descriptor, or leave out what asks for it";

pub(super) fn check(stage: &Stage, tried: &Tried<'_>, checked: &mut Checked) {
    let Tried { case, run } = tried;
    let GuestKind::Plugin { needs, .. } = &stage.info().kind else { return };
    let (Ok(needs), Some(error)) = (Needs::parse(needs), run.error()) else { return };
    let granted = needs.resolve(&subject::values(&case.inputs.values));
    for need in lacking(run, error, &granted) {
        checked.find("outside-needs", case, format!("it lacks the need `{need}`"), MEND);
    }
}

/// Whether the run ended over a need, so that no other check has to say so.
pub(super) fn is_about(run: &Run) -> bool {
    run.error().is_some_and(|error| match error {
        Error::View { message, .. } | Error::Edit { message, .. } => {
            message.contains("outside what the plugin may") || message.contains("no credential")
        }
        Error::Flow(FlowError::FetchUrl | FlowError::PromptUrl) => true,
        Error::Contract { what, .. } | Error::Flow(FlowError::State { what, .. }) => {
            what.contains("outside its needs")
        }
        _ => false,
    })
}

/// The needs that would have been asked for, as `verb object`.
fn lacking(run: &Run, error: &Error, granted: &Granted) -> Vec<String> {
    let last = run.answers().last();
    let asked = |path: &str| last.and_then(|it| it.pointer(path));
    let listed = |path: &str| asked(path).and_then(Json::as_array).into_iter().flatten();
    match error {
        Error::Edit { .. } => {
            let edits: Vec<&Json> = listed("/ready/edits").collect();
            let lacking: Vec<String> =
                edits.iter().filter_map(|edit| lacking_of(edit, granted)).collect();
            let carries = edits.iter().any(|edit| edit[0] != "remove-header");
            if lacking.is_empty() && !carries && !granted.send_bare() {
                return vec!["send bare".to_owned()];
            }
            lacking
        }
        Error::View { .. } => listed("/show")
            .filter_map(Json::as_str)
            .map(|name| if name.starts_with("body/") { "body" } else { name })
            .filter(|name| !may_see(name, granted))
            .map(|name| format!("read {name}"))
            .collect(),
        Error::Contract { what, .. } if what.contains("outside its needs") => {
            vec!["read reply/body".to_owned()]
        }
        Error::Flow(FlowError::FetchUrl) => {
            let url = asked("/fetch/url").and_then(Json::as_str).unwrap_or_default();
            vec![format!("fetch {}", held(run, url))]
        }
        Error::Flow(FlowError::PromptUrl) => {
            let url = asked("/pause/prompt/url").and_then(Json::as_str).unwrap_or_default();
            vec![format!("visit {}", held(run, url))]
        }
        Error::Flow(FlowError::State { what, name }) if what.contains("outside its needs") => {
            let is_setup = run.calls.iter().any(|call| call.given["purpose"] == "setup");
            vec![format!("write {}/{name}", if is_setup { "shared" } else { "state" })]
        }
        _ => Vec::new(),
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
        "client-certificate" => {
            (granted.may_write_client_certificate(), "client-certificate".to_owned())
        }
        "own-connection" => (granted.may_own_connection(), "own-connection".to_owned()),
        _ => return None,
    };
    (!may).then(|| format!("write {object}"))
}

fn may_see(name: &str, granted: &Granted) -> bool {
    match name.strip_prefix("header/").map(HeaderName::try_from) {
        Some(Ok(header)) => granted.may_read_message_header(&header),
        _ => granted.may_read(name),
    }
}

/// The value that the URL was made of, of those that the plugin was shown.
fn held(run: &Run, url: &str) -> String {
    let shown = run.calls.last().and_then(|call| call.given["account"]["values"].as_object());
    let from = shown.into_iter().flatten().filter_map(|(name, text)| {
        let text = text.as_str()?;
        let origin = url::Url::parse(text).ok()?.origin();
        (url::Url::parse(url).ok()?.origin() == origin).then_some((name, text))
    });
    // The longest is the one that says most of it.
    let best = from
        .filter(|(_, text)| url.starts_with(text.trim_end_matches('/')))
        .max_by_key(|(_, text)| text.len())
        .map(|(name, _)| name.clone());
    best.unwrap_or_else(|| format!("of a value that holds {url}"))
}

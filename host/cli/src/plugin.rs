//! `countersign plugin …`: what serves, what a file is, and projects to write one in.

use std::path::Path;
use std::process::ExitCode;

use countersign::registry::{GuestInfo, GuestKind, Refused};
use countersign::sandbox::LoadError;
use serde_json::{Value as Json, json};

use crate::arguments::{self, Global};
use crate::codes;
use crate::failure::Failure;
use crate::host::Host;
use crate::json;
use crate::output::Output;
use crate::policy::Policy;

mod bench;
mod build;
mod new;
mod test;
mod text;
mod verdict;

use verdict::Verdict;

pub(crate) fn run(
    global: &Global,
    plugin: &arguments::Plugin,
    output: &Output,
) -> Result<ExitCode, Failure> {
    match plugin {
        arguments::Plugin::List { json, narrowing } => {
            list(&Host::start(global)?, narrowing.file(), *json, output)
        }
        arguments::Plugin::Inspect { file, json, narrowing } => {
            inspect(global, &Host::start(global)?, file, narrowing.file(), *json, output)
        }
        // Alone in its sandbox.
        arguments::Plugin::Test(test) => test::run(global, test, output),
        arguments::Plugin::Bench(bench) => bench::run(global, bench, output),
        arguments::Plugin::New(arguments) => new::run(arguments, output),
        arguments::Plugin::Build(arguments) => build::run(global, arguments, output),
    }
}

fn list(
    host: &Host,
    policy: Option<&Path>,
    json: bool,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let policy = Policy::load(policy, &host.registry.auth_types())?;
    let listing = host.registry.listing();
    if json {
        let serving: Vec<Json> = listing.serving.iter().map(|it| to_json(it, &policy)).collect();
        let refused: Vec<Json> = listing.refused.iter().map(refused_json).collect();
        output.json(&json!({"serving": serving, "refused": refused}))?;
    } else {
        output.text(&text::listing(&listing, &policy))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn inspect(
    global: &Global,
    host: &Host,
    file: &Path,
    policy: Option<&Path>,
    json: bool,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let bytes = json::read(file)?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let info = host
        .registry
        .inspect(&name, &bytes)
        .map_err(|cause| refused(&name, format!("{}: {cause}", file.display()), &cause))?;
    // What the file answers to may be narrowed before it serves.
    let mut known = host.registry.auth_types();
    if let GuestKind::Plugin { auth_types, .. } = &info.kind {
        known.extend(
            auth_types.iter().filter(|it| !known.contains(it)).cloned().collect::<Vec<_>>(),
        );
    }
    let policy = Policy::load(policy, &known)?;
    let verdict = Verdict::of(&info, &host.registry.listing().serving, &global.pins);
    if json {
        let mut shown = to_json(&info, &policy);
        shown["source"] = file.display().to_string().into();
        shown["accepted"] = verdict.accepted().into();
        if let Verdict::Refused { why, .. } = &verdict {
            shown["reason"] = why.as_str().into();
        }
        output.json(&shown)?;
    } else {
        output.text(&text::details(&info, &verdict, &policy))?;
    }
    match verdict {
        Verdict::Refused { name, why } => {
            let failure =
                Failure::new(codes::COMPONENT_REFUSED, format!("{}: {why}", file.display()));
            Err(failure.with_fix(format!(
                "Answer to another auth type; where this file is meant, an operator settles it with \
                 `--pin {name}=sha256:{}`.",
                info.digest
            )))
        }
        Verdict::Accepted | Verdict::Serving => Ok(ExitCode::SUCCESS),
    }
}

/// A component that does not load, by the name that it would have.
fn refused(name: &str, what: String, cause: &LoadError) -> Failure {
    let failure = Failure::new(codes::COMPONENT_REFUSED, what);
    match cause {
        LoadError::Unfit(_) => failure.with_fix(format!(
            "Give `--interpreted {name}` where it carries an interpreter; else have it take less memory."
        )),
        _ => failure,
    }
}

fn to_json(info: &GuestInfo, policy: &Policy) -> Json {
    let mut json = json!({
        "name": info.name,
        "source": info.source.to_string(),
        "digest": format!("sha256:{}", info.digest),
        "size": info.size,
        "contract": info.contract,
        "imports": info.imports,
    });
    match &info.kind {
        GuestKind::Plugin { auth_types, flows, needs } => {
            json["kind"] = "plugin".into();
            json["auth_types"] = auth_types.as_slice().into();
            json["flows"] = flows.as_slice().into();
            json["needs"] = pairs(needs);
            for auth_type in auth_types {
                if let Some(left) = policy.of(auth_type) {
                    json["policy"][auth_type] = pairs(&left);
                }
            }
        }
        GuestKind::Mutation { mutation } => {
            json["kind"] = "mutation".into();
            json["mutation"] = mutation.as_str().into();
        }
    }
    json["about"] = info.about.clone();
    json["faults"] = info.status.faults.into();
    json["suspended_seconds"] = info.status.suspended.map(|left| left.as_secs() + 1).into();
    json
}

fn pairs(needs: &[(String, String)]) -> Json {
    needs.iter().map(|(verb, object)| json!([verb, object])).collect()
}

fn refused_json(refused: &Refused) -> Json {
    json!({
        "source": refused.source.to_string(),
        "digest": refused.digest.map(|digest| format!("sha256:{digest}")),
        "reason": refused.reason,
        "kept": refused.kept,
        "duplicate": refused.duplicate,
    })
}

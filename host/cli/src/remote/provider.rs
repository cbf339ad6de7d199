//! `countersign provider list`, `show`, `apply`, `diff`, `delete`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use http::Method;
use serde_json::{Value as Json, json};

use super::apply::{Plan, providers};
use super::gateway::Gateway;
use super::payload::{self, Payload};
use super::{promote, table, text};
use crate::arguments::{NewOrigins, RemoteProvider as Wanted};
use crate::confirm;
use crate::failure::Failure;
use crate::output::Output;

pub(super) async fn run(provider: &Wanted, output: &Output) -> Result<ExitCode, Failure> {
    match provider {
        Wanted::List { gateway, json } => {
            let providers = providers(&Gateway::open(gateway).await?).await?;
            if *json {
                output.json(&json!({"providers": providers}))?;
            } else {
                output.text(&table(&providers.iter().map(row).collect::<Vec<_>>()))?;
            }
        }
        Wanted::Show { gateway, name, json } => {
            let providers = providers(&Gateway::open(gateway).await?).await?;
            let provider = payload::named(&providers, name)?;
            let payload = Payload::of(provider.clone()).filter(|_| !json);
            output.json(&payload.map_or_else(|| provider.clone(), |it| it.json()))?;
        }
        Wanted::Apply { gateway, files, new_origins, json } => {
            // What cannot be read is found before anything is changed.
            let files = payload::files(files)?;
            let payloads = files.iter().map(|it| Payload::read(it)).collect::<Result<Vec<_>, _>>();
            let payloads: Vec<_> = files.into_iter().zip(payloads?).collect();
            let gateway = Gateway::open(gateway).await?;
            let mut told = Vec::new();
            let done = apply(&gateway, payloads, *new_origins, *json, &mut told, output).await;
            if *json {
                output.json(&Json::Array(told))?;
            }
            done?;
        }
        Wanted::Diff { gateway, file, json } => return diff(gateway, file, *json, output).await,
        Wanted::Delete { gateway, name, yes, json } => {
            let gateway = Gateway::open(gateway).await?;
            let providers = providers(&gateway).await?;
            let identifier = text(payload::named(&providers, name)?, "identifier");
            let question = format!("Delete the provider {identifier} at {}?", gateway.host());
            let undone = format!("the provider {identifier} was not deleted");
            confirm::demand(*yes, &question, &undone)?;
            let path = ["custom-providers", &identifier];
            gateway.call(Method::DELETE, &path, &[], None).await?;
            output.done(
                &format!("deleted {identifier}"),
                &json!({"deleted": identifier}),
                *json,
            )?;
        }
        Wanted::Promote { name, from, to, trust, new_origins, yes, json } => {
            let way = promote::Way { from, to, trust };
            promote::run(&way, name, *new_origins, *yes, *json, output).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// One after the other, as far as it goes; what was done is in `told` however that ends.
async fn apply(
    gateway: &Gateway,
    payloads: Vec<(PathBuf, Payload)>,
    new_origins: Option<NewOrigins>,
    json: bool,
    told: &mut Vec<Json>,
    output: &Output,
) -> Result<(), Failure> {
    for (file, payload) in payloads {
        // A payload before this one may have made or renamed a provider.
        let plan = Plan::new(payload, &providers(gateway).await?);
        let file = file.display().to_string();
        let done = plan.carry_out(gateway, new_origins).await;
        let identifier = done.map_err(|failure| failure.about(&file))?;
        let word = match plan.word() {
            "create" => "created",
            "update" => "updated",
            word => word,
        };
        if json {
            let mut line = plan.json();
            line["file"] = file.into();
            line["identifier"] = identifier.into();
            line["action"] = word.into();
            told.push(line);
        } else {
            let difference =
                if word == "updated" { plan.difference(output) } else { String::new() };
            output.text(&format!("{word} {identifier} ({file})\n{difference}"))?;
        }
    }
    Ok(())
}

async fn diff(
    gateway: &crate::arguments::Gateway,
    file: &Path,
    json: bool,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let payload = Payload::read(file)?;
    let plan = Plan::new(payload, &providers(&Gateway::open(gateway).await?).await?);
    if json {
        output.json(&plan.json())?;
    } else {
        output.text(&format!("{} {}\n{}", plan.word(), plan.name(), plan.difference(output)))?;
    }
    Ok(if plan.changes_nothing() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn row(provider: &Json) -> Vec<String> {
    let patterns = provider["auth_patterns"].as_array().into_iter().flatten();
    let types: Vec<&str> = patterns.filter_map(|it| it["type"].as_str()).collect();
    let member = |name| text(provider, name);
    vec![member("identifier"), types.join(","), member("proxy_url"), member("display_name")]
}

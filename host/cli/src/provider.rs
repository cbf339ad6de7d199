//! `countersign provider check`: every problem of each payload at once. The others of `provider` are
//! a gateway's matter.

mod missing;

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use countersign::egress::EgressConfig;
use countersign::problem::{Problem, Severity};
use countersign::provider::Provider;
use countersign::registry::GuestKind;
use countersign::{Countersign, Egress, Registry};
use serde_json::{Value as Json, json};

use crate::arguments::{self, Global};
use crate::failure::Failure;
use crate::host::{self, Host};
use crate::json;
use crate::output::Output;
use crate::pattern_settings::PatternSettings;
use crate::remote;

use missing::Wanted;

pub(crate) fn run(
    global: &Global,
    provider: &arguments::Provider,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let (files, json) = match provider {
        arguments::Provider::Check { files, json } => (files, json),
        arguments::Provider::Remote(remote) => return remote::provider(remote, output),
    };
    let Host { sandbox, registry } = Host::start(global)?;
    let known = Known::of(&registry);
    let egress = Egress::new(EgressConfig::default()).context("setting up the way out")?;
    let plugins = Countersign::builder(sandbox, registry, egress).build();
    let runtime = host::runtime()?;
    let mut good = true;
    let mut reports = Vec::new();
    for file in files {
        let problems = runtime.block_on(check(file, &known, &plugins));
        let bad = problems.iter().any(|it| it.severity == Severity::Error);
        good &= !bad;
        if *json {
            reports.push(report(file, bad, &problems));
        } else {
            output.text(&describe(file, bad, &problems))?;
        }
    }
    if *json {
        output.json(&Json::Array(reports))?;
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What this host has components for.
struct Known {
    auth_types: Vec<String>,
    settings: PatternSettings,
    mutations: Vec<String>,
    wanted: Wanted,
}

impl Known {
    fn of(registry: &Registry) -> Self {
        let serving = registry.listing().serving;
        let wanted = Wanted::of(&serving);
        let mutations = serving.iter().filter_map(|it| match &it.kind {
            GuestKind::Mutation { mutation } => Some(mutation.clone()),
            GuestKind::Plugin { .. } => None,
        });
        let settings = PatternSettings::of(&serving);
        Self { auth_types: registry.auth_types(), settings, mutations: mutations.collect(), wanted }
    }

    /// What the payload wants and this host does not have; asked of the JSON, so that it is told
    /// beside whatever else is wrong.
    fn lacks(&self, payload: &Json) -> Vec<Problem> {
        let mut problems = Vec::new();
        let patterns = payload["auth_patterns"].as_array().into_iter().flatten();
        for (nth, pattern) in patterns.enumerate() {
            let path = format!("auth_patterns[{nth}]");
            if let Some(wanted) = pattern["type"].as_str().filter(|it| !it.is_empty())
                && !self.auth_types.iter().any(|known| known == wanted)
            {
                let fix = format!(
                    "use one of {}, or name the folder of the plugin with --plugins",
                    self.auth_types.join(", ")
                );
                problems.push(error(
                    format!("{path}.type"),
                    "is a type that no loaded plugin answers to",
                    fix,
                ));
            }
            let mutations = pattern["auth_field_mutations"].as_object().into_iter().flatten();
            for (target, mutation) in mutations {
                if let Some(wanted) = mutation["mutation"].as_str()
                    && !self.mutations.iter().any(|known| known == wanted)
                {
                    problems.push(error(
                        format!("{path}.auth_field_mutations.{target}.mutation"),
                        "is a mutation that no loaded component serves",
                        format!("use one of {}", self.mutations.join(", ")),
                    ));
                }
            }
        }
        problems
    }
}

async fn check(file: &Path, known: &Known, plugins: &Countersign) -> Vec<Problem> {
    let payload = match json::file(file) {
        Ok(payload) => payload,
        Err(failure) => {
            return vec![error(String::new(), failure.message(), failure.fix().to_owned())];
        }
    };
    let mut problems: Vec<Problem> = match Provider::parse(&payload) {
        Ok(provider) => {
            let provider = Arc::new(provider);
            let mut problems = provider.warnings().to_vec();
            problems.extend(known.wanted.warnings(&provider));
            problems.extend(missing::refused(plugins, &provider).await);
            problems
        }
        Err(problems) => problems.iter().cloned().collect(),
    };
    let auth_type = |nth: usize| payload["auth_patterns"][nth]["type"].as_str();
    problems.retain(|it| !known.settings.explain(it, auth_type));
    problems.extend(known.lacks(&payload));
    problems
}

fn error(path: String, what: &str, fix: String) -> Problem {
    Problem { path, severity: Severity::Error, what: what.to_owned(), fix }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn describe(file: &Path, bad: bool, problems: &[Problem]) -> String {
    let verdict = if bad { "refused" } else { "ok" };
    let mut text = format!("{}: {verdict}\n", file.display());
    for problem in problems {
        let place = if problem.path.is_empty() { "the document" } else { &problem.path };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {}: {place} {}", word(problem.severity), problem.what);
        let _ = writeln!(text, "    fix: {}", problem.fix);
    }
    text
}

fn report(file: &Path, bad: bool, problems: &[Problem]) -> Json {
    let problems = problems.iter().map(|it| {
        json!({
            "path": it.path,
            "severity": word(it.severity),
            "what": it.what,
            "fix": it.fix,
        })
    });
    json!({
        "file": file.display().to_string(),
        "ok": !bad,
        "problems": problems.collect::<Vec<_>>(),
    })
}

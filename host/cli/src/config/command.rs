//! `countersign config`: a configuration checked, or shown.

use std::process::ExitCode;

use serde_json::{Value as Json, json};

use super::{Configuration, Layers, Problem, document, refused};
use crate::arguments::Config;
use crate::failure::Failure;
use crate::output::Output;

/// Runs one of the two.
pub(crate) fn run(layers: &Layers, config: &Config, output: &Output) -> Result<ExitCode, Failure> {
    match config {
        Config::Check { json, .. } => check(layers, *json, output),
        Config::Print { defaults, .. } => {
            let settings = if *defaults {
                Configuration::default()
            } else {
                layers.load().map_err(|problems| refused(&problems))?.settings
            };
            output.text(&document::toml(&settings))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn check(layers: &Layers, json: bool, output: &Output) -> Result<ExitCode, Failure> {
    let (file, problems) = match layers.load() {
        Ok(loaded) => (loaded.file, Vec::new()),
        Err(problems) => (None, problems),
    };
    let good = problems.is_empty();
    if json {
        let list: Vec<Json> = problems
            .iter()
            .map(|it| json!({"key": it.key, "message": it.what, "source": it.source}))
            .collect();
        output.json(&json!({"valid": good, "problems": list}))?;
    } else if good {
        let file = file.map_or("no file".to_owned(), |file| file.display().to_string());
        output.text(&format!("the configuration is good ({file})\n"))?;
    } else {
        let lines: Vec<String> = problems.iter().map(Problem::to_line).collect();
        output.text(&format!("{}\n", lines.join("\n")))?;
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

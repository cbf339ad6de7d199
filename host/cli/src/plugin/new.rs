//! `countersign plugin new`.

use std::path::PathBuf;
use std::process::ExitCode;

use countersign_build::{Language, Skeleton};
use serde_json::json;

use super::build::failure;
use crate::arguments::NewPlugin;
use crate::codes;
use crate::failure::Failure;
use crate::output::Output;

pub(super) fn run(arguments: &NewPlugin, output: &Output) -> Result<ExitCode, Failure> {
    let name = arguments.name.clone();
    let folder = arguments.dir.clone().unwrap_or_else(|| PathBuf::from(name.as_str()));
    let auth_type = arguments.auth_type.clone().unwrap_or_else(|| name.auth_type());
    let sdk = arguments.sdk.clone().unwrap_or_default();
    let language = Language::from(arguments.lang);
    if language != Language::Rust && arguments.sdk.is_some() {
        let what = format!("--sdk is for Rust; a project in {language} has the contract alone");
        return Err(Failure::new(codes::PROJECT_INVALID, what));
    }
    let skeleton = Skeleton { name, auth_type, language, sdk };
    skeleton.write(&folder).map_err(|error| failure(&error))?;
    let (name, auth_type) = (skeleton.name.as_str(), skeleton.auth_type.as_str());
    let shown = folder.display();
    let document = json!({"project": shown.to_string(), "name": name, "auth_type": auth_type});
    let (prepare, flag) = match language {
        Language::JavaScript => ("npm install", format!(" --interpreted {name}")),
        Language::Python => (
            "python3 -m venv .venv\n  .venv/bin/pip install -r requirements.txt",
            format!(" --interpreted {name}"),
        ),
        Language::Rust => ("cargo test", String::new()),
    };
    let what = format!(
        "{shown} is a project of a plugin for {auth_type}. What next:\n  \
         cd {shown}\n  {prepare}\n  countersign plugin build\n  \
         countersign plugin test {name}.wasm{flag}\nIts README.md leads on to a served request."
    );
    output.done(&what, &document, arguments.json)?;
    Ok(ExitCode::SUCCESS)
}

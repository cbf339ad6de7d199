//! `countersign plugin new`.

use std::path::PathBuf;
use std::process::ExitCode;

use countersign_build::Skeleton;
use serde_json::json;

use super::build::failure;
use crate::arguments::NewPlugin;
use crate::failure::Failure;
use crate::output::Output;

pub(super) fn run(arguments: &NewPlugin, output: &Output) -> Result<ExitCode, Failure> {
    let name = arguments.name.clone();
    let folder = arguments.dir.clone().unwrap_or_else(|| PathBuf::from(name.as_str()));
    let auth_type = arguments.auth_type.clone().unwrap_or_else(|| name.auth_type());
    let sdk = arguments.sdk.clone().unwrap_or_default();
    let skeleton = Skeleton { name, auth_type, sdk };
    skeleton.write(&folder).map_err(|error| failure(&error))?;
    let (name, auth_type) = (skeleton.name.as_str(), skeleton.auth_type.as_str());
    let shown = folder.display();
    let document = json!({"project": shown.to_string(), "name": name, "auth_type": auth_type});
    let what = format!(
        "{shown} is a project of a plugin for {auth_type}. What next:\n  \
         cd {shown}\n  cargo test\n  countersign plugin build\n  \
         countersign plugin test {name}.wasm\nIts README.md leads on to a served request."
    );
    output.done(&what, &document, arguments.json)?;
    Ok(ExitCode::SUCCESS)
}

//! What projects of languages with an interpreter have in common: a manifest that names the plugin's
//! world, the contract beside it, and a tool that makes a whole component.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Built;
use crate::skeleton::Name;
use crate::{Error, IMPORTS, component, rust};

/// The worlds of the contract.
const WORLDS: [&str; 3] = ["auth-plugin", "flow-plugin", "mutation-plugin"];
/// The folder of the contract, in a project.
pub(super) const CONTRACT: &str = "wit";

/// What a manifest says of the plugin.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) root: PathBuf,
    pub(super) name: String,
    pub(super) world: String,
}

impl Said {
    /// Of a project in `root`, where `manifest` says these. The name goes into file names, so it is
    /// one that a new project may have.
    pub(super) fn of(
        root: &Path,
        manifest: &str,
        name: Option<&str>,
        world: Option<&str>,
    ) -> Result<Self, Error> {
        let wrong = |what: String| Error::project(root, what);
        let name = name.ok_or_else(|| wrong(format!("its {manifest} has no `name`")))?;
        if let Err(refused @ crate::skeleton::Refused::Name) = name.parse::<Name>() {
            return Err(wrong(format!("`name` of its {manifest}: {refused}")));
        }
        let world = world.unwrap_or(WORLDS[0]);
        if !WORLDS.contains(&world) {
            let worlds = WORLDS.join(", ");
            return Err(wrong(format!("`world` of its {manifest} is one of {worlds}")));
        }
        if !root.join(CONTRACT).is_dir() {
            return Err(wrong(format!(
                "it has no folder `{CONTRACT}` with the contract; `countersign plugin new` makes one \
                 that has it"
            )));
        }
        Ok(Self { root: root.to_owned(), name: name.to_owned(), world: world.to_owned() })
    }

    /// The file that the project's manifest names as the plugin's source.
    pub(super) fn source(&self, path: PathBuf) -> Result<PathBuf, Error> {
        if self.root.join(&path).is_file() {
            return Ok(path);
        }
        Err(Error::project(&self.root, format!("there is no {} in it", path.display())))
    }
}

/// Runs the language's tool, which is to leave a component in the file whose path `give` puts among
/// its arguments.
pub(super) fn made(
    said: &Said,
    tool: &'static str,
    mut command: Command,
    give: impl FnOnce(&mut Command, &Path),
    missing: impl FnOnce() -> Error,
) -> Result<Built, Error> {
    let folder = tempfile::Builder::new().prefix("countersign-build-").tempdir();
    let folder = folder.map_err(Error::io(std::env::temp_dir()))?;
    let file = folder.path().join("plugin.wasm");
    give(&mut command, &file);
    rust::withhold(&mut command);
    // What it says is for the author; standard output is for the command's own answer.
    command.current_dir(&said.root).stdin(Stdio::null()).stdout(Stdio::piped());
    let output = match command.output_inherited() {
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Err(missing()),
        other => other.map_err(Error::io(command.get_program()))?,
    };
    if !output {
        return Err(Error::Failed { tool, project: said.name.clone() });
    }
    let component = fs::read(&file).map_err(Error::io(&file))?;
    let component = component::of_component(&component, IMPORTS)?;
    Ok(Built { component, with: tool.to_owned() })
}

/// A command whose standard output goes to this program's standard error.
trait Inherited {
    fn output_inherited(&mut self) -> std::io::Result<bool>;
}

impl Inherited for Command {
    fn output_inherited(&mut self) -> std::io::Result<bool> {
        use std::io::Write as _;
        let output = self.stderr(Stdio::inherit()).output()?;
        // Where nobody reads it, nothing is lost.
        let _ = std::io::stderr().write_all(&output.stdout);
        Ok(output.status.success())
    }
}

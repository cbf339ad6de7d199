//! A module of Python that makes a plugin: componentize-py puts it into CPython, with what it imports, and
//! keeps the interpreter's memory as it is once the module has been imported.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use toml::{Table, Value};

use super::Built;
use super::script::{self, CONTRACT, Said};
use crate::Error;

/// What makes a folder one.
pub(super) const MANIFEST: &str = "pyproject.toml";
const TOOL: &str = "componentize-py";
/// Where a venv is that an author has made beside the project's sources.
const VENV: &str = ".venv";

/// A module, and the folder that it is imported from.
#[derive(Clone, Debug)]
pub struct Module {
    said: Said,
    folder: PathBuf,
    /// What it is imported by.
    import: String,
}

impl Module {
    pub(super) fn open(root: &Path) -> Result<Self, Error> {
        let path = root.join(MANIFEST);
        let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
        let manifest: Table = text
            .parse()
            .map_err(|cause| Error::project(root, format!("its {MANIFEST} is no TOML: {cause}")))?;
        let word = |path: &[&str]| {
            let (last, tables) = path.split_last()?;
            let mut table = &manifest;
            for name in tables {
                table = table.get(*name)?.as_table()?;
            }
            table.get(*last).and_then(Value::as_str)
        };
        let source = word(&["tool", "countersign", "source"]).map(PathBuf::from);
        let module = source.as_deref().and_then(Path::file_stem).and_then(|it| it.to_str());
        let (Some(source), Some(module)) = (&source, module) else {
            let what = "its pyproject.toml names no plugin; put `source = \"src/plugin.py\"` under \
                        [tool.countersign]";
            return Err(Error::project(root, what));
        };
        let name = word(&["project", "name"]);
        let said = Said::of(root, MANIFEST, name, word(&["tool", "countersign", "world"]))?;
        let source = said.source(source.clone())?;
        let folder = source.parent().filter(|it| !it.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).to_owned();
        Ok(Self { said, folder, import: module.to_owned() })
    }

    pub(super) fn name(&self) -> &str {
        &self.said.name
    }

    pub(super) fn build(&self) -> Result<Built, Error> {
        let root = &self.said.root;
        let mut tool = Command::new(tool(root));
        tool.args(["--wit-path", CONTRACT, "--world", &self.said.world, "--quiet"]);
        // WASI is stubbed: no plugin has a clock, files or a network.
        tool.args(["componentize", "--stub-wasi", "--python-path"]).arg(&self.folder);
        tool.arg(&self.import).arg("--output");
        script::made(
            &self.said,
            TOOL,
            tool,
            |tool, file| {
                tool.arg(file);
            },
            || Error::Missing {
                tool: TOOL.to_owned(),
                cure: format!(
                    "in {}: `python3 -m venv {VENV}` and `{VENV}/bin/pip install -r requirements.txt` (on \
                     Debian first `apt-get install python3-venv`)",
                    root.display(),
                ),
            },
        )
    }
}

/// The project's own, that of the venv which is active, or the one on the path.
fn tool(root: &Path) -> PathBuf {
    let active = env::var_os("VIRTUAL_ENV").map(PathBuf::from);
    let venvs = [Some(root.join(VENV)), active];
    let found = venvs.into_iter().flatten().map(|venv| venv.join("bin").join(TOOL));
    found.into_iter().find(|program| program.is_file()).unwrap_or_else(|| TOOL.into())
}

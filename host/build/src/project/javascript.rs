//! A package of npm that makes a plugin: esbuild puts its modules into one, and componentize-js puts
//! that into a JavaScript engine (StarlingMonkey), whose heap it keeps as it is once the module has run.
//!
//! Both are dependencies of the project itself, as its author has installed them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use super::Built;
use super::script::{self, CONTRACT, Said};
use crate::Error;

/// What makes a folder one.
pub(super) const MANIFEST: &str = "package.json";
/// Where a manifest says what is the plugin: `"countersign": { "source": "src/plugin.ts" }`.
const SOURCE: &str = "/countersign/source";
const WORLD: &str = "/countersign/world";
/// What node runs: it takes the source, the contract, the world and the file to write.
const SCRIPT: &str = include_str!("javascript.mjs");
/// What the script imports from the project.
const PACKAGES: [&str; 2] = ["@bytecodealliance/componentize-js", "esbuild"];

/// A JavaScript or TypeScript module.
#[derive(Clone, Debug)]
pub struct Module {
    said: Said,
    source: PathBuf,
}

impl Module {
    pub(super) fn open(root: &Path) -> Result<Self, Error> {
        let path = root.join(MANIFEST);
        let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
        let manifest: Json = serde_json::from_str(&text)
            .map_err(|cause| Error::project(root, format!("its {MANIFEST} is no JSON: {cause}")))?;
        let word = |pointer| manifest.pointer(pointer).and_then(Json::as_str);
        let source = word(SOURCE).ok_or_else(|| {
            let what = "its package.json names no plugin; put \
                        `\"countersign\": { \"source\": \"src/plugin.ts\" }` there";
            Error::project(root, what)
        })?;
        let said = Said::of(root, MANIFEST, word("/name"), word(WORLD))?;
        let source = said.source(source.into())?;
        Ok(Self { said, source })
    }

    pub(super) fn name(&self) -> &str {
        &self.said.name
    }

    pub(super) fn build(&self) -> Result<Built, Error> {
        let root = &self.said.root;
        let modules: Vec<PathBuf> = root.ancestors().map(|it| it.join("node_modules")).collect();
        for package in PACKAGES {
            if !modules.iter().any(|folder| folder.join(package).join(MANIFEST).is_file()) {
                return Err(Error::Missing {
                    tool: format!("the package {package}"),
                    cure: format!("`npm install` in {}", root.display()),
                });
            }
        }
        let mut node = Command::new("node");
        node.args(["--input-type=module", "--eval", SCRIPT, "--"]);
        node.arg(&self.source).arg(CONTRACT).arg(&self.said.world);
        script::made(
            &self.said,
            "componentize-js",
            node,
            |node, file| {
                node.arg(file);
            },
            || {
                Error::Missing {
                tool: "node".to_owned(),
                cure: "install Node.js, 20 or newer, from https://nodejs.org or by your system's packages"
                    .to_owned(),
            }
            },
        )
    }
}

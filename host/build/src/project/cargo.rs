//! A Rust crate that makes a plugin.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value as Json;

use super::Built;
use crate::rust::{self, Crate, Route};
use crate::{Error, IMPORTS, component};

/// What makes a folder one.
pub(super) const MANIFEST: &str = "Cargo.toml";

/// Bytes of stack where a manifest says nothing: with the SDK's arena, and the constants of an
/// ordinary plugin, two pages of memory, which is what the sandbox keeps for the next call.
pub(super) const STACK: u32 = 48 << 10;
/// Where a manifest says it: `[package.metadata.countersign] stack = 16384`.
const STACK_POINTER: &str = "/metadata/countersign/stack";
/// The least stack that the SDK's own code runs on, and the most that leaves room in 8 MiB.
const STACKS: std::ops::RangeInclusive<u64> = 8 << 10..=4 << 20;

/// A crate, as `cargo metadata` tells of it.
#[derive(Clone, Debug)]
pub struct Package {
    root: PathBuf,
    pub(super) name: String,
    pub(super) id: String,
    library: String,
    target: PathBuf,
    pub(super) stack: u32,
}

impl Package {
    /// The crate of this folder, whose path is absolute.
    pub(super) fn open(folder: &Path) -> Result<Self, Error> {
        let manifest = folder.join(MANIFEST);
        let mut cargo = rust::cargo(folder);
        cargo.args(["metadata", "--no-deps", "--format-version", "1"]).stderr(Stdio::inherit());
        let output = rust::run(&mut cargo, std::process::Command::output)?;
        let metadata = serde_json::from_slice(&output.stdout).unwrap_or(Json::Null);
        if !output.status.success() || metadata.is_null() {
            return Err(Error::project(folder, "cargo cannot read its Cargo.toml"));
        }
        Self::of_metadata(folder, &manifest, &metadata)
    }

    /// As `cargo metadata` tells of the package of this manifest.
    fn of_metadata(folder: &Path, manifest: &Path, metadata: &Json) -> Result<Self, Error> {
        let wrong = |what: &str| Error::project(folder, what);
        let path = |json: &Json| json.as_str().map(PathBuf::from);
        let mut packages = metadata["packages"].as_array().into_iter().flatten();
        let package = packages
            .find(|it| it["manifest_path"].as_str().is_some_and(|it| Path::new(it) == manifest))
            .ok_or_else(|| wrong("its Cargo.toml has no [package]; name the folder of one"))?;
        let mut targets = package["targets"].as_array().into_iter().flatten();
        let library = targets
            .find(|it| it["crate_types"].as_array().is_some_and(|it| it.contains(&"cdylib".into())))
            .ok_or_else(|| {
                wrong(
                    "it is no library that a component can be made of; put `crate-type = \
                     [\"cdylib\", \"rlib\"]` under [lib] in its Cargo.toml",
                )
            })?;
        let stack = match package.pointer(STACK_POINTER) {
            None => STACK,
            Some(json) => json
                .as_u64()
                .filter(|bytes| STACKS.contains(bytes) && bytes % 16 == 0)
                .and_then(|bytes| u32::try_from(bytes).ok())
                .ok_or_else(|| {
                    wrong(
                        "`stack` under [package.metadata.countersign] is a number of bytes, a \
                         multiple of 16 from 8192 to 4194304",
                    )
                })?,
        };
        let complete = (|| {
            Some(Self {
                root: path(&metadata["workspace_root"])?,
                name: package["name"].as_str()?.to_owned(),
                id: package["id"].as_str()?.to_owned(),
                library: library["name"].as_str()?.to_owned(),
                target: path(&metadata["target_directory"])?,
                stack,
            })
        })();
        complete.ok_or_else(|| wrong("this version of cargo tells too little of it"))
    }

    /// The name of the project, and of its component's file.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Builds it. What the tool has to say goes to standard error.
    pub(super) fn build(&self) -> Result<Built, Error> {
        let route = Route::find(&self.root)?;
        let module = Crate {
            root: &self.root,
            alias: "/plugin",
            package: &self.name,
            // A crate far below may be called the same.
            spec: &self.id,
            library: &self.library,
            profile: "release",
            stack: self.stack,
            target: &self.target,
            arguments: &[],
            flags: &given_flags(),
        };
        let component = component::of_module(&module.module(&route)?, IMPORTS)?;
        Ok(Built { component, with: route.to_string() })
    }
}

/// The flags that whoever runs this gives for every crate; ours would replace them.
fn given_flags() -> Vec<String> {
    let given = |name: &str, separator: char| {
        let text = env::var(name).ok().filter(|text| !text.is_empty())?;
        Some(text.split(separator).filter(|it| !it.is_empty()).map(str::to_owned).collect())
    };
    // The first is what cargo itself prefers.
    given("CARGO_ENCODED_RUSTFLAGS", '\x1f').or_else(|| given("RUSTFLAGS", ' ')).unwrap_or_default()
}

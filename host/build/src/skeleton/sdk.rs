//! The SDK and the contract, as this program was built with them.
//!
//! The SDK stands in a workspace; a copy of it stands alone, so what its manifest inherits is written
//! out. Its tests stay behind, and so do its own lints.

use std::path::Path;

use toml::{Table, Value};

use crate::Error;

macro_rules! texts {
    ($folder:literal: $($file:literal),* $(,)?) => {
        &[$((
            $file,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../", $folder, "/", $file)),
        )),*]
    };
}

/// All that the SDK is built from.
pub(super) const SDK: &[(&str, &str)] = texts!["plugins/sdk":
    "src/arena.rs",
    "src/base64.rs",
    "src/bindings.rs",
    "src/context.rs",
    "src/descriptor.rs",
    "src/edit.rs",
    "src/export.rs",
    "src/export/guest.rs",
    "src/flow.rs",
    "src/flow/callback.rs",
    "src/flow/client.rs",
    "src/flow/json.rs",
    "src/flow/pkce.rs",
    "src/flow/state.rs",
    "src/flow/token.rs",
    "src/form.rs",
    "src/header.rs",
    "src/lib.rs",
    "src/placed.rs",
    "src/plugin.rs",
    "src/refusal.rs",
    "src/values.rs",
];

/// The contract.
pub(super) const WIT: &[(&str, &str)] = texts!["wit":
    "authorizer.wit",
    "context.wit",
    "flow.wit",
    "mutator.wit",
    "types.wit",
    "worlds.wit",
];

const MANIFESTS: [(&str, &str); 2] = [
    ("plugins/sdk/Cargo.toml", include_str!("../../../../plugins/sdk/Cargo.toml")),
    ("Cargo.toml", include_str!("../../../../Cargo.toml")),
];
const LICENCE: &str = include_str!("../../../../LICENSE");

/// How a file of the SDK says that it has tests.
const TESTS: &str = "\n#[cfg(test)]\nmod tests;\n";

/// The files of `sdk/` and `wit/`, by their paths in a project.
pub(super) fn copy() -> Result<Vec<(String, String)>, Error> {
    let [sdk, workspace] = MANIFESTS.map(|(name, text)| {
        text.parse::<Table>().map_err(|cause| Error::Malformed(format!("{name}: {cause}")))
    });
    let manifest = alone(sdk?, &workspace?);
    let mut files = vec![
        ("sdk/Cargo.toml".to_owned(), manifest.to_string()),
        ("sdk/LICENSE".to_owned(), LICENCE.to_owned()),
    ];
    // The contract lies one folder nearer than in the workspace.
    let source = |text: &str| text.replace(TESTS, "").replace("\"../../wit\"", "\"../wit\"");
    files.extend(SDK.iter().map(|(name, text)| (format!("sdk/{name}"), source(text))));
    files.extend(contract());
    Ok(files)
}

/// The files of `wit/`, likewise.
pub(super) fn contract() -> impl Iterator<Item = (String, String)> {
    WIT.iter().map(|(name, text)| (format!("wit/{name}"), (*text).to_owned()))
}

/// The manifest of a package, with what it inherits from its workspace written out.
fn alone(mut manifest: Table, workspace: &Table) -> Table {
    manifest.remove("dev-dependencies");
    manifest.remove("lints");
    let inherited = |section: &str, key: &str| {
        workspace
            .get("workspace")
            .and_then(|it| it.get(section))
            .and_then(|it| it.get(key))
            .cloned()
    };
    for (section, shared) in [("package", "package"), ("dependencies", "dependencies")] {
        let Some(Value::Table(section)) = manifest.get_mut(section) else { continue };
        for (key, value) in section.iter_mut() {
            let Value::Table(own) = value else { continue };
            if own.remove("workspace") != Some(Value::Boolean(true)) {
                continue;
            }
            *value = match (inherited(shared, key), std::mem::take(own)) {
                (Some(found), own) if own.is_empty() => found,
                // The package's own words go beside the workspace's.
                (Some(Value::Table(found)), own) => Value::Table(merged(found, own)),
                (Some(version), own) => {
                    let found = Table::from_iter([("version".to_owned(), version)]);
                    Value::Table(merged(found, own))
                }
                (None, own) => Value::Table(own),
            };
        }
    }
    manifest
}

fn merged(mut shared: Table, own: Table) -> Table {
    for (key, value) in own {
        match (shared.get_mut(&key), value) {
            (Some(Value::Array(both)), Value::Array(more)) => both.extend(more),
            (_, value) => _ = shared.insert(key, value),
        }
    }
    shared
}

/// The absolute path of a folder that has the SDK in it.
pub(super) fn checked(folder: &Path) -> Result<String, Error> {
    let folder = folder.canonicalize().map_err(Error::io(folder))?;
    let manifest = folder.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest).map_err(Error::io(&manifest))?;
    let name = text.parse::<Table>().ok().and_then(|it| it.get("package")?.get("name").cloned());
    if name != Some(Value::from("countersign-plugin")) {
        return Err(Error::project(&folder, "it is not the folder of the SDK, countersign-plugin"));
    }
    let path = folder.to_str().map(ToOwned::to_owned);
    path.ok_or_else(|| Error::project(&folder, "its path is not UTF-8"))
}

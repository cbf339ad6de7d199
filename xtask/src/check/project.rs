//! A new project is what its README says: it passes its tests, it builds, and what is built puts the
//! credential on a request.
//!
//! As an author has it: the command makes the project, cargo and the command work in it, and a request
//! of the command shows an upstream on loopback what the plugin answers. The crates are those that the
//! workspace has fetched, by its own lock file.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail, ensure};
use jiff::Timestamp;
use serde_json::Value as Json;

use super::{
    built,
    curl::output,
    upstream::{Upstream, seen},
};
use crate::plugins::cargo;

/// Called as a crate far below its dependencies is: cargo has to be told which of the two is meant.
const NAME: &str = "digest";

/// Makes one, and goes the way from there to a request that is served.
pub(super) fn served(root: &Path) -> Result<String> {
    let folder = root.join("target/check/project");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let project = folder.join(NAME);
    let place = project.to_str().context("a path is not UTF-8")?;
    countersign(root, &["plugin", "new", NAME, "--auth-type", "X_MY_API", "--dir", place])?;
    fs::copy(root.join("Cargo.lock"), project.join("Cargo.lock"))?;

    // What the crates come to is kept for the next time.
    let config = "[build]\ntarget-dir = \"project-target\"\n[net]\noffline = true\n";
    fs::create_dir_all(root.join("target/check/.cargo"))?;
    fs::write(root.join("target/check/.cargo/config.toml"), config)?;
    let tests = output(cargo(&project).args(["test", "--quiet"]))?;
    ensure!(tests.contains(" passed; 0 failed;"), "the project runs no test:\n{tests}");
    let built = countersign(root, &["plugin", "build", place, "--json"])?;
    let built: Json = serde_json::from_str(&built)?;
    ensure!(built["accepted"] == true, "no host would accept it: {built:#}");
    ensure!(built["auth_types"] == serde_json::json!(["X_MY_API"]), "{built:#}");
    ensure!(built["notes"] == serde_json::json!([]), "{built:#}");

    let component = project.join(NAME).with_extension("wasm");
    let [component, vectors] = [component, project.join("vectors")];
    let paths = [component.to_str(), vectors.to_str()].map(Option::unwrap_or_default);
    let tested = countersign(root, &["plugin", "test", paths[0], paths[1], "--json"])?;
    let tested: Json = serde_json::from_str(&tested)?;
    ensure!(tested["findings"] == serde_json::json!([]), "{tested:#}");

    let upstream = Upstream::start(root, &["api.example.com"])?;
    let [provider, account] = ["provider.json", "account.json"].map(|it| format!("{place}/{it}"));
    let inputs = ["--plugins", place, "--provider", &provider, "--account", &account];
    let mut request = vec!["request", "--log", "error"];
    request.extend(inputs);
    request.extend(upstream.arguments.iter().map(String::as_str));
    request.push("/v1/things");
    let reply: Json = serde_json::from_str(&countersign(root, &request)?)?;
    let [sent] = seen(&reply, "authorization")[..] else { bail!("the upstream saw {reply:#}") };

    // The same second once more, without sending it; and one that the vectors know.
    let time = sent.split(['=', ',']).nth(3).context("the credential has no time")?;
    for (now, expected) in [(time, sent.to_owned()), ("1700000000", vector(&project)?)] {
        let now = Timestamp::from_second(now.parse()?)?.to_string();
        let mut inject = vec!["inject", "--reveal", "--json", "--now", &now];
        inject.extend(inputs);
        inject.push("/v1/things");
        let answer: Json = serde_json::from_str(&countersign(root, &inject)?)?;
        let found = seen(&answer, "authorization");
        ensure!(found == [expected.as_str()], "{found:?} where {expected} was expected");
    }
    let (size, pages) = (&built["size"], &built["pages"]);
    Ok(format!("{size} bytes, {pages} pages, served"))
}

/// What the command writes, which ends well.
fn countersign(root: &Path, arguments: &[&str]) -> Result<String> {
    output(built::compiled_once(root)?.args(arguments))
}

/// The first credential of the project's vectors.
fn vector(project: &Path) -> Result<String> {
    let cases: Json = serde_json::from_slice(&fs::read(project.join("vectors/authorize.json"))?)?;
    let edit = cases.pointer("/cases/0/expect/edits/0/2").and_then(Json::as_str);
    Ok(edit.context("the first vector has no credential")?.to_owned())
}

//! `cargo xtask contract`: the contract held to what was recorded of it.
//!
//! The contract is a release candidate: a component of its track goes on working. What it was when
//! that began, or was last changed on purpose, is `tests/compat/contract.txt`, an item a line, without
//! comments. A test of this module fails where `wit/` says anything else, and tells of each item that
//! differs whether it breaks components that are out there. `cargo xtask contract record` writes the
//! record anew, where the version and the changelog say that it is meant.

mod change;
mod items;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use semver::Version;

use self::change::Change;
use self::items::Items;
use crate::plugins::{root, say};

/// What was recorded, from the workspace's folder.
const RECORD: &str = "tests/compat/contract.txt";

/// What the command line says.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(clap::Subcommand)]
enum Task {
    /// Compares `wit/` with what was recorded, and explains each difference.
    Check,
    /// Records `wit/` anew. Wants the new version in CHANGELOG.md, below Unreleased.
    Record,
}

/// Compares, or records.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    match arguments.task {
        Task::Check => say(&check(root())?),
        Task::Record => say(&record(root())?),
    }
    Ok(())
}

/// Fails with an explanation where `wit/` is not what was recorded.
fn check(root: &Path) -> Result<String> {
    let (recorded, now) = (recorded(root)?.context("nothing was recorded yet")?, now(root)?);
    let changes = change::between(&recorded, &now);
    if changes.is_empty() {
        return Ok(format!("the contract is what was recorded of {}", now.package()));
    }
    bail!("{}", explanation(&recorded, &now, &changes));
}

fn explanation(recorded: &Items, now: &Items, changes: &[Change]) -> String {
    let heading = format!("wit/ is not what was recorded of {}:", recorded.package());
    let mut lines = vec![heading];
    lines.extend(changes.iter().map(ToString::to_string));
    let (from, to) = (recorded.version(), now.version());
    lines.push(if changes.iter().any(Change::breaks) {
        let next = if is_of_track(from, to) { next_track(from) } else { to.clone() };
        format!(
            "This breaks components of the track {}, which are out there and must go on working. \
             Most wishes need no change of the contract: names, needs, flows and `about` are open \
             text. Otherwise it is another track: let wit/ say {next}, name `{}@{next}` in a line of \
             CHANGELOG.md below Unreleased that says what plugin authors have to do, see that the \
             host serves the old track beside it, and run `cargo xtask contract record`.",
            track(from),
            now.name()
        )
    } else {
        let next = if from == to { patched(from) } else { to.clone() };
        format!(
            "Nothing of this breaks components of the track. To record it on purpose: let wit/ say \
             {next}, name `{}@{next}` in a line of CHANGELOG.md below Unreleased, and run `cargo \
             xtask contract record`.",
            now.name()
        )
    });
    lines.join("\n")
}

/// Writes the record. On `Err` it is as it was.
fn record(root: &Path) -> Result<String> {
    let now = now(root)?;
    if let Some(recorded) = recorded(root)? {
        let changes = change::between(&recorded, &now);
        if changes.is_empty() {
            return Ok(format!("nothing to record: {} is as it was", now.package()));
        }
        let told = explanation(&recorded, &now, &changes);
        let (from, to) = (recorded.version(), now.version());
        ensure!(to > from, "{told}\nThe version is {to} and was {from}: nothing is recorded.");
        ensure!(
            !changes.iter().any(Change::breaks) || !is_of_track(from, to),
            "{told}\n{to} is of the same track as {from}: nothing is recorded."
        );
    }
    let changelog = fs::read_to_string(root.join("CHANGELOG.md")).context("CHANGELOG.md")?;
    let package = now.package();
    ensure!(
        unreleased(&changelog).any(|line| names(line, &package)),
        "no line of CHANGELOG.md below Unreleased names `{package}`: say there what has changed \
         for plugins and why. Nothing is recorded."
    );
    fs::write(root.join(RECORD), now.to_text()).context(RECORD)?;
    Ok(format!("recorded {package} in {RECORD}"))
}

fn recorded(root: &Path) -> Result<Option<Items>> {
    let path = root.join(RECORD);
    if !path.exists() {
        return Ok(None);
    }
    Items::of_text(&fs::read_to_string(path)?).context(RECORD).map(Some)
}

fn now(root: &Path) -> Result<Items> {
    Items::of_wit(&root.join("wit"))
}

/// The lines of the section, up to the next one.
fn unreleased(changelog: &str) -> impl Iterator<Item = &str> {
    let lines = changelog.lines().skip_while(|line| !line.starts_with("## Unreleased"));
    lines.skip(1).take_while(|line| !line.starts_with("## "))
}

/// Whether it names this version, and not one that begins with the same digits.
fn names(line: &str, package: &str) -> bool {
    line.match_indices(package).any(|(at, _)| {
        let rest = &line[at + package.len()..];
        let mut rest = rest.chars();
        match rest.next() {
            None => true,
            Some('.') => !rest.next().is_some_and(|it| it.is_ascii_digit()),
            Some(other) => !(other.is_ascii_alphanumeric() || matches!(other, '-' | '+')),
        }
    })
}

/// The versions that components and hosts match by, as semver has it.
fn is_of_track(from: &Version, to: &Version) -> bool {
    track(from) == track(to)
}

fn track(version: &Version) -> String {
    match (version.major, version.minor) {
        (0, 0) => version.to_string(),
        (0, minor) => format!("0.{minor}"),
        (major, _) => major.to_string(),
    }
}

fn next_track(version: &Version) -> Version {
    match version.major {
        0 => Version::new(0, version.minor + 1, 0),
        major => Version::new(major + 1, 0, 0),
    }
}

fn patched(version: &Version) -> Version {
    Version::new(version.major, version.minor, version.patch + 1)
}

#[cfg(test)]
mod tests;

//! The configuration of a server, out of its layers.
//!
//! From the weakest to the strongest: defaults, one TOML file, environment variables
//! (`COUNTERSIGN_LISTEN`, with `__` between a section and its key), flags, `--set KEY=VALUE`. On `Ok`
//! every key is known, every value fits, and what belongs together is there together; on `Err` all
//! that is wrong is told at once, by key, with no value.

mod command;
mod configuration;
mod document;
mod layers;
mod reader;
mod setting;

use std::path::{Path, PathBuf};

use countersign_vault::key::KeySource;

pub(crate) use command::run;
pub(crate) use configuration::{Configuration, Interpreted, Limits, Traces};
pub(crate) use layers::Layers;
pub(crate) use reader::Problem;
pub(crate) use setting::{Filter, Format};

use crate::codes;
use crate::failure::Failure;

/// The master key's file, in the data folder.
const KEY_FILE: &str = "master.key";

/// A configuration, and where it was found.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) settings: Configuration,
    /// The data folder.
    pub(crate) data: PathBuf,
    /// The file that was read, if one was.
    pub(crate) file: Option<PathBuf>,
}

impl Loaded {
    /// Where compiled plugins are kept.
    pub(crate) fn cache(&self) -> PathBuf {
        self.settings.server.cache.clone().unwrap_or_else(|| self.data.join("cache"))
    }

    /// Where plugins are looked for.
    pub(crate) fn plugins(&self) -> PathBuf {
        self.settings.server.plugins.clone().unwrap_or_else(|| self.data.join("plugins"))
    }

    /// The database.
    pub(crate) fn database(&self) -> PathBuf {
        self.data.join("countersign.db")
    }

    /// The file of the master key, where the configuration names no source.
    pub(crate) fn key_file(&self) -> Option<PathBuf> {
        self.settings.server.master_keys.is_empty().then(|| self.data.join(KEY_FILE))
    }

    /// Where master keys come from: the first seals.
    pub(crate) fn key_sources(&self) -> Vec<KeySource> {
        match self.key_file() {
            Some(file) => vec![KeySource::File(file)],
            None => self.settings.server.master_keys.clone(),
        }
    }

    /// Both files of TLS, where there is TLS.
    pub(crate) fn tls(&self) -> Option<(&Path, &Path)> {
        let tls = &self.settings.tls;
        Some((tls.certificate.as_deref()?, tls.key.as_deref()?))
    }
}

/// As a command ends with it.
pub(crate) fn refused(problems: &[Problem]) -> Failure {
    let lines: Vec<String> = problems.iter().map(Problem::to_line).collect();
    let failure = Failure::new(codes::CONFIG_INVALID, lines.join("\n  "));
    match problems.iter().find(|it| !it.key.is_empty()) {
        Some(first) => failure.at(&first.key),
        None => failure,
    }
}

/// What no value alone can be blamed for.
fn fits_together(settings: &Configuration) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut wrong = |key: &str, what: String| problems.push(Problem::new(key, what, ""));
    let (server, tls, sandbox) = (&settings.server, &settings.tls, &settings.sandbox);
    let encrypted = match (&tls.certificate, &tls.key) {
        (Some(_), Some(_)) => true,
        (None, None) => false,
        (Some(_), None) => {
            wrong("tls.key", "is missing: tls.certificate is set, and each needs the other".into());
            true
        }
        (None, Some(_)) => {
            wrong("tls.certificate", "is missing: tls.key is set, and each needs the other".into());
            true
        }
    };
    if !server.listen.ip().is_loopback() && !encrypted && !server.insecure_listen {
        let what = format!(
            "{} can be reached by others, and secrets would travel in the clear: give \
             tls.certificate and tls.key, or --insecure-listen behind a server that speaks TLS, or \
             a loopback address",
            server.listen
        );
        wrong("listen", what);
    }
    let calls = sandbox.concurrent_calls.zip(sandbox.concurrent_calls_per_plugin);
    if calls.is_some_and(|(all, one)| one > all) {
        wrong(
            "sandbox.concurrent_calls_per_plugin",
            "is more than sandbox.concurrent_calls, which counts them all".into(),
        );
    }
    for (nth, file) in settings.egress.upstream_ca.iter().enumerate() {
        if !file.is_file() {
            wrong("egress.upstream_ca", format!("file {} of the list is not there", nth + 1));
        }
    }
    for (key, file) in
        [("policy", &server.policy), ("tls.certificate", &tls.certificate), ("tls.key", &tls.key)]
    {
        if file.as_ref().is_some_and(|file| !file.is_file()) {
            wrong(key, "names a file that is not there".into());
        }
    }
    if server.plugins.as_ref().is_some_and(|folder| !folder.is_dir()) {
        wrong("plugins", "names a folder that is not there".into());
    }
    problems
}

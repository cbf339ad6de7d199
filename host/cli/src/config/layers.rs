//! The layers, and how one configuration is made of them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ::config::{Config, ConfigError, Environment, File, FileFormat, Value};

use super::configuration::Configuration;
use super::reader::{Problem, Reader};
use super::{Loaded, fits_together};

/// A file of this name in the data folder is read where none is named.
const FILE: &str = "countersign.toml";

/// Variables of this prefix that are no settings.
const PREFIX: &str = "COUNTERSIGN_";
const OTHERS: [&str; 11] = [
    "CONFIG",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "URL",
    "TOKEN",
    "FROM_CLIENT_ID",
    "FROM_CLIENT_SECRET",
    "FROM_TOKEN",
    "TO_CLIENT_ID",
    "TO_CLIENT_SECRET",
    "TO_TOKEN",
];

/// All that the command line says, so that the same can be read again.
#[derive(Clone, Default)]
pub(crate) struct Layers {
    /// The file, where one is named.
    pub(crate) file: Option<PathBuf>,
    /// Flags, by the key that each stands for.
    pub(crate) flags: Vec<(&'static str, Value)>,
    /// `--set`.
    pub(crate) set: Vec<(String, String)>,
}

impl Layers {
    /// One configuration, or all that is wrong.
    pub(crate) fn load(&self) -> Result<Loaded, Vec<Problem>> {
        let named = match &self.file {
            Some(file) if !file.is_file() => {
                let what = format!("{} is no file that can be read", file.display());
                return Err(vec![Problem::new("", what, "--config")]);
            }
            named => named.clone(),
        };
        // Where the data folder is has to be known before the file in it can be.
        let (first, problems) = self.merge(named.as_deref())?;
        let Some(data) = first.server.data.clone().or_else(home) else {
            let what = "is not known, because no home folder is: give --data DIR";
            return Err(vec![Problem::new("data", what, "")]);
        };
        let beside = data.join(FILE);
        let found = named.is_none() && beside.is_file();
        let (settings, mut problems) =
            if found { self.merge(Some(&beside))? } else { (first, problems) };
        if found && settings.server.data.as_ref().is_some_and(|it| *it != data) {
            let what = "leads away from the folder that this file lies in";
            problems.push(Problem::new("data", what, &format!("in {}", beside.display())));
        }
        problems.extend(fits_together(&settings));
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Loaded { settings, data, file: if found { Some(beside) } else { named } })
    }

    fn merge(&self, file: Option<&Path>) -> Result<(Configuration, Vec<Problem>), Vec<Problem>> {
        let mut builder = Config::builder();
        if let Some(file) = file {
            builder = builder.add_source(File::from(file).format(FileFormat::Toml));
        }
        let environment = Environment::with_prefix(PREFIX.trim_end_matches('_'))
            .prefix_separator("_")
            .separator("__")
            .ignore_empty(true)
            .source(Some(variables()));
        builder = builder.add_source(environment);
        for (key, value) in &self.flags {
            builder = overridden(builder, key, value.clone())?;
        }
        for (key, value) in &self.set {
            builder = overridden(builder, key, value.as_str().into())?;
        }
        let merged = builder.build().map_err(|error| vec![unreadable(&error, file)])?;
        let name = file.map(|file| file.display().to_string());
        let mut reader = Reader::new(merged.cache, name.as_deref());
        let mut settings = Configuration::default();
        settings.read(&mut reader);
        Ok((settings, reader.problems))
    }
}

type Builder = ::config::ConfigBuilder<::config::builder::DefaultState>;

fn overridden(builder: Builder, key: &str, value: Value) -> Result<Builder, Vec<Problem>> {
    let refused = |_| {
        let what = "cannot be read as a key: write it as SECTION.KEY";
        vec![Problem::new(key, what, "on the command line")]
    };
    builder.set_override(key, value).map_err(refused)
}

/// The parser's own message shows the line, which may hold a secret: its first line says where, its
/// last one what.
fn unreadable(error: &ConfigError, file: Option<&Path>) -> Problem {
    let text = match error {
        ConfigError::FileParse { cause, .. } => cause.to_string(),
        error => error.to_string(),
    };
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    let what = match lines.next_back() {
        Some(last) => format!("{first}: {last}"),
        None => first.to_owned(),
    };
    let source = file.map(|file| format!("in {}", file.display()));
    Problem::new("", what, &source.unwrap_or_default())
}

/// Those that are settings.
fn variables() -> HashMap<String, String> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).filter_map(setting).collect()
}

fn setting((name, value): (String, String)) -> Option<(String, String)> {
    let rest = name.strip_prefix(PREFIX)?;
    // The filter has had this short name since before there were sections.
    if rest == "LOG" {
        return Some((format!("{PREFIX}LOG__FILTER"), value));
    }
    // A master key itself, for `env:` in `master_keys`.
    let key = rest.starts_with("MASTER_KEY") && rest != "MASTER_KEYS";
    // What Kubernetes sets for a service of this name.
    let service = rest.contains("SERVICE_HOST") || rest.contains("SERVICE_PORT");
    let port = rest == "PORT" || rest.starts_with("PORT_") || rest.contains("_PORT");
    (!OTHERS.contains(&rest) && !key && !service && !port).then_some((name, value))
}

/// Where the data of a user's programs goes (XDG Base Directory Specification).
fn home() -> Option<PathBuf> {
    let folder = |name: &str| {
        let folder = PathBuf::from(std::env::var_os(name)?);
        folder.is_absolute().then_some(folder)
    };
    let base = folder("XDG_DATA_HOME").or_else(|| Some(folder("HOME")?.join(".local/share")))?;
    Some(base.join("countersign"))
}

//! What `plugin new` and `plugin build` take.

use std::path::PathBuf;

use clap::Args;
use clap::ValueEnum;
use countersign_build::Language;
use countersign_build::skeleton::{AuthType, Name, Sdk};
use semver::VersionReq;

pub(super) const NEW_EXAMPLES: &str = "\
Examples:
  countersign plugin new my-api
  countersign plugin new my-api --dir work/plugin --auth-type X_MY_API
  countersign plugin new my-api --lang python
  countersign plugin new my-api --sdk ../countersign/plugins/sdk

The project has a README that leads from an edit to a served request. Nothing that is there already
is written over.";

pub(super) const BUILD_EXAMPLES: &str = "\
Examples:
  countersign plugin build
  countersign plugin build work/my-api --out plugins/
  countersign plugin build --json

Runs cargo in the project, with its profile `release`, for wasm32-unknown-unknown: with rustup's
target where that is installed, otherwise with Debian's rustc-web, rust-web-src and lld-19. Where there
is a package.json, node with the project's own esbuild and componentize-js; where there is a
pyproject.toml, the componentize-py of its .venv. What the tool says goes to standard error.

Exit code 1 where it does not build, or the sandbox does not load it: nothing is written then.
Exit code 0 where another plugin has its auth type, which an operator may settle with --pin:
`accepted` tells.";

#[derive(Args)]
pub(crate) struct NewPlugin {
    /// What to call it, in lower-case words with hyphens between them
    pub(crate) name: Name,
    /// The project's folder, which must not be there yet; the name, where nothing is said
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// The auth type that it answers to; `X_` and the name, where nothing is said
    #[arg(long, value_name = "X_NAME")]
    pub(crate) auth_type: Option<AuthType>,
    /// What to write it in
    #[arg(long, value_name = "LANGUAGE", default_value = "rust")]
    pub(crate) lang: Lang,
    /// Where the SDK comes from, in place of a copy in the project: the folder of its crate, or a version
    #[arg(long, value_name = "PATH|VERSION", value_parser = sdk)]
    pub(crate) sdk: Option<Sdk>,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a plugin is written in.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Lang {
    /// Rust: the smallest and the fastest
    Rust,
    /// JavaScript or TypeScript
    Js,
    /// Python
    Python,
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::Rust => Self::Rust,
            Lang::Js => Self::JavaScript,
            Lang::Python => Self::Python,
        }
    }
}

#[derive(Args)]
pub(crate) struct BuildPlugin {
    /// The project's folder
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) project: PathBuf,
    /// Where to put the component: a file, or a folder, which is made where the path ends in `/`;
    /// NAME.wasm in the project, where nothing is said
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) out: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// A version where it reads as one; `./1` is a folder.
fn sdk(text: &str) -> Result<Sdk, String> {
    let begins = text.starts_with(|c: char| c.is_ascii_digit() || "=^~<>".contains(c));
    match VersionReq::parse(text) {
        Ok(_) if begins => Ok(Sdk::Version(text.to_owned())),
        _ if PathBuf::from(text).is_dir() => Ok(Sdk::Folder(text.into())),
        _ => Err("neither a folder that is there nor a version".to_owned()),
    }
}

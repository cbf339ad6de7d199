//! Where a master key comes from.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use countersign::random::Random;
use zeroize::Zeroizing;

use super::MasterKey;

/// A key with its line break, twice over: whatever is longer is no key.
const LONGEST: u64 = 128;

/// One of the places that a master key can be kept in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// A file that its owner alone can read, with the key as its only line.
    File(PathBuf),
    /// An environment variable, by its name.
    Environment(String),
    /// A program and its arguments, which prints the key: a secret manager's client.
    Command(Vec<String>),
}

/// Why there is no key. The operator must act. No message holds a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// What was found is no key.
    #[error("a master key is 43 characters of base64url (32 bytes), and this is something else")]
    Malformed,
    /// The operating system failed.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
    /// The file is not there, or cannot be read or written.
    #[error("the master key file {path}: {cause}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Others may read the file.
    #[error("the master key file {path} can be read by others than its owner: chmod 600 {path}")]
    Exposed {
        /// Which.
        path: PathBuf,
    },
    /// The variable is not set, or not text.
    #[error("the environment variable {0} holds no master key")]
    Environment(String),
    /// The command could not be run, or failed.
    #[error("the command {program} gave no master key: {cause}")]
    Command {
        /// The program's name.
        program: String,
        /// How it ended. What it printed is not told.
        cause: String,
    },
}

impl KeySource {
    /// Reads the key.
    pub fn read(&self) -> Result<MasterKey, KeyError> {
        match self {
            Self::File(path) => MasterKey::parse(&read_file(path)?),
            Self::Environment(name) => {
                let text = std::env::var(name).map(Zeroizing::new);
                MasterKey::parse(&text.map_err(|_| KeyError::Environment(name.clone()))?)
            }
            Self::Command(words) => MasterKey::parse(&run(words)?),
        }
    }
}

impl MasterKey {
    /// Makes a key, and a file with it that only its owner can read. On `Ok` the key is on the disk:
    /// what it seals from now on can be opened again. A file that is there is never replaced.
    pub fn create_file(path: &Path, random: &dyn Random) -> Result<Self, KeyError> {
        let key = Self::generate(random)?;
        let failed = |cause| KeyError::File { path: path.to_owned(), cause };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed)?;
        let line = Zeroizing::new(format!("{}\n", *key.to_text()));
        file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        // The name as well, which is in the folder.
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
        let folder = std::fs::File::open(folder.unwrap_or(Path::new(".")));
        folder.and_then(|folder| folder.sync_all()).map_err(failed)?;
        Ok(key)
    }
}

fn read_file(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let failed = |cause| KeyError::File { path: path.to_owned(), cause };
    let file = std::fs::File::open(path).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.metadata().map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(KeyError::Exposed { path: path.to_owned() });
        }
    }
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(LONGEST).unwrap_or(0)));
    file.take(LONGEST).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

fn run(words: &[String]) -> Result<Zeroizing<String>, KeyError> {
    let (program, arguments) = words.split_first().ok_or(KeyError::Malformed)?;
    let failed = |cause: String| KeyError::Command { program: program.clone(), cause };
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        // Its complaints are for whoever started this process.
        .stderr(Stdio::inherit())
        .output()
        .map_err(|cause| failed(cause.to_string()))?;
    let printed = Zeroizing::new(output.stdout);
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    let text = std::str::from_utf8(&printed).map_err(|_| KeyError::Malformed)?;
    Ok(Zeroizing::new(text.to_owned()))
}

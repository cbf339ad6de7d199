//! What a project and its plugin may be called.

use std::str::FromStr;

/// Longest name of a project, and of an auth type, in bytes.
const LONGEST: usize = 64;
/// Names that cargo, the compiler or the project's own dependencies have for something else.
const TAKEN: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "build",
    "const",
    "continue",
    "core",
    "countersign-plugin",
    "crate",
    "deps",
    "do",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "hmac",
    "if",
    "impl",
    "in",
    "incremental",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "sha2",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "wit-bindgen",
    "yield",
];

/// A name of a project, in lower-case words with hyphens between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

/// An auth type, as a descriptor names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthType(String);

/// What cannot be a name. Whoever gave it must act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Of a project.
    #[error(
        "a project's name is lower-case letters and digits, in words with single hyphens between them, \
         which begin with a letter: `my-api`; at most {LONGEST} characters"
    )]
    Name,
    /// Of a project, and something else has it.
    #[error("`{0}` means something else to Rust, to cargo or to the project's own dependencies")]
    Taken(String),
    /// Of an auth type.
    #[error(
        "an auth type is upper-case letters, digits and underscores, and begins with a letter: `X_MY_API`; \
         at most {LONGEST} characters"
    )]
    AuthType,
}

impl FromStr for Name {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Self, Refused> {
        let is_word = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_lowercase())
                && word.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
        };
        if text.len() > LONGEST || !text.split('-').all(is_word) {
            return Err(Refused::Name);
        }
        if TAKEN.contains(&text) {
            return Err(Refused::Taken(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl Name {
    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `My Api` for `my-api`.
    pub(super) fn title(&self) -> String {
        self.words(" ")
    }

    /// `MyApiAuth` for `my-api`, and `MyAuth` for `my-auth`.
    ///
    /// Nothing that the templates import, nor the prelude, ends so: `result` and `edit` are names of
    /// projects like any other.
    pub(super) fn structure(&self) -> String {
        let words = self.words("");
        format!("{}Auth", words.strip_suffix("Auth").unwrap_or(&words))
    }

    fn words(&self, separator: &str) -> String {
        let word = |word: &str| {
            let (first, rest) = word.split_at(1);
            first.to_ascii_uppercase() + rest
        };
        self.0.split('-').map(word).collect::<Vec<_>>().join(separator)
    }

    /// `X_MY_API` for `my-api`: what its plugin answers to where nothing else is said.
    pub fn auth_type(&self) -> AuthType {
        let upper = self.0.to_ascii_uppercase().replace('-', "_");
        AuthType(format!("X_{upper}").chars().take(LONGEST).collect())
    }
}

impl FromStr for AuthType {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Self, Refused> {
        let known = text.len() <= LONGEST
            && text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit() || it == b'_');
        if known { Ok(Self(text.to_owned())) } else { Err(Refused::AuthType) }
    }
}

impl AuthType {
    /// As descriptors and payloads have it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

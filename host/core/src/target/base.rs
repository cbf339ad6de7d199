//! The rendered base: the origin and the path that every request of an account stays under.

use std::fmt;

use ::url::Url;

use super::error::TargetError;
use super::origin::Origin;
use super::path;
use super::url::{TargetUrl, check};

/// One origin and one base path, filled and checked.
#[derive(Clone, PartialEq, Eq)]
pub struct RenderedBase(TargetUrl);

impl RenderedBase {
    /// Takes a URL without a query.
    pub(super) fn new(url: TargetUrl) -> Self {
        Self(url)
    }

    /// The origin.
    pub fn origin(&self) -> &Origin {
        self.0.origin()
    }

    /// The base path as it was written, `/` where there is none. May hold a credential.
    pub fn path(&self) -> &str {
        self.0.path()
    }

    /// The base itself as a URL.
    pub fn url(&self) -> &TargetUrl {
        &self.0
    }

    /// Adds a caller's path and query.
    ///
    /// The path is relative to the base whether or not it begins with `/`; an empty one is the base
    /// itself. Path and query keep their bytes but for those that no URL has (`"`, `<`, `>`, `` ` ``,
    /// `{`, `}` in a path; `"`, `<`, `>`, `'` in a query), which are percent-encoded here, before
    /// anyone sees the URL.
    pub fn join(&self, path: &str, query: Option<&str>) -> Result<TargetUrl, TargetError> {
        path::relative(path).map_err(TargetError::Path)?;
        if path.is_empty() {
            return self.build(self.path(), query);
        }
        let below = path.strip_prefix('/').unwrap_or(path);
        self.build(&format!("{}/{below}", self.prefix()), query)
    }

    /// Puts another path, counted from the root of the origin, in place of what stands after it:
    /// what a plugin's `set-path` asks for. It has to stay under the base path.
    pub fn with_path(&self, path: &str, query: Option<&str>) -> Result<TargetUrl, TargetError> {
        path::absolute(path).map_err(TargetError::Path)?;
        self.build(path, query)
    }

    /// Takes back a URL after edits.
    pub fn accept(&self, url: Url) -> Result<TargetUrl, TargetError> {
        let url = TargetUrl::of(self.origin(), url)?;
        self.holds(url.path())?;
        Ok(url)
    }

    /// Whether the URL has this origin, no user-info and no fragment, a path under the base path to
    /// any server that may read it, and the text that goes on the wire.
    pub fn admits(&self, url: &Url) -> Result<(), TargetError> {
        check(self.origin(), url)?;
        self.holds(url.path())
    }

    /// Whether a path without dot segments is the base path or below it.
    fn holds(&self, path: &str) -> Result<(), TargetError> {
        let below = path.strip_prefix(self.prefix());
        if below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            Ok(())
        } else {
            Err(TargetError::OutsideBase)
        }
    }

    fn build(&self, path: &str, query: Option<&str>) -> Result<TargetUrl, TargetError> {
        query.map_or(Ok(()), path::query).map_err(TargetError::Query)?;
        let url = self.0.with(path, query)?;
        self.holds(url.path())?;
        Ok(url)
    }

    /// The base path without a slash at its end.
    fn prefix(&self) -> &str {
        self.path().strip_suffix('/').unwrap_or(self.path())
    }
}

/// An origin that the provider lists is a base without a path.
impl TryFrom<Origin> for RenderedBase {
    type Error = TargetError;

    fn try_from(origin: Origin) -> Result<Self, TargetError> {
        let url = Url::parse(&origin.to_string()).map_err(|_| TargetError::NotCanonical)?;
        TargetUrl::of(&origin, url).map(Self)
    }
}

/// The origin alone: a base path may hold a credential.
impl fmt::Debug for RenderedBase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RenderedBase({}/…)", self.origin())
    }
}

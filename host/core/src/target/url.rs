//! A URL that may be sent.

use std::fmt;

use ::url::{Position, Url};

use super::error::TargetError;
use super::fault::PathFault;
use super::origin::Origin;
use super::path;

/// A URL of a known origin whose text is byte for byte what goes on the wire: parsing it again
/// gives the same text, there is no user-info and no fragment, and path and query pass the grammar.
///
/// There is no `Display`, and `Debug` shows the origin alone: a path or a query may hold a
/// credential.
#[derive(Clone, PartialEq, Eq)]
pub struct TargetUrl {
    url: Url,
    origin: Origin,
}

impl TargetUrl {
    /// Takes a URL of that origin.
    pub(super) fn of(origin: &Origin, url: Url) -> Result<Self, TargetError> {
        check(origin, &url)?;
        Ok(Self { url, origin: origin.clone() })
    }

    /// Another one of the same origin. Path and query pass the grammar.
    pub(super) fn with(&self, path: &str, query: Option<&str>) -> Result<Self, TargetError> {
        let mut url = self.url.clone();
        url.set_path(path);
        url.set_query(query);
        check_parts(&self.origin, &url)?;
        // What was taken as it is written will be read the same again.
        if url.path() != path || url.query() != query {
            check_canonical(&url)?;
        }
        Ok(Self { url, origin: self.origin.clone() })
    }

    /// Where it leads.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The whole text. May hold a credential.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// The path, which begins with `/`. May hold a credential.
    pub fn path(&self) -> &str {
        self.url.path()
    }

    /// The query without its `?`, where there is one. May hold a credential.
    pub fn query(&self) -> Option<&str> {
        self.url.query()
    }

    /// What stands in the request line (RFC 9112 section 3.2.1). May hold a credential.
    pub fn path_and_query(&self) -> &str {
        &self.url[Position::BeforePath..Position::AfterQuery]
    }

    /// The parsed URL. May hold a credential.
    pub fn as_url(&self) -> &Url {
        &self.url
    }

    /// The parsed URL, taken out to be edited; [`RenderedBase::accept`](super::RenderedBase::accept)
    /// takes it back. May hold a credential.
    pub fn into_url(self) -> Url {
        self.url
    }
}

impl fmt::Debug for TargetUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TargetUrl({}/…)", self.origin)
    }
}

/// Whether the URL may be sent to that origin, its base path apart.
pub(super) fn check(origin: &Origin, url: &Url) -> Result<(), TargetError> {
    check_parts(origin, url)?;
    check_canonical(url)
}

fn check_parts(origin: &Origin, url: &Url) -> Result<(), TargetError> {
    if !origin.is_of(url) {
        return Err(TargetError::OtherOrigin);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(TargetError::UserInfo);
    }
    if url.fragment().is_some() {
        return Err(TargetError::Path(PathFault::Fragment));
    }
    if url.as_str().len() > path::MAX_URL {
        return Err(TargetError::Path(PathFault::TooLong));
    }
    path::absolute(url.path()).map_err(TargetError::Path)?;
    url.query().map_or(Ok(()), path::query).map_err(TargetError::Query)?;
    Ok(())
}

/// `url` promises this, and the signers upstream of us depend on it.
fn check_canonical(url: &Url) -> Result<(), TargetError> {
    if Url::parse(url.as_str()).as_ref() == Ok(url) {
        Ok(())
    } else {
        Err(TargetError::NotCanonical)
    }
}

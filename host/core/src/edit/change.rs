//! One edit, parsed: what it is on, whether it is permitted, and what it gets in the way of.
//!
//! A [`Change`] exists only once its name and value can be sent. Whether it may be made is asked
//! anew each time, with [`Change::permitted`].

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use url::Url;
use zeroize::Zeroizing;

use super::cookie::CookieEdit;
use super::place::{self, PathEdit};
use super::query::QueryEdit;
use super::{Asked, EditError, EditName, EditRules, value};
use crate::needs::Granted;
use crate::needs::header::{Ban, ban, same_spelling};

#[derive(Clone)]
pub(super) enum Change {
    SetHeader(HeaderEdit),
    AppendHeader(HeaderEdit),
    RemoveHeader(HeaderName),
    SetQuery(QueryEdit),
    AppendQuery(QueryEdit),
    SetCookie(CookieEdit),
    SetPath(PathEdit),
    /// An origin and nothing else.
    SetOrigin(Url),
    SetBody(Bytes),
    /// The names of values.
    ClientCertificate {
        chain: String,
        key: String,
    },
    OwnConnection,
}

#[derive(Clone)]
pub(super) struct HeaderEdit {
    pub(super) name: HeaderName,
    /// Marked as sensitive.
    pub(super) value: HeaderValue,
}

impl Change {
    pub(super) fn parse(asked: Asked, rules: &EditRules) -> Result<Self, EditError> {
        let kind = EditName::of(&asked);
        let header = |(name, value): (String, _)| HeaderEdit::parse(kind.clone(), &name, value);
        let query = |(name, value)| QueryEdit::parse(kind.clone(), name, value);
        Ok(match asked {
            Asked::SetHeader(entry) => Self::SetHeader(header(entry)?),
            Asked::AppendHeader(entry) => Self::AppendHeader(header(entry)?),
            Asked::RemoveHeader(name) => Self::RemoveHeader(value::header_name(&kind, &name)?),
            Asked::SetQuery(entry) => Self::SetQuery(query(entry)?),
            Asked::AppendQuery(entry) => Self::AppendQuery(query(entry)?),
            Asked::SetCookie((name, value)) => {
                Self::SetCookie(CookieEdit::parse(&kind, name, value)?)
            }
            Asked::SetPath(path) => Self::SetPath(PathEdit::parse(&kind, path)?),
            Asked::SetOrigin(origin) => Self::SetOrigin(place::origin(&kind, &origin)?),
            Asked::SetBody(body) => {
                let body = Zeroizing::new(body);
                if body.len() > rules.max_body {
                    return Err(EditError::BodyTooLarge { limit: rules.max_body });
                }
                Self::SetBody(Bytes::from_owner(body))
            }
            Asked::ClientCertificate((chain, key)) => Self::ClientCertificate { chain, key },
            Asked::OwnConnection => Self::OwnConnection,
        })
    }

    pub(super) fn permitted(&self, granted: &Granted, rules: &EditRules) -> Result<(), EditError> {
        let granted = match self {
            Self::SetHeader(HeaderEdit { name, .. })
            | Self::AppendHeader(HeaderEdit { name, .. })
            | Self::RemoveHeader(name) => {
                match ban(name.as_str()) {
                    Some(Ban::UnlessNamed) if rules.named_headers.contains(name) => {}
                    Some(_) => return Err(EditError::Forbidden(self.name())),
                    None => {}
                }
                granted.may_write_header(name)
            }
            Self::SetQuery(pair) | Self::AppendQuery(pair) => granted.may_write_query(pair.name()),
            Self::SetCookie(cookie) => granted.may_write_cookie(cookie.name()),
            Self::SetPath(_) => granted.may_write_path(),
            Self::SetOrigin(origin) => {
                if granted.may_write_origin() && !rules.origins.contains(&origin.origin()) {
                    return Err(EditError::OriginNotListed);
                }
                granted.may_write_origin()
            }
            Self::SetBody(_) => granted.may_write_body(),
            Self::ClientCertificate { chain, key } => {
                granted.may_present(chain) && granted.may_present(key)
            }
            Self::OwnConnection => granted.may_own_connection(),
        };
        if granted { Ok(()) } else { Err(EditError::NotGranted(self.name())) }
    }

    /// Whether the two are on one name, and one of them would undo the other.
    pub(super) fn collides(&self, other: &Self) -> bool {
        if let (Self::AppendHeader(_), Self::AppendHeader(_))
        | (Self::AppendQuery(_), Self::AppendQuery(_)) = (self, other)
        {
            return false;
        }
        if let (Some(one), Some(other)) = (self.header(), other.header()) {
            return same_spelling(one.as_str(), other.as_str());
        }
        match (self, other) {
            (
                Self::SetQuery(one) | Self::AppendQuery(one),
                Self::SetQuery(other) | Self::AppendQuery(other),
            ) => one.name() == other.name(),
            (Self::SetCookie(one), Self::SetCookie(other)) => one.name() == other.name(),
            (Self::SetPath(_), Self::SetPath(_))
            | (Self::SetOrigin(_), Self::SetOrigin(_))
            | (Self::SetBody(_), Self::SetBody(_))
            | (Self::ClientCertificate { .. }, Self::ClientCertificate { .. })
            | (Self::OwnConnection, Self::OwnConnection) => true,
            _ => false,
        }
    }

    fn header(&self) -> Option<&HeaderName> {
        match self {
            Self::SetHeader(edit) | Self::AppendHeader(edit) => Some(&edit.name),
            Self::RemoveHeader(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn changes_url(&self) -> bool {
        matches!(
            self,
            Self::SetQuery(_) | Self::AppendQuery(_) | Self::SetPath(_) | Self::SetOrigin(_)
        )
    }

    /// Whether something that could be a credential comes onto the request. The values of headers
    /// and cookies are never empty.
    pub(super) fn carries(&self) -> bool {
        match self {
            Self::SetHeader(_)
            | Self::AppendHeader(_)
            | Self::SetCookie(_)
            | Self::SetPath(_)
            | Self::ClientCertificate { .. } => true,
            Self::SetQuery(pair) | Self::AppendQuery(pair) => !pair.is_empty(),
            Self::SetBody(body) => !body.is_empty(),
            Self::RemoveHeader(_) | Self::SetOrigin(_) | Self::OwnConnection => false,
        }
    }

    pub(super) fn name(&self) -> EditName {
        match self {
            Self::SetHeader(edit) => EditName::new("set-header", edit.name.as_str()),
            Self::AppendHeader(edit) => EditName::new("append-header", edit.name.as_str()),
            Self::RemoveHeader(name) => EditName::new("remove-header", name.as_str()),
            Self::SetQuery(pair) => EditName::new("set-query", pair.name()),
            Self::AppendQuery(pair) => EditName::new("append-query", pair.name()),
            Self::SetCookie(cookie) => EditName::new("set-cookie", cookie.name()),
            Self::SetPath(_) => EditName::kind("set-path"),
            Self::SetOrigin(_) => EditName::kind("set-origin"),
            Self::SetBody(_) => EditName::kind("set-body"),
            Self::ClientCertificate { chain, key } => {
                EditName::new("client-certificate", &format!("{chain} {key}"))
            }
            Self::OwnConnection => EditName::kind("own-connection"),
        }
    }
}

impl HeaderEdit {
    fn parse(kind: EditName, name: &str, value: String) -> Result<Self, EditError> {
        let value = Zeroizing::new(value);
        let name = value::header_name(&kind, name)?;
        match value::header_value(&value) {
            Ok(value) => Ok(Self { name, value }),
            Err(flaw) => Err(EditError::Value { edit: kind.on(name.as_str()), flaw }),
        }
    }
}

/// What counts towards [`EditRules::max_bytes`].
pub(super) fn size(edit: &Asked) -> usize {
    match edit {
        Asked::SetHeader((name, value))
        | Asked::AppendHeader((name, value))
        | Asked::SetQuery((name, value))
        | Asked::AppendQuery((name, value))
        | Asked::SetCookie((name, value))
        | Asked::ClientCertificate((name, value)) => name.len() + value.len(),
        Asked::RemoveHeader(text) | Asked::SetPath(text) | Asked::SetOrigin(text) => text.len(),
        Asked::SetBody(_) | Asked::OwnConnection => 0,
    }
}

//! The errors of this module. Each names the field at fault where there is one, and the fix; none
//! holds a value, because a value may be a credential or carry one.

use thiserror::Error;

use super::fault::{HostFault, PathFault};

/// A URL that a provider cannot have. Whoever wrote the provider must act.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemplateError {
    /// No `https://` at the beginning.
    #[error("a URL begins with https:// (or http://, where the operator allows it)")]
    Scheme,
    /// A placeholder in the scheme.
    #[error(
        "{{{{{field}}}}} stands in the scheme; write the scheme out, as in https://{{{{{field}}}}}/api"
    )]
    SchemePlaceholder {
        /// The placeholder's name.
        field: String,
    },
    /// `http` where only `https` is allowed. The operator may allow it.
    #[error("http sends the credential in the clear; use https, or have the operator allow http")]
    HttpNotAllowed,
    /// A user name or password before the host.
    #[error("a URL with user-info (`…@host`) is refused; give credentials as fields")]
    UserInfo {
        /// The first placeholder in it, if any.
        field: Option<String>,
    },
    /// A fragment, which is never sent.
    #[error("a URL with a fragment (`#…`) is refused; leave it out")]
    Fragment {
        /// The first placeholder in it, if any.
        field: Option<String>,
    },
    /// Braces that are not a placeholder.
    #[error("braces may only stand in pairs around a name, as in {{{{domain}}}}")]
    Braces,
    /// A placeholder without a proper name.
    #[error(
        "a placeholder's name has letters, digits, `_`, `-` and `.` only, and at most 128 of them"
    )]
    Name,
    /// A host that is none.
    #[error("the host is refused: {0}")]
    Host(HostFault),
    /// A host with placeholders and no dot.
    #[error("put {{{{{field}}}}} beside literal text with a dot, or let it be the whole host")]
    HostPlaceholder {
        /// The placeholder's name.
        field: String,
    },
    /// A port that is not a number from 1 to 65535.
    #[error("a port is a number from 1 to 65535, without leading zeros")]
    Port,
    /// A placeholder in the port. The operator may allow one that is the whole port.
    #[error(
        "{{{{{field}}}}} stands in the port; write the port out, or have the operator allow placeholder ports"
    )]
    PortPlaceholder {
        /// The placeholder's name.
        field: String,
    },
    /// A path that cannot be sent.
    #[error("the path is refused: {0}")]
    Path(PathFault),
    /// `//` inside the path.
    #[error("the path has an empty segment; write one `/` between segments")]
    EmptySegment,
    /// A query that cannot be sent.
    #[error("the query is refused: {0}")]
    Query(PathFault),
    /// A placeholder that is not in a query value.
    #[error("{{{{{field}}}}} stands in the name of a query parameter; only values may be filled")]
    QueryPlaceholder {
        /// The placeholder's name.
        field: String,
    },
    /// A base URL with a query: callers bring their own.
    #[error("a base URL has no query; leave out `?…`")]
    BaseQuery,
    /// Something else than an origin where only an origin may stand.
    #[error(
        "give a domain name such as files.example.com, or an origin such as https://files.example.com:8443, with nothing after it and no wildcard"
    )]
    NotAnOrigin,
    /// A field's `pattern` that is no regular expression.
    #[error("the pattern is not a regular expression: {reason}")]
    Pattern {
        /// The fault, in the words of the regex parser. The pattern itself is not repeated.
        reason: String,
    },
}

impl TemplateError {
    /// The placeholder at fault, where there is one.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::SchemePlaceholder { field }
            | Self::HostPlaceholder { field }
            | Self::PortPlaceholder { field }
            | Self::QueryPlaceholder { field } => Some(field),
            Self::UserInfo { field } | Self::Fragment { field } => field.as_deref(),
            _ => None,
        }
    }
}

/// A destination that is refused. Each variant says who must act.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TargetError {
    /// Whoever wrote the provider, or the operator.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// Whoever made the account: a value is not there, or empty.
    #[error("`{field}` has no value, and the URL needs it")]
    Missing {
        /// The field without a value.
        field: String,
    },
    /// Whoever made the account: the value cannot stand in the host.
    #[error("`{field}` cannot stand in the host: {fault}")]
    Host {
        /// The field at fault.
        field: String,
        /// What is wrong.
        fault: HostFault,
    },
    /// Whoever made the account: the value is not a port.
    #[error("`{field}` is not a port: give a number from 1 to 65535")]
    Port {
        /// The field at fault.
        field: String,
    },
    /// Whoever made the account: the value cannot stand in the path or the query.
    #[error("`{field}` cannot stand in the URL: {fault}")]
    Text {
        /// The field at fault.
        field: String,
        /// What is wrong.
        fault: PathFault,
    },
    /// Whoever made the account: the field's own `pattern` does not match the whole value.
    #[error("`{field}` does not have the form that the provider asks for")]
    Pattern {
        /// The field at fault.
        field: String,
    },
    /// Whoever wrote the provider: a value that a flow learnt decides the host, and leads to an
    /// origin that is not listed.
    #[error(
        "what was learnt for `{field}` leads to an origin that the provider does not list: \
         list it in allowed_proxy_domains, or give the field a pattern"
    )]
    Learnt {
        /// The attribute at fault.
        field: String,
    },
    /// The caller: the path cannot be sent.
    #[error("the path is refused: {0}")]
    Path(PathFault),
    /// The caller: the query cannot be sent.
    #[error("the query is refused: {0}")]
    Query(PathFault),
    /// The caller, or the plugin that edited the URL: it leads to another origin.
    #[error("the URL leads to another origin than the provider's")]
    OtherOrigin,
    /// The caller, or the plugin that edited the URL: it holds a user name or password.
    #[error("the URL holds user-info")]
    UserInfo,
    /// The caller, or the plugin that edited the URL: it leaves the provider's base path.
    #[error("the URL leaves the base path of the provider")]
    OutsideBase,
    /// The caller, or the plugin that edited the URL: its text would change on the way.
    #[error("the URL is not in its canonical form")]
    NotCanonical,
}

impl TargetError {
    /// The field at fault, where there is one.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Template(error) => error.field(),
            Self::Missing { field }
            | Self::Host { field, .. }
            | Self::Port { field }
            | Self::Text { field, .. }
            | Self::Learnt { field }
            | Self::Pattern { field } => Some(field),
            _ => None,
        }
    }
}

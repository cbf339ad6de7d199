//! The object of a need: where a name starts, and the segments after it.
//!
//! An [`Object`] exists only once its verb, its root and the form of each segment have been
//! checked; a [`Path`] only once its references have been filled.

use http::HeaderName;

use super::header::{folded, is_token, same_spelling, trimmed};
use super::{NeedsError, Verb, clipped};

/// Longer than any name of a value that a host keeps.
const MAX_LENGTH: usize = 256;

/// What a name is a name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    Provider,
    Pattern,
    Connection,
    Shared,
    Account,
    State,
    Grant,
    Header,
    Query,
    Cookie,
    Path,
    Origin,
    Body,
    ReplyBody,
    ReplyHeader,
    ClientCertificate,
    OwnConnection,
    Bare,
}

/// What may follow a root.
enum Shape {
    /// At least one segment: a value, or a branch of them.
    Values,
    /// The name of a header, a parameter or a cookie.
    Name,
    /// Nothing, or for reading one more segment: `body/sha-256`.
    Part,
    /// Nothing, or the name of a value of the connection or the account.
    Certificate,
}

/// An object with its references still in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) root: Root,
    pub(super) segments: Vec<Asked>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Plain(Segment),
    /// Each value under this path, as one literal segment.
    Reference(Path),
}

/// An object without references.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) root: Root,
    pub(super) segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    Exactly(String),
    /// `prefix*suffix`
    Between(String, String),
}

/// Under which names a certificate and its key may be.
pub(super) const CERTIFICATE_HOLDERS: [&str; 3] = ["connection", "account", "state"];

const ROOTS: [(&str, Root); 18] = [
    ("provider", Root::Provider),
    ("pattern", Root::Pattern),
    ("connection", Root::Connection),
    ("shared", Root::Shared),
    ("account", Root::Account),
    ("state", Root::State),
    ("grant", Root::Grant),
    ("header", Root::Header),
    ("query", Root::Query),
    ("cookie", Root::Cookie),
    ("path", Root::Path),
    ("origin", Root::Origin),
    ("body", Root::Body),
    ("reply/body", Root::ReplyBody),
    ("reply/header", Root::ReplyHeader),
    ("client-certificate", Root::ClientCertificate),
    ("own-connection", Root::OwnConnection),
    ("bare", Root::Bare),
];

/// The objects of a verb, for whoever has written another.
pub(super) fn listed(verb: Verb) -> String {
    let named = |(text, root): &(&str, Root)| match root.shape() {
        Shape::Values => format!("{text}/…"),
        Shape::Name => format!("{text}/NAME"),
        Shape::Part | Shape::Certificate => (*text).to_owned(),
    };
    let all = ROOTS.iter().filter(|(_, root)| root.has(verb)).map(named);
    all.collect::<Vec<_>>().join(", ")
}

impl Root {
    /// The root of a name, and what follows the slash after it.
    pub(super) fn of(name: &str) -> Option<(Self, Option<&str>)> {
        ROOTS.iter().find_map(|&(text, root)| match name.strip_prefix(text)? {
            "" => Some((root, None)),
            rest => Some((root, Some(rest.strip_prefix('/')?))),
        })
    }

    fn shape(self) -> Shape {
        match self {
            Self::Provider
            | Self::Pattern
            | Self::Connection
            | Self::Shared
            | Self::Account
            | Self::State
            | Self::Grant => Shape::Values,
            Self::Header | Self::Query | Self::Cookie | Self::ReplyHeader => Shape::Name,
            Self::Path
            | Self::Origin
            | Self::Body
            | Self::ReplyBody
            | Self::OwnConnection
            | Self::Bare => Shape::Part,
            Self::ClientCertificate => Shape::Certificate,
        }
    }

    /// Whether the verb has objects of this kind. An account's own fields, and the wishes of a
    /// grant, are typed by its holder, so no URL to fetch or visit is taken from them.
    fn has(self, verb: Verb) -> bool {
        match verb {
            Verb::Read => {
                !matches!(self, Self::ClientCertificate | Self::OwnConnection | Self::Bare)
            }
            Verb::Write => matches!(
                self,
                Self::Header
                    | Self::Query
                    | Self::Cookie
                    | Self::Path
                    | Self::Origin
                    | Self::Body
                    | Self::State
                    | Self::Shared
                    | Self::ClientCertificate
                    | Self::OwnConnection
            ),
            Verb::Fetch | Verb::Visit => matches!(
                self,
                Self::Provider | Self::Pattern | Self::Connection | Self::Shared | Self::State
            ),
            Verb::Send => matches!(self, Self::Bare),
        }
    }

    /// Whether this text may stand as one segment below this root.
    pub(super) fn takes(self, segment: &str) -> bool {
        match self {
            Self::Header | Self::ReplyHeader => HeaderName::from_bytes(segment.as_bytes()).is_ok(),
            Self::Cookie => is_token(segment),
            Self::Query => !segment.is_empty() && !segment.contains(char::is_control),
            _ => !segment.is_empty() && !segment.contains(|c: char| c == '/' || c.is_control()),
        }
    }
}

impl Object {
    pub(super) fn parse(verb: Verb, text: &str) -> Result<Self, NeedsError> {
        let malformed = |why| NeedsError::Malformed { object: clipped(text), why };
        if text.len() > MAX_LENGTH {
            return Err(malformed("too long"));
        }
        if text.contains(|c: char| c.is_control() || c.is_whitespace()) {
            return Err(malformed("a blank or a control character"));
        }
        let (root, rest) = Root::of(text)
            .filter(|(root, _)| root.has(verb))
            .ok_or_else(|| NeedsError::UnknownObject { verb, object: clipped(text) })?;
        let segments = match rest {
            None => Vec::new(),
            Some(rest) => split(rest).ok_or_else(|| malformed("braces that do not match"))?,
        };
        let segments = segments.into_iter().map(|segment| Asked::parse(root, segment, text));
        let segments = segments.collect::<Result<Vec<_>, _>>()?;
        if segments.iter().filter(|s| matches!(s, Asked::Reference(_))).count() > 1 {
            return Err(malformed("more than one reference"));
        }
        let longest = match root.shape() {
            Shape::Values | Shape::Certificate => usize::MAX,
            Shape::Name => 1,
            Shape::Part => usize::from(verb == Verb::Read && root == Root::Body),
        };
        if segments.len() > longest {
            return Err(malformed("it has no parts below"));
        }
        if root == Root::ClientCertificate && !names_a_holder(&segments) {
            return Err(malformed("no value of connection/, account/ or state/"));
        }
        if root.everything(&segments) {
            return Err(NeedsError::Everything(clipped(text)));
        }
        Ok(Self { root, segments })
    }
}

impl Root {
    /// A root alone, or an asterisk in the place of all that would tell two names apart.
    fn everything(self, segments: &[Asked]) -> bool {
        let first = segments.first();
        match self.shape() {
            Shape::Values => match first {
                None => true,
                Some(Asked::Plain(first)) => first.is_any(),
                Some(Asked::Reference(_)) => false,
            },
            // `*-key` reaches as far as `*` does, for a plugin that may choose the name.
            Shape::Name => match first {
                None => true,
                Some(Asked::Plain(Segment::Between(prefix, _))) => prefix.is_empty(),
                Some(Asked::Plain(Segment::Exactly(_)) | Asked::Reference(_)) => false,
            },
            Shape::Part => matches!(first, Some(Asked::Plain(Segment::Between(..)))),
            Shape::Certificate => match segments {
                [_, Asked::Plain(name), ..] => name.is_any(),
                [_] => true,
                _ => false,
            },
        }
    }
}

/// Whether it is a value of the connection or the account, where one is named.
fn names_a_holder(segments: &[Asked]) -> bool {
    segments.first().is_none_or(|first| match first {
        Asked::Plain(Segment::Exactly(root)) => CERTIFICATE_HOLDERS.contains(&root.as_str()),
        Asked::Plain(Segment::Between(..)) | Asked::Reference(_) => false,
    })
}

impl Asked {
    fn parse(root: Root, text: &str, whole: &str) -> Result<Self, NeedsError> {
        let Some(inner) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) else {
            return Ok(Self::Plain(Segment::parse(root, text, whole)?));
        };
        let outside = || NeedsError::Reference(clipped(whole));
        let (root, rest) = Root::of(inner).ok_or_else(outside)?;
        if !matches!(root, Root::Provider | Root::Pattern | Root::Connection) {
            return Err(outside());
        }
        let segments = rest.unwrap_or_default().split('/');
        let segments = segments.map(|segment| Segment::parse(root, segment, whole));
        let segments = segments.collect::<Result<Vec<_>, _>>()?;
        if segments.first().is_some_and(Segment::is_any) {
            return Err(NeedsError::Everything(clipped(whole)));
        }
        Ok(Self::Reference(Path { root, segments }))
    }
}

impl Segment {
    fn parse(root: Root, text: &str, whole: &str) -> Result<Self, NeedsError> {
        let malformed = |why| NeedsError::Malformed { object: clipped(whole), why };
        if text.contains(['{', '}']) {
            return Err(malformed("a reference is a whole segment"));
        }
        match text.split_once('*') {
            None if root.takes(text) => Ok(Self::exactly(root, text)),
            None => Err(malformed("not a name")),
            Some((_, suffix)) if suffix.contains('*') => Err(malformed("two asterisks")),
            Some((prefix, suffix)) => {
                let name = |part: &str| part.is_empty() || root.takes(part);
                if !name(prefix) || !name(suffix) {
                    return Err(malformed("not a name"));
                }
                Ok(Self::Between(root.lower(prefix), root.lower(suffix)))
            }
        }
    }

    /// This text and no other, whatever characters are in it.
    pub(super) fn exactly(root: Root, text: &str) -> Self {
        Self::Exactly(root.lower(text))
    }

    fn is_any(&self) -> bool {
        matches!(self, Self::Between(prefix, suffix) if prefix.is_empty() && suffix.is_empty())
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exactly(wanted) => wanted == text,
            Self::Between(prefix, suffix) => {
                text.len() >= prefix.len() + suffix.len()
                    && text.starts_with(prefix.as_str())
                    && text.ends_with(suffix.as_str())
            }
        }
    }

    /// Whether some upstream could take this header for one that the segment names.
    pub(super) fn matches_spelling(&self, name: &str) -> bool {
        match self {
            Self::Exactly(wanted) => same_spelling(wanted, name),
            Self::Between(prefix, suffix) => {
                let (name, suffix) = (trimmed(name).as_bytes(), trimmed(suffix).as_bytes());
                let Some(end) = name.len().checked_sub(suffix.len()) else { return false };
                prefix.len() <= end
                    && folded(&name[..prefix.len()]).eq(folded(prefix.as_bytes()))
                    && folded(&name[end..]).eq(folded(suffix))
            }
        }
    }
}

impl Root {
    fn lower(self, text: &str) -> String {
        match self {
            Self::Header | Self::ReplyHeader => text.to_ascii_lowercase(),
            _ => text.to_owned(),
        }
    }
}

impl Path {
    /// Whether this is the name, segment for segment.
    pub(super) fn names(&self, root: Root, rest: Option<&str>) -> bool {
        self.begins(root, rest) == Some(true)
    }

    /// Whether this is the name, or a branch that it is on.
    pub(super) fn covers(&self, root: Root, rest: Option<&str>) -> bool {
        self.begins(root, rest).is_some()
    }

    /// `Some(true)` for the very name, `Some(false)` for one below.
    fn begins(&self, root: Root, rest: Option<&str>) -> Option<bool> {
        if self.root != root {
            return None;
        }
        if let (Shape::Name, [only], Some(name)) = (root.shape(), &self.segments[..], rest) {
            // The name of a parameter may hold a slash.
            return only.matches(name).then_some(true);
        }
        let mut names = rest.into_iter().flat_map(|rest| rest.split('/'));
        for segment in &self.segments {
            if !segment.matches(names.next()?) {
                return None;
            }
        }
        Some(names.next().is_none())
    }

    /// As [`names`](Self::names), for a header in any spelling.
    pub(super) fn names_spelling(&self, root: Root, name: &str) -> bool {
        self.root == root && self.segments.iter().all(|segment| segment.matches_spelling(name))
    }
}

/// At the slashes that stand outside braces. None where these do not match.
fn split(text: &str) -> Option<Vec<&str>> {
    let (mut segments, mut start, mut inside) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        match c {
            '{' if inside => return None,
            '}' if !inside => return None,
            '{' => inside = true,
            '}' => inside = false,
            '/' if !inside => {
                segments.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    segments.push(&text[start..]);
    (!inside).then_some(segments)
}

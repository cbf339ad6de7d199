//! What a plugin has leave for, under one auth pattern and connection.
//!
//! A [`Granted`] has no references left: each was filled with a value that is fit for its place,
//! or grants nothing and is listed in [`Granted::ungranted`]. Nothing here depends on an account.

use http::HeaderName;

use super::header::{Ban, ban};
use super::object::{Asked, Object, Path, Root, Segment};
use super::{Need, Verb};
use crate::values::{Value, Values};

/// What may be done, by whom it was resolved for.
///
/// Every question is asked of the plugin's own needs and of each policy that narrows them, and
/// only what all of them grant is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    own: Layer,
    limits: Vec<Layer>,
    ungranted: Vec<Ungranted>,
}

/// The needs of one source, by verb.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Layer {
    read: Vec<Path>,
    write: Vec<Path>,
    fetch: Vec<Path>,
    visit: Vec<Path>,
    bare: bool,
}

/// A reference that grants nothing, because of what it was filled with. Whoever wrote the provider
/// has to act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` grants nothing as part of `{need}`: {flaw}")]
pub struct Ungranted {
    /// The object, as the plugin wrote it.
    pub need: String,
    /// The name of the value.
    pub value: String,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// Why a value cannot stand in the place of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// Not a header name, a cookie name, or whatever the place asks for.
    #[error("it is not a name of that kind")]
    NotAName,
    /// A header that no plugin may write.
    #[error("it names a header that only the host writes")]
    Forbidden,
    /// A secret would end up in a name.
    #[error("it is a secret")]
    Secret,
}

impl Layer {
    pub(super) fn resolve(needs: &[Need], values: &Values, ungranted: &mut Vec<Ungranted>) -> Self {
        let mut layer = Self::default();
        for need in needs {
            let paths = match need.verb {
                Verb::Read => &mut layer.read,
                Verb::Write => &mut layer.write,
                Verb::Fetch => &mut layer.fetch,
                Verb::Visit => &mut layer.visit,
                Verb::Send => {
                    layer.bare = true;
                    continue;
                }
            };
            fill(need, values, paths, ungranted);
        }
        layer
    }

    fn paths(&self, verb: Verb) -> &[Path] {
        match verb {
            Verb::Read => &self.read,
            Verb::Write => &self.write,
            Verb::Fetch => &self.fetch,
            Verb::Visit => &self.visit,
            Verb::Send => &[],
        }
    }
}

/// One path for each value that the reference stands for; one alone where there is none.
fn fill(need: &Need, values: &Values, paths: &mut Vec<Path>, ungranted: &mut Vec<Ungranted>) {
    let Object { root, segments } = &need.object;
    let path = |filling: Option<&Segment>| Path {
        root: *root,
        segments: segments
            .iter()
            .filter_map(|segment| match segment {
                Asked::Plain(segment) => Some(segment.clone()),
                Asked::Reference(_) => filling.cloned(),
            })
            .collect(),
    };
    let reference = segments.iter().find_map(|segment| match segment {
        Asked::Reference(reference) => Some(reference),
        Asked::Plain(_) => None,
    });
    let Some(reference) = reference else {
        paths.push(path(None));
        return;
    };
    for (name, value) in values.iter() {
        let Some((of, rest)) = Root::of(name) else { continue };
        if !reference.names(of, rest) || value.expose().is_empty() {
            continue;
        }
        match filling(*root, value) {
            Ok(segment) => paths.push(path(Some(&segment))),
            Err(flaw) => {
                ungranted.push(Ungranted { need: need.text.clone(), value: name.to_owned(), flaw });
            }
        }
    }
}

fn filling(root: Root, value: &Value) -> Result<Segment, Flaw> {
    let Value::Public(text) = value else { return Err(Flaw::Secret) };
    if !root.takes(text) {
        return Err(Flaw::NotAName);
    }
    if root == Root::Header && ban(text) == Some(Ban::Always) {
        return Err(Flaw::Forbidden);
    }
    Ok(Segment::exactly(root, text))
}

impl Granted {
    pub(super) fn new(own: Layer, limits: Vec<Layer>, mut ungranted: Vec<Ungranted>) -> Self {
        ungranted.dedup();
        Self { own, limits, ungranted }
    }

    /// The references that grant nothing because of what they were filled with.
    pub fn ungranted(&self) -> &[Ungranted] {
        &self.ungranted
    }

    /// Whether the plugin may see what has this name: `account/token`, `body/sha-256`, `path`,
    /// `reply/body`. Headers by this name are asked for in lower case, and those that the host
    /// shows to nobody are never granted.
    pub fn may_read(&self, name: &str) -> bool {
        let Some((root, rest)) = Root::of(name) else { return false };
        if root == Root::Header && rest.is_none_or(|name| ban(name) == Some(Ban::Always)) {
            return false;
        }
        self.all(Verb::Read, |path| path.covers(root, rest))
    }

    /// The values that the plugin is shown, by name.
    pub fn reads<'v>(&self, values: &'v Values) -> impl Iterator<Item = (&'v str, &'v Value)> {
        values.iter().filter(|(name, _)| self.may_read(name))
    }

    /// Whether the plugin may see this header of the request. Those of the connection, the framing
    /// and the forwarding never; nor `cookie`, which is read cookie by cookie.
    pub fn may_read_message_header(&self, name: &HeaderName) -> bool {
        ban(name.as_str()) != Some(Ban::Always) && self.exactly(Verb::Read, Root::Header, name)
    }

    /// Whether the plugin may see this header of a reply.
    pub fn may_read_reply_header(&self, name: &HeaderName) -> bool {
        self.exactly(Verb::Read, Root::ReplyHeader, name)
    }

    /// Whether the plugin may see the body of a reply.
    pub fn reads_reply_body(&self) -> bool {
        self.may_read("reply/body")
    }

    /// Whether the plugin may set, append to or remove this header. Those that only the host writes
    /// are never granted.
    pub fn may_write_header(&self, name: &HeaderName) -> bool {
        ban(name.as_str()) != Some(Ban::Always) && self.exactly(Verb::Write, Root::Header, name)
    }

    /// Whether an upstream could take this header for one that the plugin may write, and the
    /// caller's own must therefore go.
    pub fn owns_header(&self, name: &HeaderName) -> bool {
        // Of most names it is known at once that the plugin does not ask for them.
        self.all(Verb::Write, |path| path.names_spelling(Root::Header, name.as_str()))
            && ban(name.as_str()) != Some(Ban::Always)
    }

    /// Whether the plugin may write the parameter of this name, decoded.
    pub fn may_write_query(&self, name: &str) -> bool {
        self.all(Verb::Write, |path| path.names(Root::Query, Some(name)))
    }

    /// Whether there is a parameter that the plugin may write.
    pub fn writes_queries(&self) -> bool {
        self.all(Verb::Write, |path| path.root == Root::Query)
    }

    /// Whether the plugin may write the cookie of this name.
    pub fn may_write_cookie(&self, name: &str) -> bool {
        self.all(Verb::Write, |path| path.names(Root::Cookie, Some(name)))
    }

    /// Whether there is a cookie that the plugin may write.
    pub fn writes_cookies(&self) -> bool {
        self.all(Verb::Write, |path| path.root == Root::Cookie)
    }

    /// Whether the plugin may choose the path.
    pub fn may_write_path(&self) -> bool {
        self.all(Verb::Write, |path| path.names(Root::Path, None))
    }

    /// Whether the plugin may choose among the origins that the provider lists.
    pub fn may_write_origin(&self) -> bool {
        self.all(Verb::Write, |path| path.names(Root::Origin, None))
    }

    /// Whether the plugin may replace the body.
    pub fn may_write_body(&self) -> bool {
        self.all(Verb::Write, |path| path.names(Root::Body, None))
    }

    /// Whether the value of this name may be presented as a client certificate, or as its key: one of
    /// the connection or the account that the plugin may read, or that is named for this alone. It
    /// is then not shown.
    pub fn may_present(&self, name: &str) -> bool {
        let Some((root, rest)) = Root::of(name) else { return false };
        let holder = matches!(root, Root::Connection | Root::Account | Root::State);
        holder
            && self.layers().all(|layer| {
                let writes =
                    |rest| layer.write.iter().any(|path| path.names(Root::ClientCertificate, rest));
                writes(Some(name))
                    || writes(None) && layer.read.iter().any(|path| path.covers(root, rest))
            })
    }

    /// Whether the plugin may ask for a connection that no other request shares.
    pub fn may_own_connection(&self) -> bool {
        self.all(Verb::Write, |path| path.names(Root::OwnConnection, None))
    }

    /// Whether a flow may leave this name, without its `state/`, in an account's state.
    pub fn may_write_state(&self, name: &str) -> bool {
        self.all(Verb::Write, |path| path.names(Root::State, Some(name)))
    }

    /// Whether `setup` may leave this name, without its `shared/`, for the connection.
    pub fn may_write_shared(&self, name: &str) -> bool {
        self.all(Verb::Write, |path| path.names(Root::Shared, Some(name)))
    }

    /// The values that hold URLs which the host may fetch from, by name. Whether one was learnt
    /// (`shared/`, `state/`), and so must also be on a domain of the provider's, its name tells.
    pub fn fetch_urls<'v>(&self, values: &'v Values) -> Vec<(&'v str, &'v str)> {
        self.urls(Verb::Fetch, values)
    }

    /// The values that hold URLs which the user's browser may be sent to, by name.
    pub fn visit_urls<'v>(&self, values: &'v Values) -> Vec<(&'v str, &'v str)> {
        self.urls(Verb::Visit, values)
    }

    /// Whether a request may go out without a credential, to be challenged.
    pub fn send_bare(&self) -> bool {
        self.layers().all(|layer| layer.bare)
    }

    fn urls<'v>(&self, verb: Verb, values: &'v Values) -> Vec<(&'v str, &'v str)> {
        let named = |name: &str| {
            let name = Root::of(name);
            name.is_some_and(|(root, rest)| self.all(verb, |path| path.names(root, rest)))
        };
        let values = values.iter().map(|(name, value)| (name, value.expose()));
        values.filter(|(name, url)| !url.is_empty() && named(name)).collect()
    }

    fn exactly(&self, verb: Verb, root: Root, name: &HeaderName) -> bool {
        self.all(verb, |path| path.names(root, Some(name.as_str())))
    }

    fn all(&self, verb: Verb, grants: impl Fn(&Path) -> bool) -> bool {
        self.layers().all(|layer| layer.paths(verb).iter().any(&grants))
    }

    fn layers(&self) -> impl Iterator<Item = &Layer> {
        std::iter::once(&self.own).chain(&self.limits)
    }
}

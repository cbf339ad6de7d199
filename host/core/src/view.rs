//! What a plugin is shown of the request: only the parts that it asked for, and may see.
//!
//! A plugin asks by name: `header/NAME` (with one `*`), `body/bytes`, `body/sha-256`,
//! `body/sha-512`, `body/md5`. A name that this host does not know is refused, never ignored.
//! Method and URL always come. What is shown is what will leave: the hop-by-hop headers are gone
//! by then, and so is every header that the plugin may write itself.

use http::{HeaderMap, Method};
use md5::Md5;
use sha2::{Digest as _, Sha256, Sha512};

use crate::body::KnownBody;
use crate::contract::authorizer::{BodyView, RequestView};
use crate::needs::Granted;

/// Most names in one wish: more than any signature covers.
const MOST_WISHES: usize = 64;

/// Bytes of one name: wishes are kept.
const LONGEST_WISH: usize = 256;

/// A plugin asked for what it may not see.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// This host has no such part.
    #[error("`{0}` is no part of a request that this host can show")]
    Unknown(String),
    /// Its needs do not cover it.
    #[error("`{0}` is outside its needs")]
    Ungranted(String),
    /// More names than a request has parts, or longer ones than any part has.
    #[error("more than {MOST_WISHES} parts, or names of more than {LONGEST_WISH} bytes")]
    TooMany,
}

impl ViewError {
    /// The same without the part's name, for a log.
    pub(crate) fn nameless(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "what it wants to see is no part of a request",
            Self::Ungranted(_) => "what it wants to see is outside its needs",
            Self::TooMany => "it wants to see too much",
        }
    }
}

/// Parts of a request, all of which the plugin may see.
#[derive(Default)]
pub(crate) struct Wish {
    headers: Vec<String>,
    body: BodyWish,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum BodyWish {
    #[default]
    Length,
    Sha256,
    Sha512,
    Md5,
    Bytes,
}

impl Wish {
    pub(crate) fn parse(names: &[String], granted: &Granted) -> Result<Self, ViewError> {
        if names.len() > MOST_WISHES || names.iter().any(|name| name.len() > LONGEST_WISH) {
            return Err(ViewError::TooMany);
        }
        let mut wish = Self::default();
        for name in names {
            let quoted = || name.chars().take(80).flat_map(char::escape_default).collect();
            if !granted.may_read(name) {
                return Err(ViewError::Ungranted(quoted()));
            }
            match name.split_once('/') {
                Some(("header", header)) => wish.headers.push(header.to_ascii_lowercase()),
                Some(("body", "bytes")) => wish.body = BodyWish::Bytes,
                // The bytes say more than a digest.
                Some(("body", _)) if wish.body == BodyWish::Bytes => {}
                Some(("body", "sha-256")) => wish.body = BodyWish::Sha256,
                Some(("body", "sha-512")) => wish.body = BodyWish::Sha512,
                Some(("body", "md5")) => wish.body = BodyWish::Md5,
                _ => return Err(ViewError::Unknown(quoted())),
            }
        }
        Ok(wish)
    }

    /// Whether the body must be read first.
    pub(crate) fn wants_body(&self) -> bool {
        self.body != BodyWish::Length
    }

    /// The view itself. A body past the spool limit stays unseen.
    pub(crate) fn view(
        &self,
        method: &Method,
        url: &str,
        headers: &HeaderMap,
        body: &KnownBody,
        granted: &Granted,
    ) -> RequestView {
        let shown = headers
            .iter()
            .filter(|(name, _)| self.headers.iter().any(|wish| covers(wish, name.as_str())))
            .filter(|(name, _)| granted.may_read_message_header(name))
            .map(|(name, value)| (name.to_string(), latin1(value.as_bytes())))
            .collect();
        RequestView {
            method: method.to_string(),
            url: url.to_owned(),
            headers: shown,
            body: self.body_view(body),
        }
    }

    fn body_view(&self, body: &KnownBody) -> BodyView {
        let bytes = match body {
            KnownBody::Whole(bytes) => bytes,
            KnownBody::Length(length) => return BodyView::Unseen(*length),
        };
        match self.body {
            BodyWish::Length => BodyView::Unseen(Some(bytes.len() as u64)),
            BodyWish::Sha256 => BodyView::Digest(Sha256::digest(bytes).to_vec()),
            BodyWish::Sha512 => BodyView::Digest(Sha512::digest(bytes).to_vec()),
            BodyWish::Md5 => BodyView::Digest(Md5::digest(bytes).to_vec()),
            BodyWish::Bytes => BodyView::Bytes(bytes.to_vec()),
        }
    }
}

/// Each byte as one character: how the contract writes header values.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn covers(wish: &str, name: &str) -> bool {
    match wish.split_once('*') {
        None => wish == name,
        Some((start, end)) => {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
    }
}

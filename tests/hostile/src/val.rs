//! A value that a guest answers with, as a tree without types.
//!
//! The WIT type gives the meaning when the tree is laid out (`layout`); a tree that does not fit
//! its type is an error there. Some leaves are not values at all but lies about memory, which is
//! what hostile guests are for.

/// One node of an answer.
#[derive(Debug, Clone)]
pub enum Val {
    /// A `bool` or an unsigned integer. Must fit the type.
    Num(u64),
    /// A `string` or a `list<u8>`, byte for byte: it need not be UTF-8.
    Bytes(Vec<u8>),
    /// A `string` or a `list<u8>` put together while the guest runs.
    Parts(Vec<Part>),
    /// A `string` or a list said to be at an address, whether or not anything is there.
    Claim {
        /// Address of the first byte.
        at: u32,
        /// Bytes of a string, or elements of a list.
        len: u32,
    },
    /// A list.
    List(Vec<Val>),
    /// A list of one element many times over, filled while the guest runs. Where memory does not
    /// grow that far, the length is claimed all the same.
    Repeat(Box<Val>, u32),
    /// A record: every field once, in any order.
    Record(Vec<(&'static str, Val)>),
    /// A tuple.
    Tuple(Vec<Val>),
    /// A case of a variant or an enum; `none` and `some` of an option; `ok` and `err` of a result.
    Case(&'static str, Option<Box<Val>>),
}

/// A stretch of a string that only the running guest knows.
#[derive(Debug, Clone)]
pub enum Part {
    /// Known beforehand.
    Text(&'static str),
    /// The account's value `account/token`. Traps where the host does not show it.
    Token,
    /// The string at these two flat parameters of the export: its address, and next its length.
    Param(u32),
    /// What an earlier call left in a global, see [`crate::Body::keeping_in_global`].
    KeptInGlobal,
    /// What an earlier call left in memory, see [`crate::Body::keeping_in_memory`].
    KeptInMemory,
}

impl From<&str> for Val {
    fn from(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }
}

impl From<&[u8]> for Val {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<String> for Val {
    fn from(text: String) -> Self {
        Self::Bytes(text.into_bytes())
    }
}

impl From<u64> for Val {
    fn from(number: u64) -> Self {
        Self::Num(number)
    }
}

impl<const N: usize> From<[Part; N]> for Val {
    fn from(parts: [Part; N]) -> Self {
        Self::Parts(parts.into())
    }
}

impl Val {
    /// A case without a payload.
    pub fn case(name: &'static str) -> Self {
        Self::Case(name, None)
    }

    /// A case with its payload.
    pub fn of(name: &'static str, payload: impl Into<Self>) -> Self {
        Self::Case(name, Some(Box::new(payload.into())))
    }

    /// `option::none`.
    pub fn none() -> Self {
        Self::case("none")
    }

    /// `option::some`.
    pub fn some(payload: impl Into<Self>) -> Self {
        Self::of("some", payload)
    }

    /// `result::ok`.
    pub fn ok(payload: impl Into<Self>) -> Self {
        Self::of("ok", payload)
    }

    /// `result::err`.
    pub fn err(payload: impl Into<Self>) -> Self {
        Self::of("err", payload)
    }

    /// A list of strings.
    pub fn strings<S: AsRef<str>>(items: &[S]) -> Self {
        Self::List(items.iter().map(|item| item.as_ref().into()).collect())
    }
}

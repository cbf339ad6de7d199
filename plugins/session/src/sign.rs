//! What in a body says that a login was refused, or that a session is over.

use crate::pointer::Pointer;

/// One way to tell.
pub(crate) enum Sign<'a> {
    /// This text is somewhere in it.
    Text(&'a str),
    /// It is JSON, with a scalar there: this one, or any.
    Json(Pointer, Option<&'a str>),
}

impl Sign<'_> {
    pub(crate) fn is_in(&self, body: &[u8]) -> bool {
        match self {
            Self::Text(text) => String::from_utf8_lossy(body).contains(text),
            Self::Json(pointer, equals) => {
                let found = pointer.of(body);
                found.is_some_and(|found| equals.is_none_or(|equals| equals == found))
            }
        }
    }
}

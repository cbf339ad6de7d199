//! What in a body says that a login was refused, or that a session is over.

use crate::pointer::Pointer;

/// One way to tell.
pub(crate) enum Sign<'a> {
    /// This text is somewhere in it.
    Text(&'a str),
    /// It is JSON, with a scalar there: this one, or any.
    Json(Pointer, Option<&'a str>),
}

/// Whether one of them is in it. What is not UTF-8 is replaced once for all of them: it takes up to
/// three times the room.
pub(crate) fn any_in(signs: &[Sign<'_>], body: &[u8]) -> bool {
    let text = std::cell::LazyCell::new(|| String::from_utf8_lossy(body));
    signs.iter().any(|sign| match sign {
        Sign::Text(sign) => text.contains(sign),
        Sign::Json(pointer, equals) => {
            let found = pointer.of(body);
            found.is_some_and(|found| equals.is_none_or(|equals| equals == found))
        }
    })
}

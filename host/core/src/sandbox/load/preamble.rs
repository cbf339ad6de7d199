//! What a file that is no component is, told from its first bytes and the lengths of its sections,
//! in words for whoever put it there.
//!
//! Files that the compiler has already refused are looked at, and those that may still be on their way;
//! nothing else rests on this.

use wasmtime::Error;

/// `\0asm`, as every WebAssembly file begins.
const MAGIC: &[u8] = b"\0asm";
/// Version 1, as a core module goes on.
const MODULE: &[u8] = &[1, 0, 0, 0];
/// Version 13 of layer 1, as a component goes on.
const COMPONENT: &[u8] = &[0x0d, 0, 1, 0];
/// The highest number that a section of a component has.
const LAST_SECTION: u8 = 12;

/// Why a file is no component that this host can compile.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotAComponent {
    /// No bytes at all.
    #[error("the file is empty; build the plugin with `countersign plugin build`")]
    Empty,
    /// Text, or anything else.
    #[error(
        "it does not begin as WebAssembly does; write the plugin with the guest SDK \
         (countersign-plugin), and build it with `countersign plugin build`"
    )]
    NotWasm,
    /// What a compiler gives before it is wrapped.
    #[error(
        "it is a core module, which is not wrapped as a component yet; `countersign plugin build` \
         builds a plugin and wraps it"
    )]
    CoreModule,
    /// The bytes end within a section.
    #[error(
        "it breaks off in the middle; copy it again, or build it with `countersign plugin build`"
    )]
    Truncated,
    /// The compiler's own reason.
    #[error("this host cannot compile it: {0}")]
    Invalid(String),
}

impl NotAComponent {
    /// Of bytes that the compiler refused, with its reason.
    pub(super) fn of(bytes: &[u8], cause: &Error) -> Self {
        Self::told(bytes).unwrap_or_else(|| Self::Invalid(super::first_line(cause)))
    }

    /// Whether the file ends before it should, or has nothing in it yet: more may be on its way.
    pub(crate) fn is_partial(bytes: &[u8]) -> bool {
        matches!(Self::told(bytes), Some(Self::Empty | Self::Truncated))
    }

    /// What can be told without compiling it. No component that compiles is any of these.
    fn told(bytes: &[u8]) -> Option<Self> {
        Some(match bytes.strip_prefix(MAGIC) {
            None if bytes.is_empty() => Self::Empty,
            None if MAGIC.starts_with(bytes) => Self::Truncated,
            None => Self::NotWasm,
            Some(rest) if rest.starts_with(MODULE) => Self::CoreModule,
            Some(rest) => match rest.strip_prefix(COMPONENT) {
                None if COMPONENT.starts_with(rest) || MODULE.starts_with(rest) => Self::Truncated,
                Some(sections) if breaks_off(sections) => Self::Truncated,
                _ => return None,
            },
        })
    }
}

/// Whether the last section says that it is longer than what is there.
fn breaks_off(mut sections: &[u8]) -> bool {
    while let [id, rest @ ..] = sections {
        if *id > LAST_SECTION {
            return false;
        }
        let Some((length, rest)) = leb128(rest) else { return rest.len() < 5 };
        let Some(next) = usize::try_from(length).ok().and_then(|length| rest.get(length..)) else {
            return true;
        };
        sections = next;
    }
    false
}

/// A number of at most 32 bits in the encoding that WebAssembly has for lengths, and what follows.
fn leb128(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (nth, byte) in bytes.iter().enumerate().take(5) {
        value |= u64::from(byte & 0x7f) << (7 * nth);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[nth + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: &[u8]) -> String {
        let told = NotAComponent::of(bytes, &Error::msg("cause"));
        let partial = matches!(told, NotAComponent::Empty | NotAComponent::Truncated);
        assert_eq!(NotAComponent::is_partial(bytes), partial);
        format!("{told:?}")
    }

    #[test]
    fn a_file_is_called_what_it_is() {
        let component = [MAGIC, COMPONENT].concat();
        let with = |sections: &[u8]| [&component, sections].concat();
        for (bytes, expected) in [
            (vec![], "Empty"),
            (b"hello\n".to_vec(), "NotWasm"),
            (b"(component)".to_vec(), "NotWasm"),
            (b"\0asm"[..3].to_vec(), "Truncated"),
            (MAGIC.to_vec(), "Truncated"),
            (component[..7].to_vec(), "Truncated"),
            ([MAGIC, MODULE].concat(), "CoreModule"),
            ([MAGIC, MODULE, &[1, 200]].concat(), "CoreModule"),
            // One section of two bytes, and one that says five and has one, or has no length.
            (with(&[0, 2, 1, b'x', 1, 5, 0]), "Truncated"),
            (with(&[0, 2, 1, b'x', 1]), "Truncated"),
            (with(&[1, 0x80]), "Truncated"),
            (with(&[0, 2, 1, b'x']), "Invalid(\"cause\")"),
            (with(&[]), "Invalid(\"cause\")"),
            (with(b" and no more"), "Invalid(\"cause\")"),
            (with(&[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), "Invalid(\"cause\")"),
            ([MAGIC, &[9, 9, 9, 9]].concat(), "Invalid(\"cause\")"),
        ] {
            assert_eq!(told(&bytes), expected, "{bytes:?}");
        }
    }
}

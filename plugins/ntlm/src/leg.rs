//! Where an exchange stands: what a leg was sent with, and what the next one has to be.
//!
//! Both are handed from call to call by the host, as cursors, and come back as they were written.

/// What a leg was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The negotiate message on the whole request.
    Whole,
    /// The negotiate message on the request without its body.
    Emptied,
    /// The answer to a challenge.
    Answer,
}

const SENT: [(&[u8], Sent); 3] =
    [(b"1", Sent::Whole), (b"1 emptied", Sent::Emptied), (b"3", Sent::Answer)];

impl Sent {
    pub(crate) fn read(cursor: &[u8]) -> Option<Self> {
        SENT.iter().find(|(written, _)| *written == cursor).map(|(_, sent)| *sent)
    }

    pub(crate) fn write(self) -> Vec<u8> {
        SENT.iter().find(|(_, sent)| *sent == self).map_or(Vec::new(), |it| it.0.to_vec())
    }
}

/// What a leg has to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn<'a> {
    /// Of a request that was not sent yet.
    First,
    /// The same with the whole request.
    Whole,
    /// The answer to this challenge message.
    Answer(&'a [u8]),
}

const WHOLE: &[u8] = b"whole";
const ANSWER: &[u8] = b"2 ";

impl<'a> Turn<'a> {
    pub(crate) fn read(cursor: &'a [u8]) -> Self {
        match cursor.strip_prefix(ANSWER) {
            Some(message) => Self::Answer(message),
            None if cursor == WHOLE => Self::Whole,
            None => Self::First,
        }
    }

    pub(crate) fn write(self) -> Vec<u8> {
        match self {
            Self::First => Vec::new(),
            Self::Whole => WHOLE.to_vec(),
            Self::Answer(message) => [ANSWER, message].concat(),
        }
    }
}

//! What can be wrong with a host name or a path, each with its fix and without the text at fault.

use thiserror::Error;

/// Why a host name is refused.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostFault {
    /// There is no text.
    #[error("it is empty")]
    Empty,
    /// The name is over 253 characters (RFC 1035 section 2.3.4).
    #[error("a host name has at most 253 characters")]
    TooLong,
    /// A label is over 63 characters (RFC 1035 section 2.3.4).
    #[error("each part between dots has at most 63 characters")]
    LabelTooLong,
    /// Two dots in a row, or one at the beginning.
    #[error("there is nothing between two dots, or before the first")]
    EmptyLabel,
    /// The name ends in a dot.
    #[error("leave out the dot at the end")]
    TrailingDot,
    /// A label begins or ends with a hyphen (RFC 1123 section 2.1).
    #[error("a part between dots neither begins nor ends with a hyphen")]
    Hyphen,
    /// A character outside letters, digits, hyphens and dots.
    #[error("only letters, digits, hyphens and dots may stand here: no scheme, port, path or user")]
    Character,
    /// A character outside ASCII. Nothing is mapped, so that what is seen is what is dialled.
    #[error("write an international name in its xn-- form")]
    NonAscii,
    /// An `xn--` label that stands for no name.
    #[error("an xn-- part is not valid")]
    Punycode,
    /// An address or a number, in whatever spelling: the last label does not begin with a letter.
    #[error("an address or a number is not allowed here; give a DNS name")]
    Address,
    /// One label where a full name is asked for.
    #[error("give the full name, such as acme.example.com")]
    SingleLabel,
    /// A dot where one label is asked for.
    #[error("give only the part that stands here, without dots")]
    SeveralLabels,
}

/// Why a path or a query is refused.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathFault {
    /// A segment that some server along the way reads as `.` or `..`.
    #[error("resolve `.` and `..` before sending; they are refused in every encoding")]
    DotSegment,
    /// `\`, which some parsers read as `/`.
    #[error("write `\\` as %5C, and use `/` between segments")]
    Backslash,
    /// A control character, which parsers drop or split at.
    #[error("control characters, such as line breaks and tabs, cannot stand in a URL")]
    Control,
    /// A space.
    #[error("write a space as %20")]
    Space,
    /// A character outside ASCII.
    #[error("percent-encode what is not ASCII, as UTF-8")]
    NonAscii,
    /// `#`: a fragment is never sent.
    #[error("write `#` as %23; a fragment is never sent")]
    Fragment,
    /// `?` in a path.
    #[error("give the query apart from the path, or write `?` as %3F")]
    QuestionMark,
    /// `%` without two hexadecimal digits.
    #[error("write `%` as %25; it begins an escape of two hexadecimal digits")]
    Escape,
    /// An escape of an escape of an escape, deeper than is followed here.
    #[error("the path is percent-encoded more than four times over; encode it once")]
    Nested,
    /// A path that begins with `//`, which reads as another host.
    #[error("begin the path with one `/`")]
    LeadingSlashes,
    /// A colon in the first segment of a path without a leading `/`: it reads as another scheme or
    /// port (RFC 3986 section 4.2).
    #[error("begin the path with `/`; a full URL is not a path")]
    SchemeLike,
    /// No text where one segment is asked for.
    #[error("it is empty")]
    Empty,
    /// `/` where one segment is asked for.
    #[error("give one path segment, without `/`")]
    Slash,
    /// `%` where plain text is asked for.
    #[error("give the plain text, without `%`; it is encoded here")]
    Percent,
    /// More text than can be sent.
    #[error("it is too long")]
    TooLong,
}

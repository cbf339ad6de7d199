//! Ids of requests: one that the caller chose, or a new one.

use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign::random::{Random, RandomError};
use http::{HeaderMap, HeaderName, HeaderValue};

/// What callers name a request by, if they do, and what names it to an upstream.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken over from a caller, in bytes.
const LONGEST: usize = 128;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The id that logs know a request by: a few letters, digits and marks, which fit in a header and in
/// a line of a log as they are. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RequestId(HeaderValue);

/// This is no id of a request. The caller must choose another.
#[derive(Debug, thiserror::Error)]
#[error("an id has up to {LONGEST} letters, digits, `-`, `_`, `.` and `:`")]
pub struct NoRequestId;

impl RequestId {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // It is ASCII.
        self.0.to_str().unwrap_or_default()
    }

    /// As the value of a header.
    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl FromStr for RequestId {
    type Err = NoRequestId;

    fn from_str(id: &str) -> Result<Self, NoRequestId> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        if id.is_empty() || id.len() > LONGEST || !id.bytes().all(fits) {
            return Err(NoRequestId);
        }
        HeaderValue::from_str(id).map(Self).map_err(|_| NoRequestId)
    }
}

/// Gives them out.
pub(crate) struct Ids {
    /// What each begins with: random, so that two processes have ids of their own.
    process: Box<[u8]>,
    last: AtomicU64,
}

impl Ids {
    pub(crate) fn new(random: &dyn Random) -> Result<Self, RandomError> {
        let mut bytes = [0; 8];
        random.fill(&mut bytes)?;
        let process = format!("{:016x}", u64::from_be_bytes(bytes));
        Ok(Self { process: process.into_bytes().into(), last: AtomicU64::new(0) })
    }

    /// The one that the headers tell, where it is plain; else a new one.
    pub(crate) fn of(&self, headers: &HeaderMap) -> RequestId {
        let chosen = headers.get(X_REQUEST_ID).and_then(|id| id.to_str().ok()?.parse().ok());
        chosen.unwrap_or_else(|| self.next())
    }

    /// What `{process}{nth:08x}` would write, in far less time.
    fn next(&self) -> RequestId {
        let nth = self.last.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let zeros = nth.iter().take(4).take_while(|byte| **byte == 0).count();
        let mut id = Vec::with_capacity(self.process.len() + 2 * nth.len());
        id.extend_from_slice(&self.process);
        for byte in &nth[zeros..] {
            id.extend([byte >> 4, byte & 15].map(|half| DIGITS[usize::from(half)]));
        }
        // Digits fit in a header.
        RequestId(HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("none")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(process: &str, last: u64) -> Ids {
        Ids { process: process.as_bytes().into(), last: last.into() }
    }

    fn of(ids: &Ids, chosen: Option<&str>) -> String {
        let chosen = chosen.map(|id| (X_REQUEST_ID, HeaderValue::from_str(id).unwrap()));
        ids.of(&chosen.into_iter().collect()).as_str().to_owned()
    }

    #[test]
    fn a_request_keeps_the_id_that_its_caller_chose_where_that_is_plain() {
        let longest = "x".repeat(LONGEST);
        for chosen in ["4f9d2c7a", "a-b_c.d:E", &longest] {
            assert_eq!(of(&ids("p", 0), Some(chosen)), chosen);
        }
        for chosen in ["", "a b", "a\"b", "{a}", "a/b", "\u{e9}", &"x".repeat(LONGEST + 1)] {
            assert_eq!(of(&ids("p", 0), Some(chosen)), "p00000000", "{chosen}");
        }
    }

    #[test]
    fn requests_that_are_given_ids_are_told_apart() {
        let process = "00c0ffee00c0ffee";
        for last in [0, 1, 0x1f, 0xdead_beef, 0xffff_ffff] {
            assert_eq!(of(&ids(process, last), None), format!("{process}{last:08x}"));
        }
        let ids = ids(process, u64::from(u32::MAX));
        let (before, after) = (of(&ids, None), of(&ids, None));
        assert_eq!((&*before, &*after), ("00c0ffee00c0ffeeffffffff", "00c0ffee00c0ffee0100000000"));
    }
}

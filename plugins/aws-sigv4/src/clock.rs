//! How far the server's clock is from the host's.
//!
//! A signature is good for some minutes of the server's time, so a host whose clock is wrong has each of
//! them refused. A refusal whose `Date` is of another time tells by how much: the request is signed anew
//! by the server's clock, and sent once more. The difference is kept, so that the next request is right
//! at once, and let go where it turns out to help nothing: a `Date` may be wrong itself.
//!
//! Bodies are not looked at. Services have several words for a signature that is not of their time, and
//! for a HEAD they have none.

use countersign_plugin::{HttpResponse, Next, Reaction, Watch, find};

use crate::date;

const DATE: &str = "date";

/// The statuses by which services refuse a signature: JSON's, EC2's, and those of all others.
const REFUSED: [u16; 3] = [400, 401, 403];

/// The largest difference made up for, in seconds: a day, which is a clock that shows another zone's
/// time. Whoever answers says the difference, and gets signatures of that time.
const MOST: i64 = 86_400;

/// What is added to the host's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offset {
    /// Seconds.
    seconds: i64,
    /// Whether a request has been accepted with it. None is as good as proven.
    proven: bool,
}

impl Offset {
    const NONE: Self = Self { seconds: 0, proven: true };

    /// As it was kept. What cannot be read counts as not there.
    pub(crate) fn read(kept: &[u8]) -> Self {
        let read = || {
            let text = std::str::from_utf8(kept).ok()?;
            let (seconds, proven) = text.strip_suffix('?').map_or((text, true), |it| (it, false));
            let seconds = seconds.parse().ok().filter(|seconds: &i64| is_made_up_for(*seconds))?;
            Some(Self { seconds, proven })
        };
        read().unwrap_or(Self::NONE)
    }

    fn write(self) -> Vec<u8> {
        format!("{}{}", self.seconds, if self.proven { "" } else { "?" }).into_bytes()
    }

    /// The server's time, in Unix milliseconds, where this is the host's.
    pub(crate) fn of(self, now: u64) -> u64 {
        now.saturating_add_signed(self.seconds * 1000)
    }

    fn is_near(self, seconds: i64, tolerated: i64) -> bool {
        (self.seconds - seconds).abs() <= tolerated
    }
}

fn is_made_up_for(seconds: i64) -> bool {
    (-MOST..=MOST).contains(&seconds)
}

/// What a request was signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) offset: Offset,
    /// Whether it was sent before, with another.
    repeated: bool,
}

const REPEATED: &[u8] = b" again";

impl Sent {
    /// `cursor` is what a reply to the same request has left, if there was one.
    pub(crate) fn new(memo: &[u8], cursor: &[u8]) -> Self {
        let repeated = !cursor.is_empty();
        Self { offset: Offset::read(if repeated { cursor } else { memo }), repeated }
    }

    fn read(cursor: &[u8]) -> Self {
        let stripped = cursor.strip_suffix(REPEATED);
        Self { offset: Offset::read(stripped.unwrap_or(cursor)), repeated: stripped.is_some() }
    }

    pub(crate) fn write(self) -> Vec<u8> {
        let mut cursor = self.offset.write();
        cursor.extend_from_slice(if self.repeated { REPEATED } else { b"" });
        cursor
    }

    /// The replies that tell something of the time; any, where it is not known yet whether the offset
    /// is of use.
    pub(crate) fn watches(self) -> Vec<Watch> {
        let refused =
            |status| Watch { status: Some(status), headers: vec![DATE.to_owned()], body: 0 };
        let any = Watch { status: None, headers: Vec::new(), body: 0 };
        let any = (!self.offset.proven).then_some(any);
        REFUSED.into_iter().map(refused).chain(any).collect()
    }
}

/// What a reply comes to, at `now` of the host, in Unix milliseconds. Differences up to `tolerated`
/// seconds are no reason for a refusal.
pub(crate) fn heard(
    reply: &HttpResponse,
    memo: &[u8],
    cursor: &[u8],
    now: u64,
    tolerated: i64,
) -> Reaction {
    let (known, sent) = (Offset::read(memo), Sent::read(cursor));
    let deliver = |memo| Reaction { next: Next::Deliver, memo };
    if !REFUSED.contains(&reply.status) {
        // Another error may come from somebody who looked at no signature.
        let accepted = reply.status < 400 || reply.status == 404;
        let proves = accepted && !sent.offset.proven && known == sent.offset;
        return deliver(proves.then(|| Offset { proven: true, ..sent.offset }.write()));
    }
    let now = i64::try_from(now / 1000).unwrap_or(i64::MAX);
    let difference = find(&reply.headers, DATE).and_then(date::parsed).map(|date| date - now);
    match difference.filter(|it| is_made_up_for(*it)) {
        Some(difference) if !sent.repeated && !sent.offset.is_near(difference, tolerated) => {
            // Another request may have learnt the same meanwhile.
            let next = if known.is_near(difference, tolerated) {
                known
            } else {
                Offset { seconds: difference, proven: false }
            };
            let memo = (next != known).then(|| next.write());
            Reaction { next: Next::Again(next.write()), memo }
        }
        // It was no help.
        _ => deliver((!sent.offset.proven && known == sent.offset).then(Vec::new)),
    }
}

#[cfg(test)]
mod tests;

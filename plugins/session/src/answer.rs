//! What an answer of the login comes to: values taken, or a refusal that says who has to act.
//!
//! On `Ok` everything that the request is to take was there, and can be used. No refusal repeats what a
//! server wrote.

use countersign_plugin::{Entry, HttpResponse, Refusal};

use crate::{
    cookie,
    pattern::{Expires, From, Request, Take, Unit},
    sign,
};

/// The longest value taken. Nothing longer would pass as a header.
const LONGEST: usize = 16 << 10;

/// What an answer gave.
#[derive(Debug, PartialEq)]
pub(crate) struct Given {
    pub(crate) taken: Vec<Entry>,
    /// When the session ends, in Unix seconds.
    pub(crate) until: Option<u64>,
}

/// Judges the answer to a request of the login; `now` is in Unix seconds.
pub(crate) fn judged(
    request: &Request<'_>,
    reply: &HttpResponse,
    now: u64,
) -> Result<Given, Refusal> {
    let fits = match &request.statuses[..] {
        [] => (200..300).contains(&reply.status),
        statuses => statuses.contains(&reply.status),
    };
    if !fits {
        return Err(unexpected(request, reply));
    }
    if sign::any_in(&request.refused, &reply.body) {
        return Err(
            Refusal::reauthorize("the answer says that the login is refused").at(&request.at)
        );
    }
    let taken: Result<Vec<Entry>, Refusal> = request
        .takes
        .iter()
        .map(|take| Ok((take.name.to_owned(), taken(take, reply, now)?)))
        .collect();
    Ok(Given { taken: taken?, until: until(request, reply, now)? })
}

/// Whoever has to act, by the status alone.
fn unexpected(request: &Request<'_>, reply: &HttpResponse) -> Refusal {
    let message = format!("the login is answered with the status {}", reply.status);
    let refusal = match reply.status {
        400 | 401 | 403 | 422 => Refusal::reauthorize(&message).at(&request.at),
        404 | 405 | 410 => {
            Refusal::invalid_config(&[&request.at, "/request_url"].concat(), &message)
        }
        408 | 429 | 500.. => Refusal::unavailable(&message).at(&request.at),
        _ => Refusal::denied(&message).at(&request.at),
    };
    refusal.retry_after(reply.retry_after())
}

fn taken(take: &Take<'_>, reply: &HttpResponse, now: u64) -> Result<String, Refusal> {
    let value = match &take.from {
        From::Json(pointer) => pointer.of(&reply.body),
        From::Header(name) => reply.header(name).map(|value| value.trim().to_owned()),
        From::Cookie(name) => cookie::find(reply, name, now).map(|it| it.value.to_owned()),
    };
    let value = value.filter(|value| !value.is_empty());
    let value = value.ok_or_else(|| {
        Refusal::denied("the answer does not hold the value that is taken here").at(&take.at)
    })?;
    if value.len() > LONGEST || value.chars().any(char::is_control) {
        return Err(Refusal::denied("the answer holds a value that cannot be used").at(&take.at));
    }
    Ok(value)
}

/// Where an answer says nothing, nothing is known; where it says what is no time to come, it is odd.
fn until(request: &Request<'_>, reply: &HttpResponse, now: u64) -> Result<Option<u64>, Refusal> {
    let odd = || {
        let at = [&request.at, "/expires"].concat();
        Refusal::unavailable("the answer gives no time to come as the session's end").at(&at)
    };
    let until = match &request.expires {
        None => None,
        Some(Expires::Cookie(name)) => {
            return Ok(cookie::find(reply, name, now).and_then(|cookie| cookie.until));
        }
        Some(Expires::Json(pointer, unit)) => match pointer.of(&reply.body) {
            None => None,
            Some(text) => {
                let number = whole(&text).ok_or_else(odd)?;
                Some(match unit {
                    Unit::Seconds => now.saturating_add(number),
                    Unit::Unix => number,
                    Unit::UnixMillis => number / 1000,
                })
            }
        },
    };
    match until {
        Some(until) if until <= now => Err(odd()),
        until => Ok(until),
    }
}

/// A number, which some servers send as a string or with a fraction.
fn whole(text: &str) -> Option<u64> {
    let text = text.trim();
    let number = text.parse().ok();
    // A cast from a float saturates.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as it says")]
    number.or_else(|| text.parse::<f64>().ok().filter(|it| *it >= 0.0).map(|it| it as u64))
}

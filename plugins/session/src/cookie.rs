//! Cookies of answers (RFC 6265, section 5.2), and what may go into one.

use countersign_plugin::{HttpResponse, Refusal};

use crate::moment;

/// A cookie that an answer sets.
#[derive(Debug, PartialEq)]
pub(crate) struct Cookie<'a> {
    pub(crate) value: &'a str,
    /// Unix seconds. `None` where it lasts as long as a browser is open.
    pub(crate) until: Option<u64>,
}

/// The cookie of this name: the last one, where it comes several times. `None` also where it is taken
/// back, which servers do by a time that is past.
pub(crate) fn find<'a>(reply: &'a HttpResponse, name: &str, now: u64) -> Option<Cookie<'a>> {
    let set = reply.headers.iter().filter(|(header, _)| header == "set-cookie");
    let mut found = set.filter_map(|(_, line)| {
        let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
        let (key, value) = pair.split_once('=')?;
        (key.trim() == name).then(|| Cookie { value: value.trim(), until: until(attributes, now) })
    });
    let last = found.next_back()?;
    last.until.is_none_or(|until| until > now).then_some(last)
}

/// `Max-Age` goes before `Expires` (section 5.3). One that cannot be read is as if it were not there.
fn until(attributes: &str, now: u64) -> Option<u64> {
    let (mut age, mut date) = (None, None);
    for attribute in attributes.split(';') {
        let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        let (name, value) = (name.trim(), value.trim());
        if name.eq_ignore_ascii_case("max-age") {
            age = seconds(value).or(age);
        } else if name.eq_ignore_ascii_case("expires") {
            date = moment::of_cookie(value).or(date);
        }
    }
    age.map(|age| now.saturating_add(age)).or(date)
}

/// Below zero is over at once.
fn seconds(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(if text.len() > digits.len() { 0 } else { digits.parse().unwrap_or(u64::MAX) })
}

/// Refuses what is no value of a cookie (section 4.1.1): it would end it, and begin another.
pub(crate) fn check(field: &str, value: &str) -> Result<(), Refusal> {
    let octets = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    let fits = |byte: u8| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte);
    if !octets.is_empty() && octets.bytes().all(fits) {
        return Ok(());
    }
    Err(Refusal::invalid_config(field, "this value holds a character that no cookie can carry"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 784_111_777;

    fn reply(lines: &[&str]) -> HttpResponse {
        let header = |line: &&str| ("set-cookie".to_owned(), (*line).to_owned());
        HttpResponse { status: 200, headers: lines.iter().map(header).collect(), body: Vec::new() }
    }

    #[test]
    fn a_cookie_lasts_as_long_as_it_says() {
        let hour = NOW + 3600;
        for (line, value, until) in [
            ("sid=a", "a", None),
            (" sid = a=b ; Path=/; HttpOnly", "a=b", None),
            ("sid=\"a\"; max-AGE=60", "\"a\"", Some(NOW + 60)),
            ("sid=a; Expires=Sun, 06 Nov 1994 09:49:37 GMT", "a", Some(hour)),
            ("sid=a; Max-Age=60; Expires=Sun, 06 Nov 1994 09:49:37 GMT", "a", Some(NOW + 60)),
            ("sid=a; Max-Age=soon; Expires=Sun, 06-Nov-94 09:49:37 GMT", "a", Some(hour)),
            ("sid=a; Max-Age=99999999999999999999", "a", Some(u64::MAX)),
            ("sid=a; Expires=0", "a", None),
        ] {
            let reply = reply(&["other=x", line, "sida=y", "sid"]);
            assert_eq!(find(&reply, "sid", NOW), Some(Cookie { value, until }), "{line}");
        }
    }

    #[test]
    fn the_last_one_counts_and_one_that_is_taken_back_is_none() {
        let last = reply(&["sid=a", "sid=b"]);
        assert_eq!(find(&last, "sid", NOW).unwrap().value, "b");
        for line in
            ["sid=; Max-Age=0", "sid=x; Max-Age=-1", "sid=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]
        {
            assert_eq!(find(&reply(&["sid=a", line]), "sid", NOW), None, "{line}");
        }
    }

    #[test]
    fn nothing_gets_out_of_its_cookie() {
        for value in ["", "a;b", "a, b", "a b", "a\"b", "\"\"", "a\\b", "a\nb", "é"] {
            let refusal = check("state/sid", value).unwrap_err();
            assert_eq!(refusal.field.as_deref(), Some("state/sid"), "{value:?}");
        }
        for value in ["a", "\"a\"", "a=b%20!#$&'()*+-./:<>?@[]^_`{|}~"] {
            check("state/sid", value).unwrap();
        }
    }
}

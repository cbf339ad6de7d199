//! Moments as answers write them, in Unix seconds.

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A cookie's date, by the algorithm of RFC 6265, section 5.1.1, which takes every form that servers
/// write. Before 1970 counts as 1970.
pub(crate) fn of_cookie(text: &str) -> Option<u64> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(is_delimiter).filter(|token| !token.is_empty()) {
        if time.is_none()
            && let Some(found) = of_clock(token)
        {
            time = Some(found);
        } else if day.is_none()
            && let Some(found) = digits(token, 1, 2)
        {
            day = Some(found);
        } else if month.is_none()
            && let Some(found) = month_of(token)
        {
            month = Some(found);
        } else if year.is_none()
            && let Some(found) = digits(token, 2, 4)
        {
            year = Some(found);
        }
    }
    let (day, month, seconds) = (day?, month?, time?);
    let year = match year? {
        year @ 70..=99 => year + 1900,
        year @ 0..=69 => year + 2000,
        year => year,
    };
    if !(1..=31).contains(&day) || year < 1601 {
        return None;
    }
    Some(days(year, month, day).map_or(0, |days| days * 86_400 + seconds))
}

fn is_delimiter(c: char) -> bool {
    matches!(c, '\t' | ' '..='/' | ';'..='@' | '['..='`' | '{'..='~')
}

/// So many digits, and then nothing, or something that is no digit.
fn digits(token: &str, least: usize, most: usize) -> Option<u64> {
    let end = token.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(token.len());
    (least..=most).contains(&end).then(|| token[..end].parse().ok())?
}

/// `hh:mm:ss`, in seconds of the day.
fn of_clock(token: &str) -> Option<u64> {
    let mut parts = token.splitn(3, ':');
    let whole = |part: Option<&str>| {
        let part = part?;
        (part.len() <= 2).then(|| digits(part, part.len().max(1), 2))?
    };
    let (hour, minute) = (whole(parts.next())?, whole(parts.next())?);
    let second = digits(parts.next()?, 1, 2)?;
    (hour < 24 && minute < 60 && second < 60).then_some(hour * 3600 + minute * 60 + second)
}

fn month_of(token: &str) -> Option<u64> {
    let begins = token.get(..3)?.to_ascii_lowercase();
    (1..).zip(MONTHS).find(|(_, name)| *name == begins).map(|(number, _)| number)
}

/// Days since 1970; `None` before. Counted in years that begin in March, so that a leap day is a year's
/// last.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = year * 365 + year / 4 - year / 100 + year / 400;
    (before + (153 * month + 2) / 5 + day - 1).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_in_every_form_that_servers_write() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06-Nov-1994 08:49:37 GMT",
            "6 november 1994 8:49:37",
        ] {
            assert_eq!(of_cookie(text), Some(784_111_777), "{text}");
        }
        for text in ["", "0", "Sun, 06 Nov 1994", "Sun, 00 Nov 1994 08:49:37", "06 Nov 94 24:00:00"]
        {
            assert_eq!(of_cookie(text), None, "{text}");
        }
        assert_eq!(of_cookie("Thu, 01 Jan 1969 00:00:00 GMT"), Some(0));
    }

    #[test]
    fn a_date_is_the_day_that_a_calendar_says() {
        for hours in (0..24 * 366 * 180).step_by(25) {
            let time = jiff::Timestamp::from_second(hours * 3600).unwrap();
            let text = time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            assert_eq!(of_cookie(&text), u64::try_from(time.as_second()).ok(), "{text}");
        }
    }
}

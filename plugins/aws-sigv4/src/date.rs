//! The time in a reply's `Date`: RFC 9110, section 5.6.7, in the one form that is sent.

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The length of every such date.
const LENGTH: usize = "Sun, 06 Nov 1994 08:49:37 GMT".len();

/// In Unix seconds. The obsolete forms, and what is before 1970, are passed over.
pub(crate) fn parsed(text: &str) -> Option<i64> {
    if text.len() != LENGTH {
        return None;
    }
    let mut parts = text.split([' ', ':']);
    // The day of the week follows from the rest.
    parts.next()?;
    let day = number(parts.next()?).filter(|day| (1..=31).contains(day))?;
    let name = parts.next()?;
    let month = (1..).zip(MONTHS).find(|(_, month)| *month == name)?.0;
    let year = number(parts.next()?).filter(|year| *year >= 1970)?;
    let hour = number(parts.next()?).filter(|hour| *hour < 24)?;
    let minute = number(parts.next()?).filter(|minute| *minute < 60)?;
    let second = number(parts.next()?).filter(|second| *second <= 60)?;
    let ends = parts.next() == Some("GMT") && parts.next().is_none();
    ends.then(|| days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

fn number(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Days since 1970. Counted in years that begin in March, so that a leap day is a year's last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = year * 365 + year / 4 - year / 100 + year / 400;
    before + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_the_moment_that_a_calendar_says() {
        assert_eq!(parsed("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        for hours in (0..24 * 366 * 180).step_by(25) {
            let time = jiff::Timestamp::from_second(hours * 3600 + 7).unwrap();
            let text = time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            assert_eq!(parsed(&text), Some(time.as_second()), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_of_that_form_is_none() {
        for text in [
            "",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1969 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 1994 08:+9:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            "Sun, 06 Nov 1994 08:49:37é GM",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}

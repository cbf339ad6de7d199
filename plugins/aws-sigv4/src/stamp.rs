//! The time of a signature: `20150830T123600Z`, and the day that the signing key is made for.

/// A moment in UTC, to the second.
pub(crate) struct Stamp(String);

impl Stamp {
    /// Of Unix milliseconds.
    pub(crate) fn of(millis: u64) -> Self {
        let seconds = millis / 1000;
        let (year, month, day) = civil(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        Self(format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z"))
    }

    pub(crate) fn time(&self) -> &str {
        &self.0
    }

    pub(crate) fn day(&self) -> &str {
        self.0.split_once('T').map_or("", |(day, _)| day)
    }
}

/// Year, month and day of a number of days since 1970. Counted in years that begin in March, so that
/// a leap day is a year's last; an era is 400 years, after which the calendar repeats.
fn civil(days: u64) -> (u64, u64, u64) {
    const ERA: u64 = 146_097;
    // From 1 March of the year 0.
    let days = days + 719_468;
    let (era, day) = (days / ERA, days % ERA);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_what_a_calendar_says() {
        let hours = (0..24 * 366 * 180).step_by(7).map(|hour: u64| hour * 3_600_000);
        let ends = [951_782_399_999, 951_868_800_000, 4_107_542_399_000, 253_402_207_200_000];
        for millis in hours.chain(ends) {
            let time = jiff::Timestamp::from_millisecond(millis.try_into().unwrap()).unwrap();
            let stamp = Stamp::of(millis);
            assert_eq!(stamp.time(), time.strftime("%Y%m%dT%H%M%SZ").to_string());
            assert_eq!(stamp.day(), time.strftime("%Y%m%d").to_string());
        }
    }
}

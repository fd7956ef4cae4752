//! Time stamps of folders.

use std::fmt;
use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};

use crate::error::{ParseError, Problem};

/// When a folder was gathered: `YYYYmmddHHMMSS`. The original wrote its machine's local time and did not say which; ours
/// are UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(DateTime);

const LENGTH: usize = 14;
const FIRST: DateTime = DateTime::constant(1, 1, 1, 0, 0, 0, 0);

impl Stamp {
    /// The stamp of the first whole second at or after an instant, in microseconds since 1970; the nearest there is for
    /// one beyond the years that a stamp can write.
    #[must_use]
    pub fn at_or_after(us: i64) -> Self {
        let whole = us.div_euclid(1_000_000) + i64::from(us.rem_euclid(1_000_000) > 0);
        // 0001-01-01 and 9999-12-30, in seconds since 1970.
        let seconds = whole.clamp(-62_135_596_800, 253_402_128_000);
        let timestamp = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
        Self(Offset::UTC.to_datetime(timestamp))
    }

    /// The next second; after the last that a stamp can write, the first.
    #[must_use]
    pub fn following(self) -> Self {
        Self(self.0.checked_add(1.second()).unwrap_or(FIRST))
    }

    /// The stamp as an instant in RFC 3339, taking it for UTC.
    #[must_use]
    pub fn as_utc(self) -> String {
        self.0.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(at) = self;
        let (year, month, day) = (at.year(), at.month(), at.day());
        write!(f, "{year:04}{month:02}{day:02}{:02}{:02}{:02}", at.hour(), at.minute(), at.second())
    }
}

impl FromStr for Stamp {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse(text)
            .map(Self)
            .ok_or_else(|| ParseError::new(1, 1, Problem::Name { name: text.to_owned(), what: "time stamp" }))
    }
}

fn parse(text: &str) -> Option<DateTime> {
    if text.len() != LENGTH || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i8>().ok();
    let year: i16 = text.get(..4)?.parse().ok()?;
    // Year 0 has no place before 0001 in the calendars of others.
    let at =
        DateTime::new(year, number(4..6)?, number(6..8)?, number(8..10)?, number(10..12)?, number(12..14)?, 0).ok()?;
    (year > 0).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_dates() {
        for good in ["20210912134647", "20240229000000", "00010101000000", "99991231235959"] {
            assert_eq!(good.parse::<Stamp>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "2021091213464",
            "20211312134647",
            "20230229000000",
            "20210912134660",
            "00000101000000",
            "٢٠٢١٠٩١٢١٣٤٦٤٧",
        ] {
            assert!(bad.parse::<Stamp>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_stamp_is_not_before_its_instant() {
        let stamp = |us| Stamp::at_or_after(us).to_string();
        assert_eq!(stamp(1_633_046_400_000_000), "20211001000000");
        assert_eq!(stamp(1_633_046_400_000_001), "20211001000001");
        assert_eq!(stamp(-1), "19700101000000");
        for extreme in [i64::MIN, i64::MAX] {
            assert_eq!(stamp(extreme).parse::<Stamp>().unwrap(), Stamp::at_or_after(extreme));
        }
        assert_eq!(Stamp::at_or_after(1_633_046_399_000_000).following().to_string(), "20211001000000");
        assert_eq!("99991231235959".parse::<Stamp>().unwrap().following().to_string(), "00010101000000");
    }
}

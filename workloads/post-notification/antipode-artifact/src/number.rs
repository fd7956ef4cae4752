//! Numbers as Python and YAML write them.

/// Largest latency, in milliseconds, either way: 31 years.
pub(crate) const MAX_MS: i64 = 1_000_000_000_000;

/// Largest time, in seconds since 1970, either way: below it microseconds survive the way through float seconds.
const MAX_SECONDS: f64 = 4e9;

/// Whole milliseconds: a whole number, also with the `.0` that pandas adds to a column with gaps.
pub(crate) fn milliseconds(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = digits.split_once('.').map_or(Some(digits), |(whole, zeros)| {
        (!whole.is_empty() && zeros.bytes().all(|byte| byte == b'0')).then_some(whole)
    })?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let size: i64 = digits.parse().ok()?;
    (size <= MAX_MS).then_some(if text.starts_with('-') { -size } else { size })
}

/// Float seconds since 1970 as microseconds.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    let seconds = float(text)?;
    (seconds.abs() < MAX_SECONDS).then(|| (seconds * 1e6).round() as i64)
}

/// Microseconds since 1970 as float seconds, the shortest text that reads back as the same.
pub(crate) fn write_seconds(us: i64) -> String {
    format!("{:?}", us as f64 / 1e6)
}

/// A finite decimal number; no `inf`, `nan` or hexadecimal.
pub(crate) fn float(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E'));
    let number: f64 = if plain { text.parse().ok()? } else { return None };
    number.is_finite().then_some(number)
}

/// A float that YAML 1.1 readers take for one: with a point, without an exponent.
pub(crate) fn write_float(number: f64) -> String {
    if number.fract() == 0.0 { format!("{number:.1}") } else { number.to_string() }
}

/// Whole milliseconds of microseconds, as Python's `int` cuts: towards zero.
pub(crate) fn truncate(us: i64) -> i64 {
    us / 1000
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn whole_milliseconds_only() {
        let read: Vec<_> = ["12", "-3", "+4", "12.0", "12.", "0012", "-0"].into_iter().map(milliseconds).collect();
        assert_eq!(read, [Some(12), Some(-3), Some(4), Some(12), Some(12), Some(12), Some(0)]);
        for bad in
            ["", "-", ".", ".0", "1.5", "1e3", "nan", "0x1", "1000000000001", "99999999999999999999", "--1", "1_000"]
        {
            assert_eq!(milliseconds(bad), None, "{bad}");
        }
    }

    #[test]
    fn seconds_are_plausible() {
        assert_eq!(seconds("1633046400.123456"), Some(1_633_046_400_123_456));
        assert_eq!(seconds("1.6e9"), Some(1_600_000_000_000_000));
        for bad in ["", "inf", "nan", "1e300", "-4e9", "0x10", "infinity", "1 "] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn microseconds_survive_float_seconds(us in -3_999_999_999_999_999i64..4_000_000_000_000_000) {
            prop_assert_eq!(seconds(&write_seconds(us)), Some(us));
        }

        #[test]
        fn floats_survive(number in -1e12f64..1e12) {
            let text = write_float(number);
            prop_assert_eq!(float(&text), Some(number));
            prop_assert!(text.contains('.') && !text.contains('e'));
        }
    }
}

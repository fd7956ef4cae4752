//! Texts and numbers as the page shows them.

use matrix_core::printable;

/// A text of somebody else's without what would change how a page reads: control characters and those that turn the
/// direction of writing are shown by their number.
#[must_use]
pub fn plain(text: &str) -> String {
    printable::lines(text).into_owned()
}

/// A number with about three digits, and commas between thousands.
#[must_use]
pub fn number(value: f64) -> String {
    match value {
        value if !value.is_finite() => "–".to_owned(),
        0.0 => "0".to_owned(),
        value if value.abs() >= 100.0 => thousands(&format!("{value:.0}")),
        value if value.abs() >= 10.0 => format!("{value:.1}"),
        value if value.abs() >= 1.0 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
}

/// A number's text with commas between thousands. What is no plain number stays as it is.
#[must_use]
pub(super) fn thousands(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (whole, part) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() < 4 || !is_number(whole) || !is_number(part.strip_prefix('.').unwrap_or(part)) {
        return number.to_owned();
    }
    let groups: Vec<&str> =
        whole.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    format!("{sign}{}{part}", groups.join(","))
}

/// The numbers in a text, each with commas between thousands: of `123456 [120000, 130000]` for example.
#[must_use]
pub fn grouped(text: &str) -> String {
    let is_edge = |letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_'));
    text.split_inclusive(is_edge)
        .map(|word| match word.strip_suffix(is_edge) {
            Some(number) => format!("{}{}", thousands(number), &word[number.len()..]),
            None => thousands(word),
        })
        .collect()
}

/// A number of bytes, with the unit that leaves one to three digits before the point: powers of 1000.
#[must_use]
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let (mut value, mut unit) = (bytes as f64 / 1e3, 0);
    // What would be rounded to 1000 is 1 of the next unit.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1e3;
        unit += 1;
    }
    let digits = match value {
        value if value < 9.995 => 2,
        value if value < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {}", UNITS[unit])
}

/// A duration in seconds, in words.
#[must_use]
pub fn duration(seconds: f64) -> String {
    match seconds {
        seconds if !seconds.is_finite() => "–".to_owned(),
        seconds if seconds < 1.0 => format!("{:.0} ms", seconds * 1e3),
        seconds if seconds < 120.0 => format!("{seconds:.1} s"),
        seconds if seconds < 7200.0 => format!("{:.0} min {:02.0} s", (seconds / 60.0).floor(), seconds % 60.0),
        seconds => format!("{:.0} h {:02.0} min", (seconds / 3600.0).floor(), (seconds % 3600.0) / 60.0),
    }
}

/// An anchor: letters, digits and hyphens of a name.
#[must_use]
pub fn anchor(name: &str) -> String {
    let letters =
        name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' });
    letters.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_change_how_a_page_reads_is_shown_by_number() {
        assert_eq!(plain("a\u{202e}b\u{1b}[2J\0<b>"), "a\\u{202e}b\\u{1b}[2J\\u{0}<b>");
        assert_eq!(plain("a\tb\nc → d"), "a\tb\nc → d");
        // Letters that nobody sees.
        assert_eq!(plain("a\u{ad}b\u{e0041}"), "a\\u{ad}b\\u{e0041}");
    }

    #[test]
    fn numbers_and_durations_have_few_digits() {
        assert_eq!(
            [0.0, 0.1234, 1.234, 12.34, 123.4, 1234.5, 1_234_567.0, -43210.0, f64::NAN].map(number),
            ["0", "0.123", "1.23", "12.3", "123", "1,234", "1,234,567", "-43,210", "–"]
        );
        assert_eq!([0.25, 3.0, 150.0, 7300.0].map(duration), ["250 ms", "3.0 s", "2 min 30 s", "2 h 02 min"]);
    }

    #[test]
    fn large_numbers_have_commas_or_units() {
        for (text, expected) in [
            ("999", "999"),
            ("1234", "1,234"),
            ("12345.5", "12,345.5"),
            ("-123456", "-123,456"),
            ("1.5e300", "1.5e300"),
            ("", ""),
            ("20260101T", "20260101T"),
        ] {
            assert_eq!(thousands(text), expected);
        }
        assert_eq!(grouped("123456 [120000, 130000.5]"), "123,456 [120,000, 130,000.5]");
        assert_eq!(grouped("DNF sha256-123456 a12345"), "DNF sha256-123456 a12345");
        assert_eq!(
            [0, 999, 1000, 123_456, 999_499, 999_500, 1_234_567_890].map(size),
            ["0 B", "999 B", "1.00 kB", "123 kB", "999 kB", "1.00 MB", "1.23 GB"]
        );
    }
}

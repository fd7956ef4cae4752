//! Texts and numbers as the page shows them.

/// A text of somebody else's without what would change how a page reads: control characters and those that turn the
/// direction of writing are shown by their number.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\t' => plain.push(letter),
            letter
                if letter.is_control()
                    || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}') =>
            {
                plain.push_str(&format!("\\u{{{:x}}}", u32::from(letter)));
            }
            letter => plain.push(letter),
        }
    }
    plain
}

/// A number with about three digits.
#[must_use]
pub fn number(value: f64) -> String {
    match value {
        value if !value.is_finite() => "–".to_owned(),
        0.0 => "0".to_owned(),
        value if value.abs() >= 100.0 => format!("{value:.0}"),
        value if value.abs() >= 10.0 => format!("{value:.1}"),
        value if value.abs() >= 1.0 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
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
    }

    #[test]
    fn numbers_and_durations_have_few_digits() {
        assert_eq!(
            [0.0, 0.1234, 1.234, 12.34, 123.4, f64::NAN].map(number),
            ["0", "0.123", "1.23", "12.3", "123", "–"]
        );
        assert_eq!([0.25, 3.0, 150.0, 7300.0].map(duration), ["250 ms", "3.0 s", "2 min 30 s", "2 h 02 min"]);
    }
}

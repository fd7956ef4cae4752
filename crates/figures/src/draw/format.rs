//! Numbers as they are printed.

/// A whole number with commas between thousands.
pub fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 && digits != "0" { format!("\u{2212}{text}") } else { text }
}

/// Milliseconds: one decimal below 10, none from there on.
pub fn milliseconds(value: f64) -> String {
    if value.abs() < 9.95 { trimmed(value, 1) } else { thousands(value) }
}

/// A share between 0 and 1 as a percentage without its sign, with one decimal: whole only
/// where it is exactly 0 or 1, and what is not quite that does not read as if it were.
pub fn percent(share: f64) -> String {
    let value = share * 100.0;
    if value > 0.0 && value < 0.05 {
        "<0.1".to_owned()
    } else if (99.95..100.0).contains(&value) {
        ">99.9".to_owned()
    } else if value == 0.0 || value == 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

/// An interval of shares, as percentages.
pub fn percent_range(low: f64, high: f64) -> String {
    let end = |share: f64| match share * 100.0 {
        value if value > 0.0 && value < 0.05 => two_digits(value),
        value if value == 0.0 || value >= 99.95 => format!("{value:.0}"),
        value => format!("{value:.1}"),
    };
    format!("{}\u{2013}{}", end(low), end(high))
}

/// A difference with its sign.
pub fn signed(value: f64, magnitude: impl Fn(f64) -> String) -> String {
    format!("{}{}", if value < 0.0 { "\u{2212}" } else { "+" }, magnitude(value.abs()))
}

/// Bytes: one decimal where it matters.
pub fn bytes(value: f64) -> String {
    if value.abs() < 999.95 { trimmed(value, 1) } else { thousands(value) }
}

/// A percentage with two significant digits, as overheads need them.
pub fn two_digits(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude == 0.0 {
        "0".to_owned()
    } else if magnitude < 0.000_1 {
        "<0.0001".to_owned()
    } else {
        let decimals = if magnitude >= 9.95 { 0 } else { (1.0 - libm::log10(magnitude).floor()) as usize };
        format!("{value:.decimals$}")
    }
}

/// A number with at most so many decimals.
pub fn trimmed(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if value < 0.0 && text != "0" { format!("\u{2212}{text}") } else { text.to_owned() }
}

/// A power of ten with its exponent raised.
pub fn power_of_ten(exponent: i32) -> String {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let mut text = String::from("10");
    if exponent < 0 {
        text.push('⁻');
    }
    text.extend(exponent.unsigned_abs().to_string().bytes().map(|digit| RAISED[usize::from(digit - b'0')]));
    text
}

/// A number of things, `one` for a single one.
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number as f64), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_they_should() {
        assert_eq!(thousands(1_234_567.4), "1,234,567");
        assert_eq!(thousands(-0.2), "0");
        assert_eq!(milliseconds(9.96), "10");
        assert_eq!(milliseconds(1.04), "1");
        assert_eq!(signed(-12.4, milliseconds), "−12");
        assert_eq!(percent(0.0), "0");
        assert_eq!(percent(0.000_1), "<0.1");
        assert_eq!(percent(0.999_9), ">99.9");
        assert_eq!(percent(0.12), "12.0");
        assert_eq!(percent(1.0), "100");
        assert_eq!(percent_range(0.1124, 0.13), "11.2–13.0");
        assert_eq!(percent_range(0.0, 0.000_01), "0–0.0010");
        assert_eq!(two_digits(0.012_34), "0.012");
        assert_eq!(two_digits(0.005), "0.0050");
        assert_eq!(two_digits(9.96), "10");
        assert_eq!(two_digits(123.4), "123");
        assert_eq!(power_of_ten(-12), "10⁻¹²");
        assert_eq!(count(1, "cell", "cells"), "1 cell");
    }
}

//! Numbers with a unit: `622.8ms`, `1.33 s`, `12.5MiB/s`.

/// What a unit measures, so that only like is converted to like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Time.
    Time,
    /// Amounts of data.
    Bytes,
    /// A number without unit.
    Number,
    /// Events per second.
    Frequency,
}

/// Units, each with what it measures and how much of the base unit it is.
const TABLE: [(&str, Dimension, f64); 37] = [
    ("ns", Dimension::Time, 1e-9),
    ("us", Dimension::Time, 1e-6),
    ("µs", Dimension::Time, 1e-6),
    ("μs", Dimension::Time, 1e-6),
    ("usec", Dimension::Time, 1e-6),
    ("ms", Dimension::Time, 1e-3),
    ("msec", Dimension::Time, 1e-3),
    ("s", Dimension::Time, 1.0),
    ("sec", Dimension::Time, 1.0),
    ("m", Dimension::Time, 60.0),
    ("min", Dimension::Time, 60.0),
    ("h", Dimension::Time, 3600.0),
    ("B", Dimension::Bytes, 1.0),
    ("kB", Dimension::Bytes, 1e3),
    ("KB", Dimension::Bytes, 1e3),
    ("MB", Dimension::Bytes, 1e6),
    ("GB", Dimension::Bytes, 1e9),
    ("TB", Dimension::Bytes, 1e12),
    ("KiB", Dimension::Bytes, 1024.0),
    ("MiB", Dimension::Bytes, 1_048_576.0),
    ("GiB", Dimension::Bytes, 1_073_741_824.0),
    ("TiB", Dimension::Bytes, 1_099_511_627_776.0),
    ("bytes", Dimension::Bytes, 1.0),
    ("1", Dimension::Number, 1.0),
    ("%", Dimension::Number, 0.01),
    ("k", Dimension::Number, 1e3),
    ("K", Dimension::Number, 1e3),
    ("M", Dimension::Number, 1e6),
    ("G", Dimension::Number, 1e9),
    ("T", Dimension::Number, 1e12),
    ("x", Dimension::Number, 1.0),
    ("ops", Dimension::Number, 1.0),
    ("kops", Dimension::Number, 1e3),
    ("Mops", Dimension::Number, 1e6),
    ("Hz", Dimension::Frequency, 1.0),
    ("kHz", Dimension::Frequency, 1e3),
    ("MHz", Dimension::Frequency, 1e6),
];

/// Units that people are told of.
pub const UNITS: [&str; 18] =
    ["ns", "us", "ms", "s", "min", "h", "B", "kB", "MB", "GB", "KiB", "MiB", "GiB", "1", "%", "k", "M", "Hz"];

/// What a unit measures, whether it is per second, and how much of the base unit it is.
#[must_use]
pub fn scale(unit: &str) -> Option<(Dimension, bool, f64)> {
    let (unit, rate) = match unit.strip_suffix("/s").or_else(|| unit.strip_suffix("/sec")) {
        Some(unit) => (unit, true),
        None => (unit, false),
    };
    let (_, dimension, factor) = TABLE.iter().find(|(known, _, _)| *known == unit)?;
    Some((*dimension, rate, *factor))
}

/// Longest text of a number and its unit, in bytes: the time to read one grows with the square.
const LONGEST: usize = 1000;

/// Why a text is no quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuantityError {
    /// It is too long to be one.
    #[error("it is longer than {LONGEST} bytes")]
    TooLong,
    /// There is no number.
    #[error("it does not begin with a number")]
    NoNumber,
    /// There is nothing after the number.
    #[error("it has no unit")]
    NoUnit,
    /// A unit that is not in the table.
    #[error("`{0}` is no unit known here")]
    UnknownUnit(String),
    /// The two units measure different things.
    #[error("`{from}` cannot be converted to `{to}`")]
    Unlike {
        /// Its unit.
        from: String,
        /// The unit that was asked for.
        to: String,
    },
    /// The number is infinite, at least in the other unit.
    #[error("it is not finite")]
    NotFinite,
}

/// Reads a number with a unit and converts it to another.
///
/// # Errors
/// When there is no number or no unit, units are unknown or unlike, or the result is not finite.
pub fn convert(text: &str, to: &str) -> Result<f64, QuantityError> {
    let text = text.trim();
    if text.len() > LONGEST {
        return Err(QuantityError::TooLong);
    }
    // The longest start that is a number: what follows is the unit.
    let end = (1..=text.len())
        .rev()
        .filter(|end| text.is_char_boundary(*end))
        .find(|end| text[..*end].parse::<f64>().is_ok() && text.as_bytes()[end - 1].is_ascii_digit());
    let end = end.ok_or(QuantityError::NoNumber)?;
    let number: f64 = text[..end].parse().map_err(|_| QuantityError::NoNumber)?;
    let unit = text[end..].trim();
    if unit.is_empty() {
        return Err(QuantityError::NoUnit);
    }
    let known = |unit: &str| scale(unit).ok_or_else(|| QuantityError::UnknownUnit(unit.to_owned()));
    let (from, into) = (known(unit)?, known(to)?);
    if (from.0, from.1) != (into.0, into.1) {
        return Err(QuantityError::Unlike { from: unit.to_owned(), to: to.to_owned() });
    }
    let converted = exact(number, from.2, into.2);
    if converted.is_finite() { Ok(converted) } else { Err(QuantityError::NotFinite) }
}

/// The number times `from` by `to`, without an error of rounding where the factor is a power of ten: 1.33 s are 1330 ms.
fn exact(number: f64, from: f64, to: f64) -> f64 {
    if from >= to { number * (from / to).round().max(1.0) } else { number / (to / from).round() }
}

#[cfg(test)]
mod tests {
    use super::convert;

    #[test]
    fn units_are_converted_and_mistakes_are_told() {
        for (text, to, number) in [
            ("622.8ms", "us", 622_800.0),
            ("1.33 s", "ms", 1330.0),
            ("1.33s", "s", 1.33),
            ("250ns", "us", 0.25),
            ("12.5MiB/s", "B/s", 13_107_200.0),
            ("1e3us", "ms", 1.0),
            ("50%", "1", 0.5),
            ("1.2M", "1", 1_200_000.0),
        ] {
            assert_eq!(convert(text, to), Ok(number), "{text} to {to}");
        }
        for (text, to) in [
            ("622.8", "us"),
            ("ms", "us"),
            ("5 parsec", "us"),
            ("5MB", "us"),
            ("5MB", "B/s"),
            ("inf s", "s"),
            ("", "s"),
            (&format!("{}{}", "1".repeat(500_000), "a".repeat(500_000)), "s"),
        ] {
            assert!(convert(text, to).is_err(), "{text} to {to}");
        }
    }
}

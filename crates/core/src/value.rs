//! Values of axes and columns: text, whole numbers, real numbers and booleans.

use std::cmp::Ordering;
use std::fmt;

use toml::de::DeValue;

crate::named! {
    /// The type of a value.
    pub enum Kind: name {
        /// `true` or `false`.
        Boolean = "true or false",
        /// A whole number.
        Whole = "a whole number",
        /// A number with a fraction.
        Real = "a number",
        /// A text.
        Text = "a text",
    }
}

impl Kind {
    /// Whether values of it are numbers.
    #[must_use]
    pub fn is_number(self) -> bool {
        matches!(self, Self::Whole | Self::Real)
    }
}

/// One value. Numbers are finite.
#[derive(Clone, Debug)]
pub enum Value {
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Whole(i64),
    /// A number with a fraction; never NaN or infinite, and never negative zero.
    Real(f64),
    /// A text.
    Text(String),
}

impl Value {
    /// A real number, if it is finite.
    #[must_use]
    pub fn real(number: f64) -> Option<Self> {
        // Adding zero turns -0 into 0.
        number.is_finite().then_some(Self::Real(number + 0.0))
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Boolean(_) => Kind::Boolean,
            Self::Whole(_) => Kind::Whole,
            Self::Real(_) => Kind::Real,
            Self::Text(_) => Kind::Text,
        }
    }

    /// The value as JSON.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Boolean(flag) => (*flag).into(),
            Self::Whole(number) => (*number).into(),
            Self::Real(number) => (*number).into(),
            Self::Text(text) => text.clone().into(),
        }
    }

    /// The value of a JSON scalar, as a value of `kind`.
    #[must_use]
    pub fn of_json(json: &serde_json::Value, kind: Kind) -> Option<Self> {
        match kind {
            Kind::Boolean => json.as_bool().map(Self::Boolean),
            Kind::Whole => json.as_i64().map(Self::Whole),
            Kind::Real => json.as_f64().and_then(Self::real),
            Kind::Text => json.as_str().map(|text| Self::Text(text.to_owned())),
        }
    }

    /// Reads a value of `kind` from its text.
    #[must_use]
    pub fn parse(text: &str, kind: Kind) -> Option<Self> {
        match kind {
            Kind::Boolean => match text {
                "true" | "on" => Some(Self::Boolean(true)),
                "false" | "off" => Some(Self::Boolean(false)),
                _ => None,
            },
            Kind::Whole => text.parse().ok().map(Self::Whole),
            Kind::Real => text.parse().ok().and_then(Self::real),
            Kind::Text => Some(Self::Text(text.to_owned())),
        }
    }

    /// The value of a TOML scalar; none for lists, tables, dates and numbers that are too large.
    #[must_use]
    pub fn of_toml(value: &DeValue<'_>) -> Option<Self> {
        match value {
            DeValue::Boolean(flag) => Some(Self::Boolean(*flag)),
            DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(Self::Whole),
            DeValue::Float(float) => float.as_str().parse().ok().and_then(Self::real),
            DeValue::String(text) => Some(Self::Text(text.to_string())),
            DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
        }
    }

    /// The number that it is, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Whole(number) => Some(*number as f64),
            Self::Real(number) => Some(*number),
            Self::Boolean(_) | Self::Text(_) => None,
        }
    }

    /// The same value as one of `kind`: a whole number can be a real one.
    #[must_use]
    pub fn into_kind(self, kind: Kind) -> Option<Self> {
        match (self, kind) {
            (Self::Whole(number), Kind::Real) => Some(Self::Real(number as f64)),
            (value, kind) if value.kind() == kind => Some(value),
            _ => None,
        }
    }
}

/// The canonical text: `true`, `8`, `0.5`, and a text as it is. Numbers are written as in canonical JSON (RFC 8785).
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(flag) => fmt::Display::fmt(flag, f),
            Self::Whole(number) => fmt::Display::fmt(number, f),
            Self::Real(number) => f.write_str(&canonical_number(*number)),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// A number as canonical JSON writes it.
#[must_use]
pub fn canonical_number(number: f64) -> String {
    serde_json_canonicalizer::to_string(&number).unwrap_or_else(|_| number.to_string())
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Value {}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By type, then by value.
impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Boolean(one), Self::Boolean(other)) => one.cmp(other),
            (Self::Whole(one), Self::Whole(other)) => one.cmp(other),
            (Self::Real(one), Self::Real(other)) => one.total_cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            _ => self.kind().cmp(&other.kind()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_texts_are_those_of_canonical_json_and_read_back() {
        for (value, text) in [
            (Value::Boolean(true), "true"),
            (Value::Whole(-8), "-8"),
            (Value::Real(0.5), "0.5"),
            (Value::Real(8.0), "8"),
            (Value::Real(1e21), "1e+21"),
            (Value::Text("a b".to_owned()), "a b"),
        ] {
            assert_eq!(value.to_string(), text);
            assert_eq!(Value::parse(text, value.kind()), Some(value));
        }
        assert_eq!(Value::real(-0.0).map(|zero| zero.to_string()).as_deref(), Some("0"));
        assert_eq!(Value::real(f64::NAN), None);
        assert_eq!(Value::parse("inf", Kind::Real), None);
    }
}

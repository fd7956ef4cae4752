//! Instants: whole microseconds, and their wire form (float seconds).

use std::fmt;
use std::ops::{Add, Sub};

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant, in microseconds since the Unix epoch.
///
/// On the wire it is a JSON number of float seconds, as in the original artifact. An instant survives the way there and
/// back exactly if it is within [`Micros::SECONDS`] of the epoch: in doubles of that size, the neighbours are less than
/// a microsecond apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(pub i64);

impl Micros {
    /// The seconds from the epoch, either way, that a time on the wire stays below: 2^33, in the year 2242.
    pub const SECONDS: f64 = 8_589_934_592.0;

    /// The instant as float seconds since the Unix epoch.
    #[must_use]
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// The instant nearest to `seconds` since the Unix epoch, or nothing if that is no plausible time: not a number, or
    /// [`Micros::SECONDS`] or more from the epoch.
    #[must_use]
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        // The whole seconds apart, as a product of all of them would be rounded once more than the double was.
        let whole = seconds.trunc();
        (seconds.abs() < Self::SECONDS)
            .then(|| Self(whole as i64 * 1_000_000 + ((seconds - whole) * 1e6).round() as i64))
    }

    /// This instant, `milliseconds` later.
    #[must_use]
    pub fn plus_ms(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_add(i64::try_from(milliseconds).unwrap_or(i64::MAX).saturating_mul(1000)))
    }
}

/// `instant + microseconds`.
impl Add<i64> for Micros {
    type Output = Self;
    fn add(self, microseconds: i64) -> Self {
        Self(self.0.saturating_add(microseconds))
    }
}

/// The microseconds from `earlier` to this instant.
impl Sub for Micros {
    type Output = i64;
    fn sub(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_seconds())
    }
}

impl Serialize for Micros {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.as_seconds())
    }
}

impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seconds;
        impl Visitor<'_> for Seconds {
            type Value = Micros;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("seconds since the Unix epoch, as a number or as text")
            }
            fn visit_f64<E: Error>(self, seconds: f64) -> Result<Micros, E> {
                Micros::from_seconds(seconds)
                    .ok_or_else(|| E::custom(format_args!("{seconds} is no plausible time in seconds")))
            }
            fn visit_u64<E: Error>(self, seconds: u64) -> Result<Micros, E> {
                self.visit_f64(seconds as f64)
            }
            fn visit_i64<E: Error>(self, seconds: i64) -> Result<Micros, E> {
                self.visit_f64(seconds as f64)
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Micros, E> {
                self.visit_f64(text.parse().map_err(E::custom)?)
            }
        }
        deserializer.deserialize_any(Seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// In microseconds.
    const LIMIT: i64 = Micros::SECONDS as i64 * 1_000_000;

    proptest! {
        #[test]
        fn microseconds_survive_the_wire(us in 1 - LIMIT..LIMIT) {
            let json = serde_json::to_string(&Micros(us)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Micros>(&json).unwrap(), Micros(us));
            let text = serde_json::to_string(&Micros(us).to_string()).unwrap();
            prop_assert_eq!(serde_json::from_str::<Micros>(&text).unwrap(), Micros(us));
        }

        #[test]
        fn whatever_is_read_survives_the_wire(seconds in -Micros::SECONDS..Micros::SECONDS) {
            let read = Micros::from_seconds(seconds).unwrap();
            prop_assert_eq!(Micros::from_seconds(read.as_seconds()), Some(read));
        }
    }

    /// Found by fuzzing: of a time after the year 2106, the product of the seconds was rounded to another microsecond.
    #[test]
    fn a_time_of_the_next_century_survives_the_wire() {
        let instant = Micros(4_331_066_400_020_002);
        assert_eq!(Micros::from_seconds(instant.as_seconds()), Some(instant));
    }

    #[test]
    fn implausible_times_are_refused() {
        for json in ["1e300", "\"nan\"", "\"-inf\"", "8589934592", "true"] {
            assert!(serde_json::from_str::<Micros>(json).is_err(), "{json}");
        }
    }
}

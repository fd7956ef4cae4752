//! Where an axis is marked, and with what.

use super::format::{power_of_ten, thousands, trimmed};
use super::scale::Scale;

/// A mark on an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Where it is, in the units of the data.
    pub value: f64,
    /// What stands beside it; minor ticks have nothing.
    pub label: Option<String>,
    /// Whether a line of the grid starts here.
    pub major: bool,
}

impl Tick {
    /// A tick with a label.
    pub fn major(value: f64, label: impl Into<String>) -> Self {
        Self { value, label: Some(label.into()), major: true }
    }

    fn minor(value: f64) -> Self {
        Self { value, label: None, major: false }
    }
}

/// Percentages from 0 to 100 in steps of 25, or of 50 where there is little room.
pub fn percentages(length: f64) -> Vec<Tick> {
    [0, 25, 50, 75, 100]
        .into_iter()
        .map(|percent| match percent {
            25 | 75 if length < 70.0 => Tick::minor(f64::from(percent)),
            _ => Tick::major(f64::from(percent), percent.to_string()),
        })
        .collect()
}

/// How much of an axis one label takes, in points, given its text.
pub type Room<'r> = &'r dyn Fn(&str) -> f64;

/// Ticks at powers of ten, minor ones between them. Where fewer than two powers are in sight, at 1, 2 and 5 times a
/// power, and where even those are too few, at round numbers. Labels that would touch are left out.
///
/// `length` is that of the whole axis, in points.
pub fn logarithmic(scale: &Scale, length: f64, raised: bool, room: Room<'_>) -> Vec<Tick> {
    let (Scale::Log { low, high } | Scale::ZeroThenLog { low, high, .. }) = *scale else { return Vec::new() };
    let (first, last) = (libm::log10(low).floor() as i32, libm::log10(high).ceil() as i32);
    let inside = |value: f64| value >= low * (1.0 - 1e-9) && value <= high * (1.0 + 1e-9);
    let of_ten = (first..=last).filter(|exponent| inside(libm::exp10(f64::from(*exponent)))).count() >= 2;
    let raised = of_ten && (raised || last > 6 || first < -2);
    let label = |exponent: i32, factor: f64| {
        let value = factor * libm::exp10(f64::from(exponent));
        if raised && factor == 1.0 { power_of_ten(exponent) } else { plain(value) }
    };
    let multiples = |factors: &[f64]| -> Vec<(f64, String)> {
        (first..=last)
            .flat_map(|exponent| factors.iter().map(move |factor| (exponent, *factor)))
            .map(|(exponent, factor)| (factor * libm::exp10(f64::from(exponent)), label(exponent, factor)))
            .filter(|(value, _)| inside(*value))
            .collect()
    };
    let places = |marks: &[(f64, String)]| -> f64 {
        // Room that one mark has, were they evenly spread.
        length / marks.len().max(1) as f64
    };
    let majors = if of_ten {
        multiples(&[1.0])
    } else {
        let some = multiples(&[1.0, 2.0, 5.0]);
        if some.len() >= 2 { some } else { round_numbers(low, high).collect() }
    };
    let widest = majors.iter().map(|(_, text)| room(text)).fold(0.0, f64::max);
    let every = (widest / places(&majors)).ceil().max(1.0) as i64;
    let minors = multiples(&[2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
    // Nine marks in less than this are a smear.
    let crowded = length / libm::log10(high / low) < 24.0;
    let taken: Vec<f64> = majors.iter().map(|(value, _)| *value).collect();
    let mut ticks: Vec<Tick> = majors
        .into_iter()
        .enumerate()
        .map(|(index, (value, text))| {
            // Of powers of ten those stay whose exponents are multiples of the same number.
            let rank = if of_ten { libm::log10(value).round() as i64 } else { index as i64 };
            if rank.rem_euclid(every) == 0 { Tick::major(value, text) } else { Tick::minor(value) }
        })
        .collect();
    if !crowded {
        let free = minors.into_iter().filter(|(value, _)| !taken.iter().any(|at| (at / value - 1.0).abs() < 1e-9));
        ticks.extend(free.map(|(value, _)| Tick::minor(value)));
    }
    ticks.sort_by(|a, b| a.value.total_cmp(&b.value));
    ticks
}

/// Ticks at round numbers from 0, about as many as there is room for.
pub fn linear(low: f64, high: f64, at_most: usize, label: impl Fn(f64) -> String) -> Vec<Tick> {
    let step = round_step((high - low) / at_most.max(1) as f64);
    let (first, last) = ((low / step).ceil() as i64, (high / step + 1e-9).floor() as i64);
    (first..=last).map(|index| index as f64 * step).map(|value| Tick::major(value, label(value))).collect()
}

fn round_numbers(low: f64, high: f64) -> impl Iterator<Item = (f64, String)> {
    let step = round_step((high - low) / 4.0);
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    (first..=last).map(move |index| index as f64 * step).map(|value| (value, plain(value)))
}

/// The least of 1, 2 and 5 times a power of ten that is no less than the given step.
fn round_step(step: f64) -> f64 {
    let power = libm::exp10(libm::log10(step).floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|round| *round >= step * 0.999).unwrap_or(step)
}

fn plain(value: f64) -> String {
    if value.abs() < 10.0 { trimmed(value, 3) } else { thousands(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64, length: f64) -> Vec<String> {
        let wide = |text: &str| text.chars().count() as f64 * 5.0 + 6.0;
        logarithmic(&Scale::Log { low, high }, length, false, &wide).into_iter().filter_map(|tick| tick.label).collect()
    }

    #[test]
    fn powers_of_ten_are_labelled() {
        assert_eq!(labels(90.0, 60_000.0, 300.0), ["100", "1,000", "10,000"]);
        assert_eq!(labels(0.5, 5e6, 300.0), ["10⁰", "10¹", "10²", "10³", "10⁴", "10⁵", "10⁶"]);
    }

    #[test]
    fn a_narrow_range_has_labels_too() {
        assert_eq!(labels(90.0, 900.0, 300.0), ["100", "200", "500"]);
        assert_eq!(labels(310.0, 390.0, 300.0), ["320", "340", "360", "380"]);
    }

    #[test]
    fn crowded_labels_are_thinned() {
        assert_eq!(labels(0.5, 5e6, 70.0), ["10⁰", "10³", "10⁶"]);
    }

    #[test]
    fn linear_steps_are_round() {
        let values: Vec<f64> = linear(0.0, 2_871_000.0, 4, |v| v.to_string()).iter().map(|tick| tick.value).collect();
        assert_eq!(values, [0.0, 1e6, 2e6]);
    }
}

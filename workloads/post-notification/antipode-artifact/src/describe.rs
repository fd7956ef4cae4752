//! `traces.info`: the tags that say how it went, and a description of the columns as pandas' `describe` prints it.

use crate::traces::Traces;

/// Percentiles, besides the extremes.
const PERCENTILES: [(&str, f64); 5] = [("25%", 0.25), ("50%", 0.5), ("75%", 0.75), ("90%", 0.9), ("99%", 0.99)];

/// From this size on a column is printed with exponents.
const LARGE: f64 = 1e6;

/// The text of `traces.info`.
pub(crate) fn write_info(comment: &[String], tags: &[(&str, String)], traces: &Traces) -> String {
    let mut text = String::new();
    for line in comment {
        text.push_str(&format!("# {line}\n"));
    }
    for (name, value) in tags {
        text.push_str(&format!("[{name}] {value}\n"));
    }
    text.push('\n');
    let labels = ["count", "mean", "std", "min"].into_iter().chain(PERCENTILES.map(|(label, _)| label)).chain(["max"]);
    let mut lines: Vec<String> = labels.map(|label| format!("{label:<5}")).collect();
    let mut header = " ".repeat(5);
    for (name, values) in traces.columns() {
        let numbers = describe(values);
        let large = numbers.iter().any(|number| number.abs() >= LARGE);
        let cells: Vec<String> = numbers.iter().map(|number| write(*number, large)).collect();
        let width = cells.iter().map(String::len).chain([name.len()]).max().unwrap_or_default();
        header.push_str(&format!("  {name:>width$}"));
        for (line, cell) in lines.iter_mut().zip(&cells) {
            line.push_str(&format!("  {cell:>width$}"));
        }
    }
    for line in [header].iter().chain(&lines) {
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// Count, mean, standard deviation of the sample, minimum, percentiles with linear interpolation, maximum.
fn describe(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    let count = values.len() as f64;
    // Sums of differences from the first value stay exact where the values themselves are large.
    let base = values.first().copied().unwrap_or(f64::NAN);
    let mean = base + values.iter().map(|value| value - base).sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    let deviation = if values.len() > 1 { (squares / (count - 1.0)).sqrt() } else { f64::NAN };
    let mut numbers = vec![count, mean, deviation, base];
    numbers.extend(PERCENTILES.map(|(_, share)| percentile(&values, share)));
    numbers.push(values.last().copied().unwrap_or(f64::NAN));
    numbers
}

fn percentile(sorted: &[f64], share: f64) -> f64 {
    let place = sorted.len().saturating_sub(1) as f64 * share;
    let (below, above) = (sorted.get(place.floor() as usize), sorted.get(place.ceil() as usize));
    below.zip(above).map_or(f64::NAN, |(below, above)| below + (above - below) * place.fract())
}

fn write(number: f64, large: bool) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if !large {
        return format!("{number:.2}");
    }
    // Rust writes `1.63e9`, C and Python `1.63e+09`.
    let text = format!("{number:.2e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.percentile`'s default, which the original uses for its tables and figures: linear interpolation.
    #[test]
    fn percentiles_are_those_of_numpy() {
        let values: Vec<f64> = [15.0, 20.0, 35.0, 40.0, 50.0, 65.0].to_vec();
        let close =
            |share: f64, expected: f64| assert!((percentile(&values, share) - expected).abs() < 1e-9, "{share}");
        for (share, expected) in
            [(0.0, 15.0), (0.25, 23.75), (0.5, 37.5), (0.75, 47.5), (0.9, 57.5), (0.99, 64.25), (1.0, 65.0)]
        {
            close(share, expected);
        }
    }
}

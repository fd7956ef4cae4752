//! A distribution from intervals that its samples are known to lie in.

/// Times between which a sample lies, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Interval {
    low: f64,
    high: f64,
}

impl Interval {
    /// Above `low`, at most `high`.
    pub(super) fn new(low: f64, high: f64) -> Self {
        Self { low, high }
    }

    /// Exactly there.
    pub(super) fn exact(at: f64) -> Self {
        Self { low: at, high: at }
    }

    /// Anywhere above `low`.
    pub(super) fn after(low: f64) -> Self {
        Self { low, high: f64::INFINITY }
    }
}

/// Most points that carry probability.
const POINTS: usize = 400;

/// Rounds of the iteration: the quantiles that are used have long settled.
const ROUNDS: usize = 2000;

/// Change of any probability below which the iteration ends.
const SETTLED: f64 = 1e-9;

/// The nonparametric maximum-likelihood estimate (B. W. Turnbull, "The empirical distribution function with arbitrarily
/// grouped, censored and truncated data", J. R. Stat. Soc. B 38, 1976, by its self-consistency iteration): points in
/// ascending order, each with its probability. Where samples are only known to lie above everything that bounds others,
/// their probability stands at the last point.
pub(super) fn estimate(intervals: &[Interval]) -> Vec<(f64, f64)> {
    let points = grid(intervals);
    let spans: Vec<(usize, usize)> = intervals.iter().map(|interval| span(&points, interval)).collect();
    let n = points.len();
    let mut mass = vec![1.0 / n.max(1) as f64; n];
    for _ in 0..ROUNDS {
        // Each interval spreads its share over the points in it, in proportion to their present probabilities: the sum
        // over intervals of 1 / (mass within), at every point that the interval covers, by differences at its ends.
        let mut sums = vec![0.0; n + 1];
        sums[1..].copy_from_slice(&mass);
        for i in 0..n {
            sums[i + 1] += sums[i];
        }
        let mut steps = vec![0.0; n + 1];
        for &(first, end) in &spans {
            let within = sums[end] - sums[first];
            if within > 0.0 {
                steps[first] += 1.0 / within;
                steps[end] -= 1.0 / within;
            }
        }
        let (mut weight, mut change) = (0.0, 0.0_f64);
        for (mass, step) in mass.iter_mut().zip(&steps) {
            weight += step;
            let next = *mass * weight / spans.len() as f64;
            change = change.max((next - *mass).abs());
            *mass = next;
        }
        if change < SETTLED {
            break;
        }
    }
    points.into_iter().zip(mass).filter(|(_, mass)| *mass > 1e-12).collect()
}

/// Points that may carry probability: the intervals' finite upper ends, thinned out where there are too many.
fn grid(intervals: &[Interval]) -> Vec<f64> {
    let mut points: Vec<f64> = intervals.iter().map(|it| if it.high.is_finite() { it.high } else { it.low }).collect();
    points.sort_by(f64::total_cmp);
    points.dedup();
    if points.len() > POINTS {
        let last = points.len() - 1;
        points = (0..POINTS).map(|k| points[k * last / (POINTS - 1)]).collect();
    }
    points
}

/// The points within an interval, as a range of places: never empty.
fn span(points: &[f64], interval: &Interval) -> (usize, usize) {
    let at_most = |time: f64| points.partition_point(|point| *point <= time);
    let (first, end) = if interval.low == interval.high {
        let nearest = points.partition_point(|point| *point < interval.low);
        (nearest, nearest + 1)
    } else {
        (at_most(interval.low), at_most(interval.high))
    };
    let first = first.min(points.len().saturating_sub(1));
    (first, end.clamp(first + 1, points.len().max(first + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below(found: &[(f64, f64)], time: f64) -> f64 {
        found.iter().filter(|(at, _)| *at <= time).map(|(_, mass)| mass).sum()
    }

    #[test]
    fn exact_samples_give_their_own_distribution() {
        let samples: Vec<Interval> = [3.0, 1.0, 2.0, 2.0].map(Interval::exact).into();
        let found = estimate(&samples);
        assert_eq!(found.len(), 3);
        assert!((below(&found, 1.0) - 0.25).abs() < 1e-9 && (below(&found, 2.0) - 0.75).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn a_censored_sample_is_spread_over_those_that_it_may_be() {
        // One of 1, 2, 3 and 4, of which one is only known to be above 2: the classical product-limit estimate.
        let samples = [Interval::exact(1.0), Interval::exact(2.0), Interval::after(2.0), Interval::exact(4.0)];
        let found = estimate(&samples);
        assert!((below(&found, 2.0) - 0.5).abs() < 1e-6 && (below(&found, 4.0) - 1.0).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn questions_at_random_times_find_the_distribution_behind_them() {
        // Lags spread evenly over 0 to 100 ms, each asked about every 10 ms, from a time of its own on.
        let samples: Vec<Interval> = (0..2000)
            .map(|n| {
                let lag = f64::from(n * 7919 % 2000) / 20.0;
                let phase = f64::from(n * 104_729 % 2000) / 200.0;
                let asked = ((lag - phase) / 10.0).ceil().max(0.0) * 10.0 + phase;
                Interval::new((asked - 10.0).max(0.0), asked)
            })
            .collect();
        let found = estimate(&samples);
        for time in [20.0, 50.0, 80.0] {
            assert!((below(&found, time) - time / 100.0).abs() < 0.03, "{time}: {}", below(&found, time));
        }
    }
}

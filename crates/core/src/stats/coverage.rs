//! Do the intervals cover the truth as often as they claim? Each scenario draws many samples whose truth is known, from
//! fixed seeds, and counts the intervals that cover it: 93 to 97 % must.

use std::ops::RangeInclusive;

use super::{
    Batches, Interval, Replicates, difference, mean, paired_difference, paired_ratio, proportion,
    proportion_of_planned, quantile, rate,
};

/// Samples per scenario: the standard error of a share near 95 % is then 0.5 %, a quarter of the way to the band's ends.
const REPETITIONS: u64 = 2_000;
const BAND: RangeInclusive<f64> = 93.0..=97.0;

/// SplitMix64 (Steele, Lea and Flood 2014), and what is drawn with it.
struct Draws {
    state: u64,
    /// The Box-Muller transform gives normals in pairs: the second of the last.
    spare: Option<f64>,
}

impl Draws {
    fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Between 0 and 1, neither included.
    fn uniform(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) / (1u64 << 52) as f64
    }

    fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (-2.0 * libm::log(self.uniform())).sqrt();
        let (sin, cos) = libm::sincos(std::f64::consts::TAU * self.uniform());
        self.spare = Some(radius * sin);
        radius * cos
    }

    fn exponential(&mut self) -> f64 {
        -libm::log(self.uniform())
    }

    fn bernoulli(&mut self, p: f64) -> f64 {
        f64::from(u8::from(self.uniform() < p))
    }

    /// A stationary series of standard normals in which neighbours correlate by `rho`.
    fn correlated(&mut self, rho: f64, n: usize) -> Vec<f64> {
        let (mut state, fresh) = (self.normal(), (1.0 - rho * rho).sqrt());
        let mut next = || {
            let now = state;
            state = rho * state + fresh * self.normal();
            now
        };
        (0..n).map(|_| next()).collect()
    }
}

/// Percent of the intervals that cover `truth`.
fn coverage(truth: f64, sample: impl Fn(&mut Draws) -> Option<Interval>) -> f64 {
    let mut draws = Draws { state: 2023, spare: None };
    let covers = |_: &u64| {
        let interval = sample(&mut draws).expect("something was observed");
        assert!(interval.low <= interval.value && interval.value <= interval.high, "{interval:?}");
        interval.low <= truth && truth <= interval.high
    };
    (0..REPETITIONS).filter(covers).count() as f64 * 100.0 / REPETITIONS as f64
}

fn check(scenarios: Vec<(String, f64)>) {
    let out: Vec<_> = scenarios.iter().filter(|(_, percent)| !BAND.contains(percent)).collect();
    assert!(out.is_empty(), "beyond the band: {out:#?}\nall: {scenarios:#?}");
}

/// Random rounds, `rounds` of them.
fn many(rounds: usize, round: impl FnMut() -> Vec<f64>) -> Vec<Vec<f64>> {
    std::iter::repeat_with(round).take(rounds).collect()
}

fn slices(rounds: &[Vec<f64>]) -> Vec<&[f64]> {
    rounds.iter().map(Vec::as_slice).collect()
}

fn blocks(rounds: &[Vec<f64>]) -> Batches {
    Batches::of(&slices(rounds), Replicates::Blocks)
}

/// (rounds, requests)
const SHAPES: [(usize, usize); 5] = [(1, 1000), (3, 1000), (12, 100), (30, 50), (3, 3000)];

#[test]
fn proportions_of_independent_rows() {
    let mut all = Vec::new();
    for (rounds, requests) in [(1, 50), (1, 200), (1, 1000), (3, 1000), (12, 100), (30, 50)] {
        for p in [0.02_f64, 0.1, 0.3, 0.5, 0.9] {
            // With a handful of rows expected on one side no interval of a discrete count keeps a band: Wilson's own
            // covers p = 0.1 in 97.0 % of samples of 50 independent rows.
            if p.min(1.0 - p) * (rounds * requests) as f64 >= 10.0 {
                let covered = coverage(p, |draws| {
                    proportion(&blocks(&many(rounds, || (0..requests).map(|_| draws.bernoulli(p)).collect())))
                });
                all.push((format!("{rounds} x {requests}, p = {p}"), covered));
            }
        }
    }
    check(all);
}

#[test]
fn proportions_of_correlated_rows() {
    let mut all = Vec::new();
    for (rounds, requests) in SHAPES {
        for (rho, threshold, p) in [(0.5, 0.0, 0.5), (0.9, 0.0, 0.5), (0.9, 1.2815515655446004, 0.1)] {
            let covered = coverage(p, |draws| {
                let below = |value: f64| f64::from(u8::from(value > threshold));
                let round = || draws.correlated(rho, requests).into_iter().map(below).collect();
                proportion(&blocks(&many(rounds, round)))
            });
            all.push((format!("{rounds} x {requests}, p = {p}, rho = {rho}"), covered));
        }
    }
    check(all);
}

#[test]
fn means() {
    let mut all = Vec::new();
    for (rounds, requests) in SHAPES {
        let mut add = |name: &str, truth: f64, series: &dyn Fn(&mut Draws) -> Vec<f64>| {
            let covered = coverage(truth, |draws| mean(&blocks(&many(rounds, || series(draws)))));
            all.push((format!("{rounds} x {requests}, {name}"), covered));
        };
        add("exponential", 1.0, &|draws| (0..requests).map(|_| draws.exponential()).collect());
        add("rho = 0.5", 0.0, &|draws| draws.correlated(0.5, requests));
        add("rho = 0.9", 0.0, &|draws| draws.correlated(0.9, requests));
    }
    check(all);
}

#[test]
fn rounds_that_differ() {
    // From ten rounds on a round is a batch, and what a whole round has in common is accounted for.
    let mut all = Vec::new();
    for (rounds, requests) in [(10, 100), (30, 100)] {
        let sample = |draws: &mut Draws| -> Vec<Vec<f64>> {
            many(rounds, || {
                let shift = draws.normal();
                (0..requests).map(|_| shift + draws.normal()).collect()
            })
        };
        all.push((format!("mean of {rounds}"), coverage(0.0, |draws| mean(&blocks(&sample(draws))))));
        let share = |draws: &mut Draws| {
            let above = |round: &Vec<f64>| round.iter().map(|value| f64::from(u8::from(*value > 0.0))).collect();
            let rounds: Vec<Vec<f64>> = sample(draws).iter().map(above).collect();
            proportion(&blocks(&rounds))
        };
        all.push((format!("proportion of {rounds}"), coverage(0.5, share)));
    }
    check(all);
}

#[test]
fn quantiles() {
    // The quantiles of the exponential distribution.
    let mut all = Vec::new();
    for (rounds, requests) in [(1, 1000), (3, 1000), (12, 100), (30, 100)] {
        for p in [0.5, 0.9, 0.99] {
            let truth = -libm::log(1.0 - p);
            for rho in [0.0, 0.9] {
                // Of a rare and clustered event a small sample knows too little.
                if rho > 0.0 && p > 0.9 {
                    continue;
                }
                let covered = coverage(truth, |draws| {
                    let exponential = |z: f64| -libm::log(libm::erfc(z / std::f64::consts::SQRT_2) / 2.0);
                    let round = || draws.correlated(rho, requests).into_iter().map(exponential).collect();
                    quantile(&slices(&many(rounds, round)), p, Replicates::Blocks)
                });
                all.push((format!("{rounds} x {requests}, p = {p}, rho = {rho}"), covered));
            }
        }
    }
    check(all);
}

#[test]
fn paired_differences() {
    // What both sides share is far larger than the difference: only pairing finds it.
    let mut all = Vec::new();
    for (rounds, requests) in SHAPES {
        let covered = coverage(0.25, |draws| {
            let (mut off, mut on) = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                let drift = 10.0 * draws.normal();
                let shared = draws.correlated(0.8, requests);
                off.push(shared.iter().map(|shared| drift + 3.0 * shared + draws.normal()).collect::<Vec<f64>>());
                on.push(shared.iter().map(|shared| drift + 3.0 * shared + draws.normal() + 0.25).collect::<Vec<f64>>());
            }
            let difference = paired_difference(&blocks(&off), &blocks(&on))?;
            assert!(difference.high - difference.low < 2.0, "{difference:?}");
            Some(difference)
        });
        all.push((format!("{rounds} x {requests}"), covered));
    }
    check(all);
}

#[test]
fn differences_of_independent_samples() {
    let mut all = Vec::new();
    for (rounds, requests) in [(1, 1000), (3, 1000), (12, 100)] {
        let covered = coverage(0.5, |draws| {
            let mut sample = |shift: f64, spread: f64| {
                let round =
                    || draws.correlated(0.5, requests).into_iter().map(|value| shift + spread * value).collect();
                mean(&blocks(&many(rounds, round)))
            };
            Some(difference(&sample(1.0, 1.0)?, &sample(1.5, 2.0)?))
        });
        all.push((format!("{rounds} x {requests}, means"), covered));
        let covered = coverage(0.2, |draws| {
            let mut sample =
                |p: f64| proportion(&blocks(&many(rounds, || (0..requests).map(|_| draws.bernoulli(p)).collect())));
            Some(difference(&sample(0.1)?, &sample(0.3)?))
        });
        all.push((format!("{rounds} x {requests}, shares"), covered));
        let covered = coverage(libm::log(2.0), |draws| {
            let mut sample = |scale: f64| {
                let round = || (0..requests).map(|_| scale * draws.exponential()).collect();
                quantile(&slices(&many(rounds, round)), 0.5, Replicates::Blocks)
            };
            Some(difference(&sample(1.0)?, &sample(2.0)?))
        });
        all.push((format!("{rounds} x {requests}, medians"), covered));
    }
    // Each side allows for its own few batches, together a little more than is needed.
    assert!(all.iter().all(|(_, covered)| (94.0..=97.5).contains(covered)), "{all:#?}");
}

#[test]
fn rates() {
    let covered =
        coverage(4.0, |draws| rate(&blocks(&many(3, || (0..1000).map(|_| draws.exponential() / 4.0).collect()))));
    check(vec![("rate".to_owned(), covered)]);
}

#[test]
fn bounds_with_lost_rows_cover_whatever_they_would_have_read() {
    for share_of_lost_that_missed in [0.0, 0.5, 1.0] {
        let truth = 0.1 + 0.05 * share_of_lost_that_missed;
        let covered = coverage(truth, |draws| {
            let empty = || Batches::new(3, 1000, Replicates::Blocks);
            let (mut misses, mut lost) = (empty(), empty());
            for round in 0..3 {
                for i in 0..1000 {
                    let (is_lost, is_miss) = (draws.bernoulli(0.05), draws.bernoulli(0.1 / 0.95));
                    lost.push(round, i, is_lost);
                    misses.push(round, i, is_miss * (1.0 - is_lost));
                }
            }
            proportion_of_planned(&misses, &lost)
        });
        assert!(covered >= 95.0, "{share_of_lost_that_missed}: {covered}");
    }
}

/// Rounds as a testbed measures them: what a whole round has in common (`drift` normal deviations of a row) is large
/// against what its rows differ by.
fn drifting(draws: &mut Draws, rounds: usize, requests: usize, drift: f64) -> Vec<Vec<f64>> {
    many(rounds, || {
        let shift = drift * draws.normal();
        draws.correlated(0.5, requests).into_iter().map(|value| shift + value).collect()
    })
}

fn rounds(sample: &[Vec<f64>]) -> Batches {
    Batches::of(&slices(sample), Replicates::Rounds)
}

#[test]
fn rounds_that_drift_are_covered_by_intervals_from_rounds() {
    let mut all = Vec::new();
    let above = |sample: Vec<Vec<f64>>, threshold: f64| -> Vec<Vec<f64>> {
        let flag = |value: f64| f64::from(u8::from(value > threshold));
        sample.into_iter().map(|round| round.into_iter().map(flag).collect()).collect()
    };
    for count in [3, 5, 10] {
        for drift in [0.3, 2.0] {
            let name = |what: &str| format!("{what} of {count} rounds, drift {drift}");
            let mean = |draws: &mut Draws| mean(&rounds(&drifting(draws, count, 60, drift)));
            all.push((name("mean"), coverage(0.0, mean)));
            let median =
                |draws: &mut Draws| quantile(&slices(&drifting(draws, count, 60, drift)), 0.5, Replicates::Rounds);
            all.push((name("median"), coverage(0.0, median)));
            let difference = |draws: &mut Draws| {
                // The drift is common to both sides of a round.
                let (mut off, mut on) = (Vec::new(), Vec::new());
                for _ in 0..count {
                    let shift = drift * draws.normal();
                    let mut side = |more: f64| -> Vec<f64> {
                        draws.correlated(0.5, 60).into_iter().map(|value| shift + more + value).collect()
                    };
                    off.push(side(0.0));
                    on.push(side(0.5));
                }
                paired_difference(&rounds(&off), &rounds(&on))
            };
            all.push((name("difference"), coverage(0.5, difference)));
            let ratio = |draws: &mut Draws| {
                let mut side = |more: f64| -> Vec<Vec<f64>> {
                    let sample = drifting(draws, count, 60, 0.1 * drift);
                    sample
                        .iter()
                        .map(|round| round.iter().map(|value| libm::exp(0.1 * value + more)).collect())
                        .collect()
                };
                let (off, on) = (side(0.0), side(libm::log(2.0)));
                paired_ratio(&rounds(&off), &rounds(&on))
            };
            all.push((name("ratio"), coverage(2.0, ratio)));
        }
    }
    check(all);
    // Of shares not less than 95 % by much, and more where independent rows already spread wider than the rounds do.
    for count in [3, 5, 10] {
        for (drift, threshold, truth) in [(0.3, 0.0, 0.5), (1.0, 0.0, 0.5), (0.3, 1.28, 0.11009601749887482)] {
            let covered =
                coverage(truth, |draws| proportion(&rounds(&above(drifting(draws, count, 60, drift), threshold))));
            assert!(covered >= 90.0, "share {truth} of {count} rounds, drift {drift}: {covered}");
        }
    }
}

/// Ten measurements of one treatment on a machine that drifts: of the 45 pairs of intervals hardly any may be disjoint. With
/// blocks of one round a third are, and more.
#[test]
fn measurements_of_one_treatment_agree() {
    let mut draws = Draws { state: 7, spare: None };
    let disjoint = |intervals: &[Interval]| {
        let pairs =
            intervals.iter().enumerate().flat_map(|(n, one)| intervals[..n].iter().map(move |other| (one, other)));
        pairs.filter(|(one, other)| one.low > other.high || other.low > one.high).count()
    };
    let (mut wrong, mut right, mut pairs) = (0, 0, 0);
    for _ in 0..40 {
        let measured: Vec<Vec<Vec<f64>>> = (0..10).map(|_| drifting(&mut draws, 3, 100, 1.0)).collect();
        let of_rounds: Vec<Interval> = measured.iter().filter_map(|sample| mean(&rounds(sample))).collect();
        let of_blocks: Vec<Interval> = measured.iter().filter_map(|sample| mean(&blocks(&sample[..1]))).collect();
        assert!(of_rounds.iter().all(Interval::is_bounded) && of_blocks.len() == 10);
        right += disjoint(&of_rounds);
        wrong += disjoint(&of_blocks);
        pairs += 45;
    }
    assert!(right * 20 <= pairs, "{right} of {pairs} pairs of rounds' intervals are disjoint");
    assert!(wrong * 3 > pairs, "{wrong} of {pairs} pairs of blocks' intervals are disjoint: nothing drifted");
}

/// The same treatment under two names, rounds interleaved: about one interval of the difference in twenty excludes zero.
#[test]
fn a_treatment_does_not_differ_from_itself() {
    let mut draws = Draws { state: 11, spare: None };
    let mut excludes = 0;
    for _ in 0..REPETITIONS {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        // A machine that wanders: each round begins where the last ended.
        let mut shift = 0.0;
        for _ in 0..3 {
            for side in [&mut one, &mut other] {
                shift = 0.7 * shift + draws.normal();
                side.push((0..50).map(|_| libm::exp(0.3 * (shift + draws.normal()))).collect::<Vec<f64>>());
            }
        }
        let ratio = paired_ratio(&rounds(&one), &rounds(&other)).expect("gaps are positive");
        excludes += u64::from(ratio.low > 1.0 || ratio.high < 1.0);
    }
    let percent = excludes as f64 * 100.0 / REPETITIONS as f64;
    assert!((2.5..=7.5).contains(&percent), "{percent} % of intervals exclude no difference");
}

//! Batches: stretches of consecutive requests whose means are nearly independent.

use std::ops::Range;

use super::interval::Replicates;

/// How requests are divided into batches.
///
/// With at least [`Layout::MANY_ROUNDS`] rounds each round is a batch. With fewer, each round is cut into stretches of
/// equal length, about 150 requests long and 10 to 30 in all: long against the correlation between rows, and enough for
/// Student's t to be narrow (the method of batch means; Law, *Simulation Modeling and Analysis*, 5th ed., 9.5.3,
/// recommends 10 to 30 batches after Schmeiser 1982). Where rounds are the replicates each is a batch, however few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    rounds: usize,
    per_round: usize,
    replicates: Replicates,
}

impl Layout {
    /// Rounds from which on each is a batch of its own.
    pub const MANY_ROUNDS: usize = 10;

    /// The layout of `rounds` rounds of (at most) `requests` requests each.
    #[must_use]
    pub fn new(rounds: usize, requests: u64, replicates: Replicates) -> Self {
        if rounds >= Self::MANY_ROUNDS || rounds == 0 || replicates == Replicates::Rounds {
            return Self { rounds, per_round: 1, replicates };
        }
        let requests = usize::try_from(requests).unwrap_or(usize::MAX);
        let wanted = (requests.saturating_mul(rounds) / 150).clamp(10, 30).div_ceil(rounds);
        // A batch has five requests or more, except where that would leave hardly any batch.
        let possible = if requests < 10 { requests } else { requests / 5 };
        Self { rounds, per_round: wanted.min(possible).max(1), replicates }
    }

    /// Number of batches.
    #[must_use]
    pub fn batches(&self) -> usize {
        self.rounds * self.per_round
    }

    /// Number of rounds.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.rounds
    }

    /// Batches of one round.
    #[must_use]
    pub fn per_round(&self) -> usize {
        self.per_round
    }

    /// The batch of request `i` of `requests` in a round (from 0). Requests beyond the end belong to the last batch of
    /// the round.
    #[must_use]
    pub fn batch(&self, round: usize, i: u64, requests: u64) -> usize {
        let within = u128::from(i) * self.per_round as u128 / u128::from(requests.max(1));
        round * self.per_round + usize::try_from(within).unwrap_or(usize::MAX).min(self.per_round - 1)
    }

    /// The requests (from 0) of each batch of a round of `requests` requests: what [`Layout::batch`] says of each, by
    /// batches.
    #[must_use]
    pub fn stretches(&self, requests: u64) -> Vec<Range<u64>> {
        let start = |batch: usize| {
            let start = (batch as u128 * u128::from(requests.max(1))).div_ceil(self.per_round as u128);
            if batch < self.per_round { u64::try_from(start).unwrap_or(u64::MAX) } else { u64::MAX }
        };
        (0..self.per_round).map(|batch| start(batch)..start(batch + 1)).collect()
    }

    /// What the batches replicate.
    #[must_use]
    pub fn replicates(&self) -> Replicates {
        self.replicates
    }

    /// Whether blocks stand for rounds of which there are fewer than [`Layout::MANY_ROUNDS`].
    #[must_use]
    pub fn few_blocks(&self) -> bool {
        self.replicates == Replicates::Blocks && self.rounds < Self::MANY_ROUNDS
    }
}

/// Sums and counts of observations by batch: all that means, proportions and differences need of them. Memory does not
/// grow with the requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Batches {
    layout: Layout,
    requests: u64,
    sums: Vec<f64>,
    counts: Vec<u64>,
}

impl Batches {
    /// No observations yet, of `rounds` rounds with `requests` requests each.
    #[must_use]
    pub fn new(rounds: usize, requests: u64, replicates: Replicates) -> Self {
        let layout = Layout::new(rounds, requests, replicates);
        Self { layout, requests, sums: vec![0.0; layout.batches()], counts: vec![0; layout.batches()] }
    }

    /// Adds what was observed of request `i` (from 0) of a round (from 0). A request of which nothing was observed adds
    /// nothing. Rounds that the layout does not have are left out.
    pub fn push(&mut self, round: usize, i: u64, value: f64) {
        let batch = self.layout.batch(round, i, self.requests);
        if let (Some(sum), Some(count)) = (self.sums.get_mut(batch), self.counts.get_mut(batch)) {
            *sum += value;
            *count += 1;
        }
    }

    /// Batches of aggregates: `aggregate` gives sum and number of what was observed in each of these stretches of requests
    /// (from 0) of a round (from 0). Stretches that it leaves out have no observation.
    #[must_use]
    pub fn aggregated(
        rounds: usize,
        requests: u64,
        replicates: Replicates,
        mut aggregate: impl FnMut(usize, &[Range<u64>]) -> Vec<(f64, u64)>,
    ) -> Self {
        let mut batches = Self::new(rounds, requests, replicates);
        let stretches = batches.layout.stretches(requests);
        for round in 0..rounds {
            let first = round * stretches.len();
            for (batch, (sum, count)) in (first..first + stretches.len()).zip(aggregate(round, &stretches)) {
                batches.sums[batch] = sum;
                batches.counts[batch] = count;
            }
        }
        batches
    }

    /// The observations of whole rounds, one slice each, one value per request in order of `i`; NaN where nothing was
    /// observed.
    #[must_use]
    pub fn of(rounds: &[&[f64]], replicates: Replicates) -> Self {
        Self::of_map(rounds, replicates, |value| value)
    }

    /// As [`Batches::of`], of a function of each value.
    #[must_use]
    pub(crate) fn of_map(rounds: &[&[f64]], replicates: Replicates, map: impl Fn(f64) -> f64) -> Self {
        let longest = rounds.iter().map(|round| round.len()).max().unwrap_or(0) as u64;
        let mut batches = Self::new(rounds.len(), longest, replicates);
        for (number, round) in rounds.iter().enumerate() {
            for (i, value) in round.iter().enumerate() {
                if !value.is_nan() {
                    let batch = batches.layout.batch(number, i as u64, round.len() as u64);
                    batches.sums[batch] += map(*value);
                    batches.counts[batch] += 1;
                }
            }
        }
        batches
    }

    /// The division into batches.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Number of observations.
    #[must_use]
    pub fn observations(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Sum of the observations.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.sums.iter().sum()
    }

    /// Mean of the observations; `None` if there are none.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        let observations = self.observations();
        (observations > 0).then(|| self.total() / observations as f64)
    }

    /// Request by request the sum of two observations of the same requests; `None` if they are not divided alike.
    pub(crate) fn plus(&self, other: &Self) -> Option<Self> {
        if self.layout != other.layout || self.counts != other.counts {
            return None;
        }
        let sums = self.sums.iter().zip(&other.sums).map(|(one, other)| one + other).collect();
        Some(Self { sums, counts: self.counts.clone(), ..*self })
    }

    /// What each batch adds to the error of the mean: (sum - mean x count) / observations. Batches without an
    /// observation add nothing.
    pub(crate) fn residuals(&self, mean: f64) -> impl Iterator<Item = f64> {
        let observations = self.observations() as f64;
        let each = self.sums.iter().zip(&self.counts);
        each.map(move |(sum, count)| (sum - mean * *count as f64) / observations)
    }

    /// Number, sum and count of each batch that has an observation.
    pub(crate) fn each_filled(&self) -> impl Iterator<Item = (usize, f64, f64)> {
        let each = self.sums.iter().zip(&self.counts).enumerate();
        each.filter(|(_, (_, count))| **count > 0).map(|(number, (sum, count))| (number, *sum, *count as f64))
    }

    /// Batches that have an observation.
    pub(crate) fn filled(&self) -> usize {
        self.counts.iter().filter(|count| **count > 0).count()
    }
}

/// The variance of a sum of independent parts from their deviations, as for a cluster sample: k/(k-1) x the sum of
/// squares (Cochran, *Sampling Techniques*, 3rd ed., 6.3 and 9A; batches need not be equally long). `None` with
/// fewer than two parts.
pub(crate) fn variance(parts: usize, residuals: impl Iterator<Item = f64>) -> Option<f64> {
    let squares: f64 = residuals.map(|residual| residual * residual).sum();
    (parts >= 2).then(|| squares * parts as f64 / (parts - 1) as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn batches_are_even_stretches_and_few_but_enough(rounds in 1usize..40, requests in 1u64..20_000) {
            let layout = Layout::new(rounds, requests, Replicates::Blocks);
            let mut sizes = vec![0u64; layout.batches()];
            let mut last = 0;
            for (batch, stretch) in layout.stretches(requests).into_iter().enumerate() {
                for i in [stretch.start, stretch.end.min(requests) - 1] {
                    prop_assert_eq!(layout.batch(0, i, requests), batch);
                }
            }
            for round in 0..rounds {
                for i in 0..requests {
                    let batch = layout.batch(round, i, requests);
                    prop_assert!(batch == last || batch == last + 1);
                    last = batch;
                    sizes[batch] += 1;
                }
            }
            let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
            prop_assert!(*least > 0 && most - least <= 1);
            if rounds >= Layout::MANY_ROUNDS {
                prop_assert_eq!(layout.batches(), rounds);
            } else if rounds as u64 * requests >= 100 {
                prop_assert!((8..40).contains(&layout.batches()), "{}", layout.batches());
            }
        }

        #[test]
        fn pushing_rows_is_the_same_as_giving_whole_rounds(
            rounds in prop::collection::vec(prop::collection::vec(prop::option::of(-9i32..9), 30), 1..12),
        ) {
            let rounds: Vec<Vec<f64>> = rounds
                .into_iter()
                .map(|round| round.into_iter().map(|value| value.map_or(f64::NAN, f64::from)).collect())
                .collect();
            let mut pushed = Batches::new(rounds.len(), 30, Replicates::Blocks);
            for (number, round) in rounds.iter().enumerate() {
                for (i, value) in round.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
                    pushed.push(number, i as u64, *value);
                }
            }
            let slices: Vec<&[f64]> = rounds.iter().map(Vec::as_slice).collect();
            let whole = Batches::of(&slices, Replicates::Blocks);
            prop_assert_eq!(&pushed, &whole);
            let aggregated = Batches::aggregated(rounds.len(), 30, Replicates::Blocks, |round, stretches| {
                let part = |range: &Range<u64>| &rounds[round][range.start as usize..range.end.min(30) as usize];
                let sum = |range| part(range).iter().filter(|value| !value.is_nan()).fold((0.0, 0), |(sum, n), value| (sum + value, n + 1));
                stretches.iter().map(sum).collect()
            });
            prop_assert_eq!(&pushed, &aggregated);
            let present: Vec<f64> = rounds.concat().into_iter().filter(|value| !value.is_nan()).collect();
            prop_assert_eq!(whole.observations(), present.len() as u64);
            prop_assert_eq!(whole.total(), present.iter().sum::<f64>());
        }
    }
}

//! Distributions: how often each value was there.

use matrix_core::{Filter, Kind};

use crate::FrameError;
use crate::aggregate::keys;
use crate::read::Source;
use crate::select::{real_of_key, whole_of_key};

/// Values that are held before equal ones are counted together.
const FRESH: usize = 1 << 20;

/// How often each number was there. Memory grows with the number of different ones.
#[derive(Clone, Debug)]
pub struct Distribution {
    kind: Kind,
    /// Keys in order, each once, with how often it was there.
    counted: Vec<(u64, u64)>,
    fresh: Vec<(u64, u64)>,
}

impl Distribution {
    /// Nothing yet of a column of this kind.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self { kind, counted: Vec::new(), fresh: Vec::new() }
    }

    fn push(&mut self, key: u64, weight: u64) {
        self.fresh.push((key, weight));
        if self.fresh.len() >= FRESH.max(self.counted.len()) {
            self.count();
        }
    }

    fn count(&mut self) {
        let mut all = std::mem::take(&mut self.counted);
        all.append(&mut self.fresh);
        all.sort_unstable();
        all.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = kept.1.saturating_add(next.1);
            }
            same
        });
        self.counted = all;
    }

    /// Adds the numbers of a column in the rows that a filter matches.
    ///
    /// # Errors
    /// When rows cannot be read, or are not of these columns.
    pub fn add(&mut self, source: &Source<'_>, column: usize, filter: Option<&Filter>) -> Result<(), FrameError> {
        keys(source, column, filter, &mut |key, weight| self.push(key, weight))?;
        self.count();
        Ok(())
    }

    /// Adds another distribution of numbers of the same kind.
    pub fn merge(&mut self, other: &Self) {
        self.fresh.extend(other.counted.iter().chain(&other.fresh));
        self.count();
    }

    /// How many numbers there were.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counted.iter().chain(&self.fresh).fold(0, |all, (_, weight)| all.saturating_add(*weight))
    }

    /// Its cumulative distribution function: numbers, and the share of numbers that are not larger. Of more than `most`
    /// different numbers those at so many evenly spaced ranks, each exact.
    #[must_use]
    pub fn curve(&self, most: usize) -> Vec<(f64, f64)> {
        let total = self.total();
        let value = |key| match self.kind {
            Kind::Whole => whole_of_key(key) as f64,
            _ => real_of_key(key),
        };
        let mut points = Vec::new();
        let (mut below, mut step) = (0u64, 0);
        let last = self.counted.len().saturating_sub(1);
        for (place, (key, weight)) in self.counted.iter().enumerate() {
            below = weight.saturating_add(below);
            // The number of the step that this rank is in: one point for each.
            let here = (u128::from(below) * most as u128).div_ceil(u128::from(total.max(1)));
            if self.counted.len() <= most || here > step || place == last {
                points.push((value(*key), below as f64 / total as f64));
                step = here;
            }
        }
        points
    }
}

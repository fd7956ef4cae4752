//! Cells that differ in round or origin only, taken as one sample.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

use matrix_plan::stats::{self, Batches, Replicates, nearest_rank};
use matrix_plan::{Axes, Region, RegionPair};

use crate::changes::replicates;
use crate::load::{CellData, Finding, Loaded, Totals};
use crate::tables::{Basis, Estimate};

/// All cells of the same axes.
#[derive(Debug)]
pub struct Pool<'a> {
    cells: Vec<&'a CellData>,
    totals: Totals,
    inconsistent: OnceLock<Estimate>,
    consistent: OnceLock<Vec<i64>>,
    sorted: OnceLock<Vec<i64>>,
}

impl<'a> Pool<'a> {
    fn new(mut cells: Vec<&'a CellData>) -> Self {
        cells.sort_by_key(|cell| (cell.meta.inputs.round, &cell.meta.origin, cell.meta.key));
        let mut totals = Totals::default();
        for cell in &cells {
            totals.add(&cell.totals);
        }
        Self { cells, totals, inconsistent: OnceLock::new(), consistent: OnceLock::new(), sorted: OnceLock::new() }
    }

    /// The cells, by round and origin.
    #[must_use]
    pub fn cells(&self) -> &[&'a CellData] {
        &self.cells
    }

    /// Sums over all cells.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Aggregates in batches: `aggregate` gives sum and number of what was observed in each stretch of a cell's requests.
    fn batches(&self, aggregate: impl Fn(&CellData, &[Range<u64>]) -> Vec<(f64, u64)>) -> Batches {
        let requests = self.cells.iter().map(|cell| cell.totals.planned).max().unwrap_or_default();
        Batches::aggregated(self.cells.len(), requests, self.replicates(), |round, stretches| {
            self.cells.get(round).map(|cell| aggregate(cell, stretches)).unwrap_or_default()
        })
    }

    /// How many readers of each batch found what is wanted.
    fn found(&self, wanted: fn(Finding) -> bool) -> Batches {
        self.batches(|cell, stretches| {
            let count = |range| {
                let findings = cell.findings(range);
                let found = findings.iter().filter(|finding| wanted(**finding)).count();
                (found as f64, findings.len() as u64)
            };
            stretches.iter().map(count).collect()
        })
    }

    /// What intervals come from.
    #[must_use]
    pub fn replicates(&self) -> Replicates {
        replicates(self.cells.iter().copied())
    }

    /// The rounds behind it, and what intervals come from.
    #[must_use]
    pub fn basis(&self) -> Basis {
        Basis { rounds: self.cells.len() as u64, replicates: self.replicates() }
    }

    /// The share of inconsistencies among planned requests; see [`stats::proportion_of_planned`]. Unknown without a read.
    #[must_use]
    pub fn inconsistent(&self) -> Estimate {
        *self.inconsistent.get_or_init(|| {
            if self.totals.reads() == 0 {
                return Estimate::UNKNOWN;
            }
            let unread = match self.totals.lost() + self.totals.failed() {
                0 => self.batches(|_, _| Vec::new()),
                _ => self.found(Finding::is_unread),
            };
            stats::proportion_of_planned(&self.found(|finding| finding == Finding::Missed), &unread).into()
        })
    }

    /// The mean window in milliseconds, of all reads.
    #[must_use]
    pub fn window_mean_ms(&self) -> Estimate {
        let sums = |cell: &CellData, stretches: &[Range<u64>]| {
            // Added up in their order: the last bit of a sum of real numbers depends on it.
            let add = |(sum, count): (f64, u64), us: i64| (sum + us as f64 / 1e3, count + 1);
            stretches.iter().map(|range| cell.windows(range).fold((0.0, 0), add)).collect()
        };
        stats::mean(&self.batches(sums)).into()
    }

    /// The windows of the reads that found the post in microseconds, sorted.
    pub fn consistent_windows(&self) -> &[i64] {
        self.consistent.get_or_init(|| self.windows_where(false))
    }

    /// The windows of all reads in microseconds, sorted.
    pub fn sorted_windows(&self) -> &[i64] {
        self.sorted.get_or_init(|| {
            let mut sorted = [self.consistent_windows(), &self.windows_where(true)].concat();
            // Two runs in order, which a stable sort only has to merge.
            sorted.sort();
            sorted
        })
    }

    fn windows_where(&self, missed: bool) -> Vec<i64> {
        let mut windows: Vec<i64> = self.cells.iter().flat_map(|cell| cell.windows_where(missed)).collect();
        windows.sort_unstable();
        windows
    }

    /// The `p`-quantile of the window in milliseconds, of all reads; `None` without a read.
    #[must_use]
    pub fn window_quantile_ms(&self, p: f64) -> Option<f64> {
        let sorted = self.sorted_windows();
        let rank = nearest_rank(p, sorted.len() as u64);
        sorted.get(rank as usize - 1).map(|&us| us as f64 / 1e3)
    }
}

/// Loaded cells, pooled by axes.
#[derive(Debug)]
pub struct Pools<'a>(BTreeMap<&'a Axes, Pool<'a>>);

impl<'a> Pools<'a> {
    /// Pools the cells of the same axes.
    #[must_use]
    pub fn new(loaded: &'a Loaded) -> Self {
        let mut cells: BTreeMap<&Axes, Vec<&CellData>> = BTreeMap::new();
        for cell in loaded.cells() {
            cells.entry(&cell.meta.inputs.axes).or_default().push(cell);
        }
        Self(cells.into_iter().map(|(axes, cells)| (axes, Pool::new(cells))).collect())
    }

    /// The pool of the given axes.
    #[must_use]
    pub fn get(&self, axes: &Axes) -> Option<&Pool<'a>> {
        self.0.get(axes)
    }

    /// All pools, in the order of post storage, notification storage, region pair, delay, antipode.
    pub fn iter(&self) -> impl Iterator<Item = (&'a Axes, &Pool<'a>)> {
        self.0.iter().map(|(axes, pool)| (*axes, pool))
    }

    /// All pools, region pair by region pair.
    pub fn by_regions(&self) -> impl Iterator<Item = (&'a Axes, &Pool<'a>)> {
        let mut pools: Vec<_> = self.iter().collect();
        pools.sort_by_key(|(axes, _)| region_order(&axes.combination.regions));
        pools.into_iter()
    }
}

/// The key that sorts region pairs: the built-in regions first, in their order, then the others by name.
pub(super) fn region_order(pair: &RegionPair) -> [(usize, &str); 2] {
    [&pair.writer, &pair.reader].map(|region: &Region| {
        let known = Region::BUILT_IN.iter().position(|(name, _)| *name == region.as_str());
        (known.unwrap_or(Region::BUILT_IN.len()), region.as_str())
    })
}

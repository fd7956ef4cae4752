//! The closing summary: one row per combination and delay, both treatments side by side.

use std::collections::BTreeMap;

use matrix_plan::stats::{Batches, Replicates, paired_difference, paired_ratio};
use matrix_plan::{Axes, Combination, ConfiguredLag, Fingerprint};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use super::pool::{Pool, Pools, region_order};
use crate::load::CellData;
use crate::tables::{Estimate, SummaryRow, TreatmentRow};

/// One row per combination and delay, by post storage, notification storage, region pair and delay.
#[must_use]
pub fn summary(pools: &Pools<'_>) -> Vec<SummaryRow> {
    let mut blocks: BTreeMap<(&Combination, u64), [Option<&Pool<'_>>; 2]> = BTreeMap::new();
    for (Axes { combination, delay_ms, antipode }, pool) in pools.iter() {
        blocks.entry((combination, *delay_ms)).or_default()[usize::from(*antipode)] = Some(pool);
    }
    let mut blocks: Vec<_> = blocks.into_iter().collect();
    blocks.sort_by_key(|((combination, delay_ms), _)| {
        let Combination { post_storage, notification_storage, regions } = combination;
        (post_storage, notification_storage, region_order(regions), *delay_ms)
    });
    blocks.into_par_iter().map(|((combination, delay_ms), [off, on])| row(combination, delay_ms, off, on)).collect()
}

fn row(combination: &Combination, delay_ms: u64, off: Option<&Pool<'_>>, on: Option<&Pool<'_>>) -> SummaryRow {
    let cells = || off.into_iter().chain(on).flat_map(|pool| pool.cells()).map(|cell| &*cell.meta);
    // Nearly all cells of a row have the same, which is a text to be parsed.
    let mut fingerprints: Vec<&Fingerprint> = cells().map(|cell| &cell.inputs.fingerprint).collect();
    fingerprints.dedup();
    SummaryRow {
        post_storage: combination.post_storage,
        notification_storage: combination.notification_storage,
        regions: combination.regions.clone(),
        delay_ms,
        configured_lag: cells().any(|cell| cell.configured_lag),
        configured_notification_lag: cells().any(|cell| ConfiguredLag::of(&cell.inputs).notification),
        extrapolated: fingerprints.iter().any(|fingerprint| fingerprint.extrapolated().any()),
        off: off.map(treatment),
        on: on.map(treatment),
        throughput_change_percent: off.zip(on).and_then(|(off, on)| throughput_change_percent(off, on)),
    }
}

fn treatment(pool: &Pool<'_>) -> TreatmentRow {
    let totals = pool.totals();
    TreatmentRow {
        planned: totals.planned,
        rounds: pool.cells().len() as u64,
        replicates: pool.replicates(),
        reads: totals.reads(),
        misses: totals.misses,
        lost: totals.lost(),
        failed: totals.failed(),
        inconsistent: pool.inconsistent(),
        window_mean_ms: pool.window_mean_ms(),
        window_p50_ms: pool.window_quantile_ms(0.5).unwrap_or(f64::NAN),
        window_p99_ms: pool.window_quantile_ms(0.99).unwrap_or(f64::NAN),
        throughput_per_s: totals.ended.per_second().filter(|_| totals.reads() > 0).unwrap_or(f64::NAN),
        barrier_s: totals.barrier_us as f64 / 1e6,
        barrier_polls: u64::try_from(totals.barrier_polls).unwrap_or_default(),
    }
}

/// The change of throughput that antipode brought, in percent, from the rounds that ran with both treatments.
///
/// Throughput is the reciprocal of the mean gap between ends, so the change is `off / on - 1` of the mean gaps. Its
/// interval is that of the paired difference of gaps, with the mean gap without antipode taken as exact: what moves both
/// treatments cancels in the difference, and its share of the quotient is of second order. Of measured rounds it is the
/// geometric mean of each round's quotient, with Student's t over rounds. Nothing where one side has no read.
fn throughput_change_percent(off: &Pool<'_>, on: &Pool<'_>) -> Option<Estimate> {
    let block = |cell: &CellData| (cell.meta.inputs.round, cell.meta.origin.clone());
    let on: BTreeMap<_, _> = on.cells().iter().map(|cell| (block(cell), *cell)).collect();
    let both: Vec<_> = off.cells().iter().filter_map(|off| Some((*off, *on.get(&block(off))?))).collect();
    if off.totals().reads() == 0 || both.iter().all(|(_, on)| on.totals.reads() == 0) {
        return None;
    }
    let replicates = off.replicates();
    let requests = both.iter().map(|(off, _)| off.totals.planned).max()?;
    let gaps = || Batches::new(both.len(), requests, replicates);
    let (mut gaps_off, mut gaps_on) = (gaps(), gaps());
    for (round, (off, on)) in both.iter().enumerate() {
        for (gaps, cell) in [(&mut gaps_off, off), (&mut gaps_on, on)] {
            for (i, gap) in (0..).zip(cell.gaps_s()) {
                gaps.push(round, i, gap);
            }
        }
    }
    if replicates == Replicates::Rounds {
        let ratio = Estimate::from(paired_ratio(&gaps_on, &gaps_off)?);
        let percent = |ratio: f64| (ratio - 1.0) * 100.0;
        return Some(Estimate { value: percent(ratio.value), low: percent(ratio.low), high: percent(ratio.high) });
    }
    let base = gaps_off.mean().filter(|gap| *gap > 0.0)?;
    let change = paired_difference(&gaps_off, &gaps_on)?;
    // Longer gaps are less throughput; a gap of nothing would be throughput without end.
    let percent = |longer: f64| {
        let gap = base + longer;
        if gap > 0.0 { (base / gap - 1.0) * 100.0 } else { f64::INFINITY }
    };
    Some(Estimate { value: percent(change.value), low: percent(change.high), high: percent(change.low) })
}

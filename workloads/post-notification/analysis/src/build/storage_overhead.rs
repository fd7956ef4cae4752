//! Bytes kept and carried, with and without antipode: delay 0.

use matrix_plan::{Axes, NotificationStorage, PostStorage};

use super::pool::Pools;
use crate::load::{Objects, Totals};
use crate::tables::{OverheadRow, StorageKind};

/// The totals of one combination, without antipode and with it.
struct Pair<'a> {
    axes: &'a Axes,
    off: &'a Totals,
    on: &'a Totals,
}

/// One row per post storage, then one per notification storage. Only combinations with both treatments count, so that
/// the averages compare the same posts; a post storage is judged by its combinations with SNS where it has any.
#[must_use]
pub fn storage_overhead(pools: &Pools<'_>) -> Vec<OverheadRow> {
    let originals = pools.iter().filter(|(axes, _)| axes.delay_ms == 0 && !axes.antipode);
    let pairs: Vec<Pair<'_>> = originals
        .filter_map(|(axes, off)| {
            let on = pools.get(&Axes { antipode: true, ..axes.clone() })?;
            Some(Pair { axes, off: off.totals(), on: on.totals() })
        })
        .collect();
    let posts = PostStorage::ALL.iter().filter_map(|&storage| {
        let with = |pair: &&Pair<'_>| pair.axes.combination.post_storage == storage;
        let sns = |pair: &&Pair<'_>| pair.axes.combination.notification_storage == NotificationStorage::Sns;
        let has_sns = pairs.iter().filter(with).any(|pair| sns(&pair));
        let pairs = pairs.iter().filter(with).filter(|pair| !has_sns || sns(pair));
        row(StorageKind::Post, storage.as_str(), pairs, |totals| totals.posts)
    });
    let notifications = NotificationStorage::ALL.iter().filter_map(|&storage| {
        let pairs = pairs.iter().filter(|pair| pair.axes.combination.notification_storage == storage);
        row(StorageKind::Notification, storage.as_str(), pairs, |totals| totals.notifications)
    });
    posts.chain(notifications).collect()
}

/// `None` if no size is known on one of the sides.
fn row<'p>(
    kind: StorageKind,
    storage: &str,
    pairs: impl Iterator<Item = &'p Pair<'p>>,
    objects: impl Fn(&Totals) -> Objects,
) -> Option<OverheadRow> {
    let (mut off, mut on) = (Objects::default(), Objects::default());
    for pair in pairs {
        off.add(objects(pair.off));
        on.add(objects(pair.on));
    }
    let (baseline, antipode) = (off.average()?, on.average()?);
    let overhead = antipode - baseline;
    Some(OverheadRow {
        kind,
        storage: storage.to_owned(),
        baseline_objects: off.count,
        // Loading bounds each size by 9e15 and a cell has at most 1e9 requests: the sums of real stores are far below.
        baseline_total_bytes: u64::try_from(off.bytes).unwrap_or(u64::MAX),
        baseline_average_bytes: baseline,
        antipode_objects: on.count,
        antipode_total_bytes: u64::try_from(on.bytes).unwrap_or(u64::MAX),
        antipode_average_bytes: antipode,
        overhead_bytes: overhead,
        overhead_percent: if baseline > 0.0 { overhead / baseline * 100.0 } else { f64::NAN },
    })
}

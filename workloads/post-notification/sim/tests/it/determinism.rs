//! The same cell gives the same bytes, whatever runs beside it.

use std::sync::atomic::{AtomicUsize, Ordering};

use matrix_plan::{NotificationStorage, PostStorage};
use matrix_sim::SimDriver;

use crate::cells;
use crate::rows::{builtin, combinations, digest, run, simulate};

/// If one of these changes, behaviour or the built-in model changed. Behaviour: raise `SIM_VERSION` (or
/// `WORKLOAD_VERSION`), else stores would take old results for new ones. The model: its parameters are part of every key.
#[test]
fn golden_traces() {
    let digests: Vec<String> = PostStorage::ALL
        .iter()
        .map(|post| format!("{post:<6} {}", digest(&simulate(*post, NotificationStorage::Sns, true, 300))))
        .chain(NotificationStorage::ALL.iter().map(|notification| {
            format!("{notification:<6} {}", digest(&simulate(PostStorage::Redis, *notification, false, 300)))
        }))
        .collect();
    insta::assert_snapshot!(digests.join("\n"));
}

#[test]
fn bytes_do_not_depend_on_threads_or_order() {
    let driver = SimDriver::new(builtin());
    let cells: Vec<_> = combinations()
        .flat_map(|(post, notification)| [false, true].map(|on| (post, notification, on)))
        .map(|(post, notification, on)| cells::inputs(driver.model(), post, notification, on, 60))
        .collect();
    let alone: Vec<String> = cells.iter().map(|inputs| digest(&run(&driver, inputs.clone()))).collect();
    let next = AtomicUsize::new(0);
    let mut together = vec![String::new(); cells.len()];
    std::thread::scope(|scope| {
        let work = || {
            let mut done = Vec::new();
            // From the last to the first, by whoever is free.
            while let n @ 1.. = cells.len().saturating_sub(next.fetch_add(1, Ordering::Relaxed)) {
                done.push((n - 1, digest(&run(&driver, cells[n - 1].clone()))));
            }
            done
        };
        let helpers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        for (n, digest) in helpers.into_iter().flat_map(|helper| helper.join().unwrap()) {
            together[n] = digest;
        }
    });
    assert_eq!(alone, together);
}

#[test]
fn every_part_of_the_cell_that_should_change_the_rows_does() {
    let driver = SimDriver::new(builtin());
    let base = cells::inputs(driver.model(), PostStorage::Redis, NotificationStorage::Sns, false, 50);
    let reference = digest(&run(&driver, base.clone()));
    let mut round = base.clone();
    round.round = 2;
    let mut seed = base.clone();
    seed.seed = 7;
    let mut regions = base.clone();
    regions.axes.combination.regions = "us->sg".parse().unwrap();
    regions.fingerprint = driver.model().fingerprint(&regions.axes.combination).unwrap();
    for other in [round, seed, regions] {
        assert_ne!(digest(&run(&driver, other)), reference);
    }
}

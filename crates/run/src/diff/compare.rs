//! How the metrics of results that belong together differ.

use matrix_analysis::{Change, Keep, Options, changes, load};
use matrix_plan::ConfiguredLag;
use matrix_store::{Record, Store};

use super::Pair;
use crate::error::RunError;
use crate::results::{Traced, unreadable};

/// Pairs whose traces are held in memory at a time.
const AT_A_TIME: usize = 64;

/// How the metrics of each pair change, in the same order; nothing where the results are the same to the byte, for which
/// no trace is read.
pub fn compare(a: &Store, b: &Store, pairs: &[Pair]) -> Result<Vec<Vec<Change>>, RunError> {
    let mut found: Vec<Vec<Change>> = Vec::with_capacity(pairs.len());
    let options = Options { keep: Keep::EVERYTHING, ..Options::default() };
    for some in pairs.chunks(AT_A_TIME) {
        let different: Vec<&Pair> = some.iter().filter(|pair| !pair.is_identical()).collect();
        let side = |store: &Store, of: fn(&Pair) -> &Record| {
            let records = different.iter().map(|pair| of(pair).clone()).collect();
            load(&Traced::in_order(store, records), &options).map_err(unreadable)
        };
        let (from, to) = (side(a, |pair| &pair.a)?, side(b, |pair| &pair.b)?);
        let mut compared = from.cells().iter().zip(to.cells()).map(|(from, to)| changes(&[from], &[to]));
        found.extend(some.iter().map(|pair| {
            let next = if pair.is_identical() { None } else { compared.next() };
            next.unwrap_or_default()
        }));
    }
    Ok(found)
}

/// How a result came to be: simulated says simulated, configured lag says configured.
pub fn how(record: &Record) -> &'static str {
    match (record.simulated, record.configured_lag, ConfiguredLag::of(&record.inputs).notification) {
        (true, ..) => "simulated",
        (_, true, true) => "measured, configured lag of posts and notifications",
        (_, true, false) => "measured, configured lag of posts",
        (_, false, true) => "measured, configured lag of notifications",
        (_, false, false) => "measured",
    }
}

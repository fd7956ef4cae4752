//! How the metrics of results that belong together differ.

use matrix_analysis::{Change, Keep, Options, changes, load};
use matrix_plan::ConfiguredLag;
use matrix_store::Store;
use matrix_traces::Record;

use super::Pair;
use crate::error::RunError;
use crate::results::{Traced, unreadable};

/// Pairs whose traces are held in memory at a time.
const AT_A_TIME: usize = 64;

/// How the metrics of each pair change, in the same order; nothing where the results are the same to the byte, for which
/// no trace is read. One measured round has no interval: of measured results all rounds of a point are compared as one
/// sample, and each of their pairs gets that.
pub fn compare(a: &Store, b: &Store, pairs: &[Pair]) -> Result<Vec<Vec<Change>>, RunError> {
    let mut found: Vec<Vec<Change>> = Vec::with_capacity(pairs.len());
    let options = Options { keep: Keep::EVERYTHING, ..Options::default() };
    for some in chunks(pairs) {
        let different: Vec<&Pair> = some.iter().filter(|pair| !pair.is_identical()).collect();
        let side = |store: &Store, of: fn(&Pair) -> &Record| {
            let records = different.iter().map(|pair| of(pair).clone()).collect();
            load(&Traced::in_order(store, records)?, &options).map_err(unreadable)
        };
        let (from, to) = (side(a, |pair| &pair.a)?, side(b, |pair| &pair.b)?);
        let (mut from, mut to) = (from.cells(), to.cells());
        let mut compared = Vec::with_capacity(different.len());
        for sample in different.chunk_by(|one, next| is_one_sample(one, next)) {
            let ((a, others_a), (b, others_b)) = (from.split_at(sample.len()), to.split_at(sample.len()));
            (from, to) = (others_a, others_b);
            let changes = changes(&a.iter().collect::<Vec<_>>(), &b.iter().collect::<Vec<_>>());
            compared.extend(std::iter::repeat_n(changes, sample.len()));
        }
        let mut compared = compared.into_iter();
        found.extend(some.iter().map(|pair| {
            let next = if pair.is_identical() { None } else { compared.next() };
            next.unwrap_or_default()
        }));
    }
    Ok(found)
}

/// Whether two pairs are rounds of one point, measured by the same.
fn is_one_sample(one: &Pair, next: &Pair) -> bool {
    let measured = |pair: &Pair| !pair.a.simulated || !pair.b.simulated;
    let same = |one: &Record, next: &Record| one.inputs.axes == next.inputs.axes && one.origin == next.origin;
    measured(one) && measured(next) && same(&one.a, &next.a) && same(&one.b, &next.b)
}

/// The pairs in pieces that do not divide the rounds of a point.
fn chunks(pairs: &[Pair]) -> impl Iterator<Item = &[Pair]> {
    let mut rest = pairs;
    std::iter::from_fn(move || {
        let mut end = AT_A_TIME.min(rest.len());
        while rest.get(end).zip(rest.get(end.wrapping_sub(1))).is_some_and(|(next, last)| is_one_sample(last, next)) {
            end += 1;
        }
        let (some, others) = rest.split_at(end);
        rest = others;
        (!some.is_empty()).then_some(some)
    })
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

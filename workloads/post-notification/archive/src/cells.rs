//! `cells.csv`: the cells that a bundle is about, one line for each result, and one for each cell without any.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use matrix_app::Outcome;
use matrix_bundle::Refusal;
use matrix_plan::{CellKey, ConfiguredLag};
use matrix_store::Origin;
use matrix_traces::Record;

use crate::inventory::{Facts, Inventory};

const HEADER: &str = "key,platform,post_storage,notification_storage,regions,delay_ms,antipode,round,state,origin,object,\
                      bytes,simulated,configured_lag,configured_notification_lag,planned,ok,lost,writer_error,reader_error,barrier_timeout,reads,misses";

/// Columns after `state`, which a cell without a result leaves empty.
const OF_A_RESULT: usize = 14;

/// More bytes than a line has, but for those of unusual cells.
const LINE_BYTES: usize = 220;

/// The text of the file.
pub(crate) fn render(inventory: &Inventory, facts: &Facts) -> String {
    let mut text = String::with_capacity(HEADER.len() + LINE_BYTES * facts.cells.len());
    text.push_str(HEADER);
    text.push('\n');
    // Both are in order of keys, and every record is of one of the cells.
    let mut records = inventory.records.iter().peekable();
    for (key, cell) in &facts.cells {
        let axes = &cell.axes;
        let combination = &axes.combination;
        let start = format!(
            "{key},{},{},{},{},{},{},{},{}",
            cell.platform,
            combination.post_storage,
            combination.notification_storage,
            combination.regions,
            axes.delay_ms,
            axes.antipode,
            cell.round,
            cell.state
        );
        let mut done = false;
        while let Some(((_, origin), record)) = records.next_if(|((of, _), _)| of == key) {
            done = true;
            text.push_str(&start);
            push_result(&mut text, origin, record);
        }
        if !done {
            text.push_str(&start);
            text.push_str(&",".repeat(OF_A_RESULT));
            text.push('\n');
        }
    }
    text
}

fn push_result(text: &mut String, origin: &Origin, record: &Record) {
    let object = &record.object;
    // Writing to a string does not fail.
    let _ = write!(
        text,
        ",{origin},{},{},{},{},{},{}",
        object.sha256,
        object.bytes,
        record.simulated,
        record.configured_lag,
        ConfiguredLag::of(&record.inputs).notification,
        record.counts.planned
    );
    for outcome in Outcome::ALL {
        let _ = write!(text, ",{}", record.counts.of(outcome));
    }
    let _ = writeln!(text, ",{},{}", record.counts.reads, record.counts.misses);
}

/// The keys of the cells that the file lists, which stand first in each line whatever deriver made the other columns; they
/// follow from the bundle.
pub(crate) fn parse(bytes: &[u8]) -> Result<BTreeSet<CellKey>, Refusal> {
    let bad = |what: String| Refusal::Contents(what);
    let text = str::from_utf8(bytes).map_err(|error| bad(error.to_string()))?;
    let body = text.split_once('\n').filter(|(header, _)| header.starts_with("key,"));
    let (_, body) = body.ok_or_else(|| bad("its first line is not that of a list of cells".to_owned()))?;
    let mut keys = BTreeSet::new();
    for (number, line) in body.lines().enumerate() {
        let key = line.split(',').next().and_then(|key| key.parse().ok());
        keys.insert(key.ok_or_else(|| bad(format!("line {}: it does not begin with a key", number + 2)))?);
    }
    Ok(keys)
}

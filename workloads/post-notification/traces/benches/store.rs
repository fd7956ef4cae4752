//! How fast the store is: rows into an object, and looking up finished cells. `cargo bench -p matrix-traces`.
//!
//! Processor time is what counts, and is printed beside the time on the clock: other programs may be running.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use matrix_app::Row;
use matrix_driver::RowSink;
use matrix_plan::CellKey;
use matrix_store::fs::UnsyncedFilesystem;
use matrix_store::{Origin, Store, VerifyOptions, WritableStore};
use matrix_traces::{Record, TraceSink};

#[path = "sample/mod.rs"]
mod sample;

use sample::{cell, row};

type Outcomes<T> = Result<T, Box<dyn Error>>;

/// Processor time of this process in seconds, where the system tells it in the way of Linux.
fn processor_s() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    Some(stat.split(' ').next()?.parse::<u64>().ok()? as f64 / 1e9)
}

fn timed<T>(what: &str, per: Option<(&str, u64)>, run: impl FnOnce() -> Outcomes<T>) -> Outcomes<T> {
    let (clock, processor) = (Instant::now(), processor_s());
    let value = run()?;
    let clock = clock.elapsed().as_secs_f64();
    let processor = processor.zip(processor_s()).map(|(before, after)| after - before);
    let seconds = processor.unwrap_or(clock);
    let each =
        per.map_or_else(String::new, |(unit, count)| format!(", {:.3} us a {unit}", seconds * 1e6 / count as f64));
    println!("{what:<44} {:8.1} ms processor{each} ({:.1} ms clock)", seconds * 1e3, clock * 1e3);
    Ok(value)
}

fn rows(root: &Path, requests: u64) -> Outcomes<()> {
    let store = Store::create_or_open_for_writing(root, "bench")?;
    let made =
        timed("making rows", Some(("row", requests)), || Ok((0..requests).map(|i| row(i, i)).collect::<Vec<_>>()))?;
    let mut shuffled = made.clone();
    shuffled.chunks_mut(8).for_each(<[Row]>::reverse);
    for (what, rows) in [("rows in order", made), ("rows reversed in groups of 8", shuffled)] {
        let mut sink = TraceSink::new(&store, requests)?;
        let object = timed(what, Some(("row", requests)), || {
            for row in rows {
                sink.push(row)?;
            }
            Ok(sink.finish()?)
        })?;
        println!("    {} bytes, {} compressed", object.bytes, object.compressed_bytes);
        timed("reading it back, checked", Some(("row", requests)), || {
            Ok(store.open_object(&object.digest)?.check()?)
        })?;
    }
    timed("verify", Some(("row", requests)), || Ok(matrix_traces::verify(&store, VerifyOptions::default())?))?;
    Ok(())
}

fn lookups(root: &Path, count: u64) -> Outcomes<()> {
    println!("{count} finished cells:");
    // Without syncs, so that making a store of many cells takes seconds.
    let store = WritableStore::open_with(root, "bench", Arc::new(UnsyncedFilesystem))?;
    let mut keys: Vec<CellKey> = Vec::new();
    for n in 0..count {
        let mut sink = TraceSink::new(&store, 1)?;
        let mut row = row(0, 0);
        row.client_sent_us = Some(n as i64);
        sink.push(row)?;
        let cell = cell(n, 1)?;
        store.write_record(&Record::new(&cell, Origin::default(), &sink.finish()?, false)?)?;
        keys.push(cell.key);
    }
    store.close()?;
    for what in ["lookup with the index", "again", "lookup without it"] {
        if what == "lookup without it" {
            std::fs::remove_file(root.join("index"))?;
        }
        let found = timed(what, Some(("cell", count)), || Ok(Store::open(root)?.lookup(&keys, &Origin::default())?))?;
        if !found.iter().all(matrix_store::Lookup::is_done) {
            return Err("a cell was not found".into());
        }
    }
    Ok(())
}

fn main() -> Outcomes<()> {
    let directory = tempfile::tempdir()?;
    rows(&directory.path().join("rows"), 1_000_000)?;
    for count in [10_000, 100_000] {
        lookups(&directory.path().join(count.to_string()), count)?;
    }
    Ok(())
}

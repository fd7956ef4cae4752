//! `matrix show` of a program's cell: its result, its attempts, and what they left.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

use matrix_command::results::notes_now;
use matrix_core::CellKey;
use matrix_core::printable::one_line;
use matrix_store::generic::Outputs;
use matrix_store::{GenericAttempt, GenericRecord, RowsRef, Store};
use serde::Serialize;

use crate::exit::{CommandResult, Exit, Failure};
use crate::output;

#[derive(Serialize)]
struct ShowJson<'a> {
    records: &'a [GenericRecord],
    attempts: &'a [GenericAttempt],
}

/// Shows a cell, if it is one of schema 2. `output` names something that it left, `stderr` for example.
pub(crate) fn show(
    store: &Store,
    key: &CellKey,
    output_name: Option<&str>,
    trace: bool,
    json: bool,
) -> Result<Option<Exit>, Failure> {
    let mut records = Vec::new();
    for origin in store.origins(key)? {
        records.extend(store.record::<GenericRecord>(key, &origin)?);
    }
    let mut attempts = Vec::new();
    for id in store.attempts()? {
        attempts.extend(store.attempt::<GenericAttempt>(&id)?.filter(|attempt| attempt.key == *key));
    }
    if records.is_empty() && attempts.is_empty() {
        return Ok(None);
    }
    if let Some(name) = output_name {
        return left(store, &attempts, name).map(Some);
    }
    if trace {
        for rows in records.iter().flat_map(|record| record.rows.values()) {
            print_object(store, &rows.sha256, rows.bytes)?;
        }
        return Ok(Some(Exit::Ok));
    }
    if json {
        output::json(&ShowJson { records: &records, attempts: &attempts })?;
        return Ok(Some(Exit::Ok));
    }
    let mut heads = BTreeMap::new();
    for (name, rows) in records.iter().flat_map(|record| &record.rows) {
        heads.insert(name.as_str(), columns_of(store, rows)?);
    }
    let columns = |source: &str| heads.get(source).cloned().unwrap_or_default();
    output::line(format_args!("cell {key}"))?;
    if records.is_empty() {
        output::line("no result")?;
    }
    for record in &records {
        output::line(format_args!("result by {}", record.origin))?;
        output::line(format_args!("  axes: {}", record.inputs["axes"]))?;
        output::line(format_args!("  round: {}", record.inputs["round"]))?;
        for (name, value) in &record.costs {
            output::line(format_args!("  {}: {value}", one_line(name)))?;
        }
        for (name, rows) in &record.rows {
            output::line(format_args!("  {}: {} rows", one_line(name), rows.rows))?;
        }
        outputs(&record.outputs)?;
    }
    for attempt in &attempts {
        let (started, ended) = (one_line(&attempt.started), one_line(&attempt.ended));
        output::line(format_args!("attempt {} ({started} to {ended})", attempt.id))?;
        for (name, note) in notes_now(attempt, &columns) {
            output::line(format_args!("  {}: {}", one_line(name), one_line(&note)))?;
        }
        if let Some(error) = &attempt.error {
            // Its last lines are the program's, and are not to pose as others.
            output::line(format_args!("  {}", error.replace('\n', "\n    ")))?;
            outputs(&attempt.outputs)?;
        }
    }
    Ok(Some(Exit::Ok))
}

fn outputs(outputs: &Outputs) -> Result<(), Failure> {
    for (name, kept) in outputs {
        let cut = kept.of.map(|of| format!(" of {of}")).unwrap_or_default();
        output::line(format_args!("  left {}: {}{cut} bytes", one_line(name), kept.bytes))?;
    }
    Ok(())
}

/// The columns of rows: their first line.
fn columns_of(store: &Store, rows: &RowsRef) -> Result<Vec<String>, Failure> {
    let object = store.open_object(&rows.sha256)?.with_max_bytes(rows.bytes);
    let mut head = String::new();
    BufReader::new(object).read_line(&mut head).map_err(matrix_store::StoreError::from_read)?;
    Ok(head.trim_end().split(',').map(|name| name.trim_matches('"').to_owned()).collect())
}

/// Prints what the last attempt left under a name.
fn left(store: &Store, attempts: &[GenericAttempt], name: &str) -> CommandResult {
    let Some(last) = attempts.last() else { return Ok(Exit::Ok) };
    match last.outputs.get(name) {
        Some(kept) => {
            print_object(store, &kept.sha256, kept.bytes)?;
            if let Some(of) = kept.of {
                output::note(format_args!("note: the first {} of {of} bytes were kept", kept.bytes));
            }
            Ok(Exit::Ok)
        }
        None if ["stdout", "stderr"].contains(&name) => Ok(Exit::Ok),
        None => {
            let known: Vec<_> = last.outputs.keys().map(|name| one_line(name)).collect();
            Err(Failure::usage(format!("the cell left no `{name}`"), format!("it left: {}", known.join(", "))))
        }
    }
}

fn print_object(store: &Store, digest: &matrix_store::Digest, bytes: u64) -> Result<(), Failure> {
    let mut object = store.open_object(digest)?.with_max_bytes(bytes);
    let mut chunk = vec![0; 64 << 10];
    loop {
        match object.read(&mut chunk).map_err(matrix_store::StoreError::from_read)? {
            0 => return Ok(()),
            count => output::bytes(&chunk[..count])?,
        }
    }
}

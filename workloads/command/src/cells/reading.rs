//! How the rows of an experiment are read, as a digest.

use matrix_core::key;
use matrix_store::Digest;
use serde_json::json;

use crate::file::{Column, Experiment, Source, TextLocation};

/// The digest of how the rows of an experiment are read: where it is another one, they are read again.
///
/// # Errors
/// When it has no JSON.
pub fn reading(experiment: &Experiment) -> Result<Digest, serde_json::Error> {
    let sources: Vec<serde_json::Value> = experiment.sources.iter().map(source_json).collect();
    Ok(Digest::of(&key::canonical(&sources)?))
}

fn source_json(source: &Source) -> serde_json::Value {
    let place = match &source.place {
        // The segments say the same as the text.
        TextLocation::Path(template) => format!("{:?}", template.segments()),
        TextLocation::Stdout => "stdout".to_owned(),
        TextLocation::Stderr => "stderr".to_owned(),
        TextLocation::Service(name) => format!("@{name}"),
    };
    let columns: Vec<serde_json::Value> = source.columns.iter().map(column_json).collect();
    json!({ "columns": columns, "format": source.format.name(), "name": source.name, "place": place })
}

fn column_json(column: &Column) -> serde_json::Value {
    let mut json = json!({
        "each": column.each,
        "match": column.pattern,
        "name": column.name,
        "optional": column.optional,
        "path": column.path,
        "pick": format!("{:?}", column.pick),
        "type": column.of.name(),
        "unit": column.unit,
    });
    // Only where it is so: the digests of other columns stay what they were.
    if column.counts {
        json["counts"] = true.into();
    }
    json
}

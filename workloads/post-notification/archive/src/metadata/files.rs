//! The files of a crate.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;

use matrix_bundle::bag::PAYLOAD;
use matrix_bundle::layout::BundlePath;
use matrix_store::{Digest, parallel};

use super::entity::{Entity, iri};
use super::label;
use crate::inventory::Inventory;

/// Files whose entities are rendered at a time.
const AT_A_TIME: usize = 4096;

/// The entity of each file, by name and in the order of the files, as JSON.
pub(super) fn each<'a>(
    inventory: &Inventory,
    files: &[(&'a str, u64)],
    mut then: impl FnMut(&str, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let labels: HashMap<Digest, &str> =
        inventory.records.values().map(|record| (record.object.sha256, label(record))).collect();
    let rendered = |(path, size): &(&'a str, u64)| -> io::Result<(Cow<'a, str>, Vec<u8>)> {
        let (name, format) = describe(path, &labels);
        let id = iri(path);
        let entity = Entity::new(&id, "File")
            .text("name", &name)
            .text("encodingFormat", format)
            .text("contentSize", &size.to_string());
        let file = serde_json::to_vec(&entity)?;
        Ok((id, file))
    };
    parallel::in_order(files, AT_A_TIME, rendered, |file| {
        let (id, file) = file?;
        then(&id, &file)
    })
}

/// What a file is called, and its media type.
fn describe(path: &str, labels: &HashMap<Digest, &str>) -> (String, &'static str) {
    let name = match BundlePath::of(&format!("{PAYLOAD}{path}")) {
        Some(BundlePath::Readme) => "What is in this bundle, and how to check it".to_owned(),
        Some(BundlePath::License) => "Licence".to_owned(),
        Some(BundlePath::Citation) => "How to cite".to_owned(),
        Some(BundlePath::Report) => "The results as one page".to_owned(),
        Some(BundlePath::Binary) => "The runner that made this bundle, as an executable".to_owned(),
        Some(BundlePath::Agents) => "Who the origins are".to_owned(),
        Some(BundlePath::LeftOut) => "Attempts that journals name and that were left out".to_owned(),
        Some(BundlePath::Cells) => "Cells and their results".to_owned(),
        Some(BundlePath::Experiment(_)) => "Experiment".to_owned(),
        Some(BundlePath::Plan(_)) => "Plan: the ordered cells of a run".to_owned(),
        Some(BundlePath::Model(_)) => "Model of the simulator".to_owned(),
        Some(BundlePath::Object(digest)) => {
            let label = labels.get(&digest).copied().unwrap_or("of no record");
            format!("Trace ({label}): one row for each planned request")
        }
        Some(BundlePath::Record(key, origin)) => format!("Result of cell {} from {origin}", key.short()),
        Some(BundlePath::Attempt(id)) => format!("Attempt {id}"),
        Some(BundlePath::Journal(run, _)) => format!("Journal of run {run}"),
        Some(BundlePath::Deriver) => "By which version of its rules the runner derived tables and figures".to_owned(),
        Some(BundlePath::Table(name)) => format!("Table {name}"),
        Some(BundlePath::Figure(name)) => format!("Figure {name}"),
        Some(BundlePath::Source(_, name)) => format!("Source of the runner: {name}"),
        Some(BundlePath::Metadata | BundlePath::Output(_)) | None => path.to_owned(),
    };
    let format = match path.rsplit_once('.').map(|(_, end)| end) {
        Some("csv") => "text/csv",
        Some("json") => "application/json",
        Some("jsonl") => "application/jsonl",
        Some("md") => "text/markdown",
        Some("toml") => "application/toml",
        Some("cff" | "yaml" | "yml") => "application/yaml",
        Some("html") => "text/html",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ if path == "bin/matrix" => "application/x-executable",
        _ => "text/plain",
    };
    (name, format)
}

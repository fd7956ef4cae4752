//! `ro-crate-metadata.json`: the bundle as others' tools read it, RO-Crate 1.1 with the profile Process Run Crate 0.5.
//!
//! It follows from the inventory and the list of files alone, so that a reader can make it again and compare.

mod actions;
mod entity;
mod files;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, Write};

use actions::Actions;
use entity::{Entity, Names, many, refs};
use matrix_bundle::bag::PAYLOAD;
use matrix_plan::ConfiguredLag;
use matrix_store::parallel;

use crate::inventory::{Facts, Inventory};

/// The file itself, in the crate.
const DESCRIPTOR: &str = "ro-crate-metadata.json";

const CONTEXT: &str = "https://w3id.org/ro/crate/1.1/context";
const RO_CRATE: &str = "https://w3id.org/ro/crate/1.1";
const PROFILE: &str = "https://w3id.org/ro/wfrun/process/0.5";

/// Files as the metadata lists them: by path in the crate, with their sizes, of all files of a payload by path in the bag, in order.
pub(crate) fn files<'a>(payload: impl Iterator<Item = (&'a str, u64)>) -> Vec<(&'a str, u64)> {
    let in_crate = payload.filter_map(|(path, size)| Some((path.strip_prefix(PAYLOAD)?, size)));
    in_crate.filter(|(path, _)| *path != DESCRIPTOR).collect()
}

/// Renders the metadata. `files` are the payload's other files, see [`files`]. Entities stand in the order of their names, and
/// few are held at a time: there are several for each cell.
pub(crate) fn render(
    inventory: &Inventory,
    facts: &Facts,
    files: &[(&str, u64)],
    out: &mut (impl Write + ?Sized),
) -> io::Result<()> {
    let (actions, begun) = parallel::beside(
        || Actions::new(inventory, facts, files),
        || {
            let descriptor = Entity::new(DESCRIPTOR, "CreativeWork")
                .value("about", refs(["./"]))
                .value("conformsTo", refs([RO_CRATE]));
            writeln!(out, "{{\"@context\":\"{CONTEXT}\",\"@graph\":[")?;
            serde_json::to_writer(&mut *out, &descriptor)?;
            out.write_all(b",\n")?;
            serde_json::to_writer(
                &mut *out,
                &root(inventory, facts, &Files(files), &actions::Ids { inventory, facts }),
            )?;
            io::Result::Ok(())
        },
    );
    begun?;
    let mut write = |entity: &[u8]| -> io::Result<()> {
        out.write_all(b",\n")?;
        out.write_all(entity)
    };
    // Names of agents come before those of actions, and these before those of all that actions refer to besides.
    actions.agents().into_values().try_for_each(|agent| write(&serde_json::to_vec(&agent)?))?;
    let mut others = actions.each(&mut write)?;
    let profile = Entity::new(PROFILE, "CreativeWork").text("name", "Process Run Crate").text("version", "0.5");
    others.insert(PROFILE.to_owned(), profile);
    // Names of files and of all others are different, and each sort is in order.
    let mut others = others.into_iter().peekable();
    files::each(inventory, files, |id, entity| {
        while let Some((_, other)) = others.next_if(|(other, _)| other.as_str() < id) {
            write(&serde_json::to_vec(&other)?)?;
        }
        write(entity)
    })?;
    others.try_for_each(|(_, other)| write(&serde_json::to_vec(&other)?))?;
    out.write_all(b"\n]}\n")
}

/// Files by name.
#[derive(Debug)]
struct Files<'a>(&'a [(&'a str, u64)]);

impl Names for Files<'_> {
    fn names(&self) -> Box<dyn Iterator<Item = Cow<'_, str>> + '_> {
        Box::new(self.0.iter().map(|(path, _)| entity::iri(path)))
    }
}

fn root<'a>(inventory: &Inventory, facts: &Facts, files: &'a dyn Names, actions: &'a dyn Names) -> Entity<'a> {
    let names: Vec<&str> = facts.experiments.iter().map(String::as_str).collect();
    let name = if names.is_empty() { "matrix".to_owned() } else { names.join(", ") };
    let tally = &facts.tally;
    let planned = tally.planned();
    let state = if tally.done == planned {
        format!("complete: {planned} of {planned} planned cells are done")
    } else {
        format!(
            "incomplete: {} of {planned} planned cells are done, {} partial, {} failed, {} skipped, {} pending",
            tally.done, tally.partial, tally.failed, tally.skipped, tally.pending
        )
    };
    let how = how(inventory);
    Entity::new("./", "Dataset")
        .value("conformsTo", refs([PROFILE]))
        .text("name", &format!("Results of {name}"))
        .text("description", &format!("Traces, records, tables and figures of a consistency experiment ({how})."))
        .text("datePublished", &facts.date)
        .text("creativeWorkStatus", &state)
        .value("license", refs(["LICENSE"]))
        .value("hasPart", many(files))
        .value("mentions", many(actions))
}

/// How the results came to be: simulated says simulated, configured lag says configured.
pub(crate) fn how(inventory: &Inventory) -> String {
    let kinds: BTreeSet<&str> = inventory.records.values().map(label).collect();
    if kinds.is_empty() { "no results".to_owned() } else { kinds.into_iter().collect::<Vec<_>>().join("; ") }
}

/// How one result came to be.
fn label(record: &matrix_traces::Record) -> &'static str {
    match (record.simulated, record.configured_lag, ConfiguredLag::of(&record.inputs).notification) {
        (true, ..) => "simulated",
        (_, true, true) => "measured, with configured replication lag of posts and of notifications",
        (_, true, false) => "measured, with configured replication lag of posts",
        (_, false, true) => "measured, with configured replication lag of notifications",
        (_, false, false) => "measured",
    }
}

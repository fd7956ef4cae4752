//! Cells: a point in a round, and the key that says what its result means.

mod here;
mod meaning;
mod reading;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use matrix_core::CellKey;
use matrix_core::placeholder::{Segment, Template};
use matrix_core::{Point, Value, key, order};

pub use self::here::{Here, folder_of};
use self::meaning::{meaning, meaning_of_text};
pub use self::reading::reading;
use crate::file::{Experiment, Service};
use crate::inputs::{Digests, InputError, InputFile};

/// A point in a round.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The digest of its inputs.
    pub key: CellKey,
    /// Its values.
    pub point: Point,
    /// Its round, from 1.
    pub round: u32,
    /// Number of its block, from 0 in the order of running.
    pub block: u32,
    /// What `{seed}` stands for.
    pub seed: u32,
    /// Everything that gives it its meaning.
    pub inputs: serde_json::Value,
}

/// Why cells could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CellError {
    /// A file that is part of keys.
    #[error(transparent)]
    Input(#[from] InputError),
    /// An argument list that has no program.
    #[error("`{list}` has no program for {point}: its `args` are empty")]
    NoProgram {
        /// Which list.
        list: &'static str,
        /// For which point.
        point: String,
    },
    /// A number that has no JSON.
    #[error("the inputs of a cell have no JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Every cell of an experiment, in the order in which they run.
///
/// # Errors
/// When a file that is part of a key cannot be read, or a pattern of such files matches nothing.
pub fn cells(experiment: &Experiment, here: &Here, digests: &mut Digests) -> Result<Vec<Cell>, CellError> {
    arranged(experiment, &mut |point| meaning(experiment, here, digests, point))
}

/// Every cell as the experiment's text alone says it, without the files and products that are part of its key: for comparing it with
/// a result's [`text_key`].
///
/// # Errors
/// When an argument list has no program.
pub fn cells_of_text(experiment: &Experiment) -> Result<Vec<Cell>, CellError> {
    arranged(experiment, &mut |point| meaning_of_text(experiment, point))
}

/// The key that a result's inputs have without files and products.
///
/// # Errors
/// When they have no canonical JSON.
pub fn text_key(inputs: &serde_json::Value) -> Result<CellKey, serde_json::Error> {
    let mut inputs = inputs.clone();
    if let Some(files) = inputs.pointer_mut("/command/inputs") {
        *files = serde_json::json!({});
    }
    if let Some(inputs) = inputs.as_object_mut() {
        inputs.remove("prepared");
    }
    key::key_of(&inputs)
}

fn arranged(
    experiment: &Experiment,
    meaning: &mut dyn FnMut(&Point) -> Result<serde_json::Value, CellError>,
) -> Result<Vec<Cell>, CellError> {
    let placed =
        order::arrange(experiment.seed, &experiment.axes, &experiment.design, &experiment.points, experiment.rounds);
    let seeded = uses_seed(experiment);
    // What a point means besides round and seed, once for all rounds.
    let mut meanings: BTreeMap<Point, serde_json::Value> = BTreeMap::new();
    let mut cells = Vec::with_capacity(placed.len());
    for order::Placed { block, point, round } in placed {
        let meaning = match meanings.get(&point) {
            Some(meaning) => meaning.clone(),
            None => {
                let meaning = meaning(&point)?;
                meanings.insert(point.clone(), meaning.clone());
                meaning
            }
        };
        let seed = order::run_seed(experiment.seed, &experiment.axes, &experiment.design, &point, round);
        let mut inputs = meaning;
        inputs["round"] = round.into();
        inputs["seed"] = experiment.seed.to_string().into();
        if seeded {
            inputs["run_seed"] = seed.into();
        }
        cells.push(Cell { key: key::key_of(&inputs)?, point, round, block, seed, inputs });
    }
    Ok(cells)
}

/// The services that a point needs, in the order of the file.
pub fn services_of<'e>(experiment: &'e Experiment, point: &[Value]) -> impl Iterator<Item = &'e Service> {
    let needed =
        |service: &&Service| service.only.as_ref().is_none_or(|filter| filter.matches(&|axis| point.get(axis)));
    let services: Vec<&Service> = experiment.command.services.iter().filter(needed).collect();
    services.into_iter()
}

/// The files that are part of a point's key.
///
/// # Errors
/// When one cannot be read, or a pattern matches nothing.
pub fn input_files(
    experiment: &Experiment,
    here: &Here,
    digests: &mut Digests,
    point: &[Value],
) -> Result<Vec<InputFile>, InputError> {
    let dir = here.dir(experiment, point);
    let mut files = Vec::new();
    for template in &experiment.command.inputs {
        files.extend(digests.files(&dir, &template.symbolic(point))?);
    }
    Ok(files)
}

/// An argument list as it stands in a key.
pub(crate) fn symbolic(experiment: &Experiment, point: &[Value], templates: &[Template]) -> Vec<String> {
    flat(experiment, point, templates).iter().map(|template| template.symbolic(point)).collect()
}

/// An argument list with the arguments of axes in their places.
#[must_use]
pub fn flat<'e>(experiment: &'e Experiment, point: &[Value], templates: &'e [Template]) -> Vec<&'e Template> {
    let mut found = Vec::new();
    for template in templates {
        match template.args_of() {
            Some(axis) => {
                let value = point.get(axis).map(ToString::to_string).unwrap_or_default();
                found.extend(experiment.args.get(&(axis, value)).into_iter().flatten());
            }
            None => found.push(template),
        }
    }
    found
}

fn uses_seed(experiment: &Experiment) -> bool {
    let command = &experiment.command;
    let lists = command.setup.iter().chain(&command.teardown).flatten().chain(&command.run).chain(command.env.values());
    let services = command.services.iter().flat_map(|service| service.run.iter().chain(service.env.values()));
    let args = experiment.args.values().flatten();
    lists.chain(services).chain(args).any(|template| template.segments().contains(&Segment::Seed))
}

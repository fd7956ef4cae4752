//! From what the user typed to what it means: the experiment, its model and its cells.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::Path;

use matrix_app::WORKLOAD_VERSION;
use matrix_core::FigureSpec;
use matrix_core::read::Reading;
use matrix_plan::order::Placed;
use matrix_plan::{
    Cell, Combination, Experiment, Filter, Fingerprint, Part, Platform, Problem, Shard, cell_experiment, order,
};
use matrix_sim::Model;
use matrix_store::{RunDocuments, parallel};

use crate::error::{FailureKind, RunError};
use crate::{text, wording};

/// What names a model that is part of the program.
const BUILTIN: &str = "builtin:";

/// What changes an experiment without editing its file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Values to set, each as `key=value` with the key's path, for example `barrier.deadline_ms=5000`.
    pub set: Vec<String>,
    /// The platform to run on, where it is not the file's.
    pub platform: Option<String>,
}

/// An experiment, ready to be planned.
pub struct Input {
    /// What the text is called: its file, a run's, or a flag.
    pub name: String,
    /// The experiment's text, with the overrides in it.
    pub text: String,
    /// What the text says.
    pub experiment: Experiment,
    /// The figures that it declares beside the presets; none in schema 1.
    pub figures: Vec<FigureSpec>,
    /// The simulator's model and its text, where the experiment is simulated.
    pub model: Option<(Model, String)>,
    /// The cells in the order in which they run, each with the number of its block.
    pub cells: Vec<(u32, Cell)>,
}

impl Input {
    /// Reads an experiment's file.
    pub fn from_file(file: &Path, overrides: &Overrides) -> Result<Self, RunError> {
        let name = wording::path(file);
        let text = text::read(file, || instead_of(file))?;
        let text = apply(&name, text, overrides)?;
        let experiment = parse(&name, &text)?;
        let model = model_of(&name, &text, &experiment, file.parent().unwrap_or(Path::new("")))?;
        Self::new(name, text, experiment, model, Reading::Given)
    }

    /// The experiment that a command names: a file, or the flags of one combination.
    pub fn named(file: Option<&Path>, flags: Option<&str>, overrides: &Overrides) -> Result<Self, RunError> {
        match (file, flags) {
            (Some(file), _) => Self::from_file(file, overrides),
            (None, Some(flags)) => Self::from_flags(flags, overrides),
            (None, None) => Err(RunError::usage("there is nothing to run", "name an experiment: matrix run FILE")),
        }
    }

    /// Makes an experiment from the flags of one combination.
    fn from_flags(flags: &str, overrides: &Overrides) -> Result<Self, RunError> {
        let name = "--cell".to_owned();
        let text = cell_experiment(flags).map_err(|problems| RunError::in_text(&name, flags, problems))?;
        let text = apply(&name, text, overrides)?;
        let experiment = parse(&name, &text)?;
        let model = model_of(&name, &text, &experiment, Path::new(""))?;
        Self::new(name, text, experiment, model, Reading::Given)
    }

    /// Reads the experiment that a run saved, whatever has happened to the file since.
    pub fn from_run(run: &RunDocuments) -> Result<Self, RunError> {
        let name = format!("experiment.toml of run {}", run.id());
        let text = text_of(&name, run.experiment()?)?;
        let experiment =
            Experiment::parse_saved(&text).map_err(|problems| RunError::in_text(&name, &text, problems))?;
        let model = match run.model()? {
            Some(bytes) if experiment.platform == Platform::Sim => {
                let name = format!("model.toml of run {}", run.id());
                let text = text_of(&name, bytes)?;
                Some((parse_model(&name, &text)?, text))
            }
            _ => None,
        };
        Self::new(name, text, experiment, model, Reading::Saved)
    }

    /// An experiment that is in no file: its model is a built-in one, or one relative to the directory in which the program runs.
    ///
    /// # Errors
    /// A text that cannot be read as an experiment, or a model that cannot be read.
    pub fn from_text(text: &str) -> Result<Self, RunError> {
        let name = "the experiment".to_owned();
        let experiment = parse(&name, text)?;
        let model = model_of(&name, text, &experiment, Path::new(""))?;
        Self::new(name, text.to_owned(), experiment, model, Reading::Given)
    }

    fn new(
        name: String,
        text: String,
        experiment: Experiment,
        model: Option<(Model, String)>,
        reading: Reading,
    ) -> Result<Self, RunError> {
        let figures = matrix_analysis::declared::figures(&experiment, &text, reading)
            .map_err(|problems| RunError::in_text(&name, &text, problems))?;
        let mut fingerprints: BTreeMap<Combination, Fingerprint> = BTreeMap::new();
        let placed = order::arrange(experiment.seed, experiment.cells());
        for combination in placed.iter().map(|placed| &placed.spec.axes.combination) {
            if !fingerprints.contains_key(combination) {
                let fingerprint = fingerprint(&experiment, model.as_ref().map(|(model, _)| model), combination)?;
                fingerprints.insert(combination.clone(), fingerprint);
            }
        }
        let cells = keyed(placed, &fingerprints)?;
        Ok(Self { name, text, experiment, figures, model, cells })
    }

    /// The part of it that a filter and a shard leave.
    ///
    /// # Errors
    /// A filter that cannot be read, or that matches no cell; a shard without a block.
    pub fn part(&self, filter: Option<&str>, shard: Option<Shard>) -> Result<Part, RunError> {
        let part = Part { filter: self.filter(filter)?, shard };
        let Some(shard) = shard else { return Ok(part) };
        let selected = self.cells.iter().filter(|(_, cell)| part.selects(cell));
        let blocks: BTreeSet<u32> = selected.map(|(block, _)| *block).collect();
        if shard.places(u32::try_from(blocks.len()).unwrap_or(u32::MAX)).is_empty() {
            return Err(RunError::usage(
                format!("shard {shard} is empty: there are {} blocks to divide", blocks.len()),
                "cells that differ only in the treatment are one block, which is not divided: take fewer shards",
            ));
        }
        Ok(part)
    }

    /// Reads a filter, where there is one, and makes sure that it leaves something.
    ///
    /// # Errors
    /// A filter that cannot be read, or that matches no cell.
    pub fn filter(&self, text: Option<&str>) -> Result<Option<Filter>, RunError> {
        let Some(text) = text else { return Ok(None) };
        let filter = Filter::parse(text, &self.experiment.regions)
            .map_err(|problems| RunError::in_text("--filter", text, problems))?;
        if self.cells.iter().any(|(_, cell)| filter.matches(cell.axes(), cell.inputs.round)) {
            return Ok(Some(filter));
        }
        let problem = Problem::new(format!("the filter matches none of the {} cells", self.cells.len()))
            .at(0..text.len())
            .label("matches nothing")
            .help("`matrix plan FILE` lists the cells");
        Err(RunError::in_text("--filter", text, problem.into()))
    }
}

/// Cells with their keys, each a digest of about a kilobyte: several threads compute them.
fn keyed(placed: Vec<Placed>, fingerprints: &BTreeMap<Combination, Fingerprint>) -> Result<Vec<(u32, Cell)>, RunError> {
    let internal = |what: String| RunError::new(FailureKind::Internal, what);
    let cell = |Placed { block, spec }: Placed| {
        let fingerprint = fingerprints.get(&spec.axes.combination).cloned();
        let fingerprint = fingerprint.ok_or_else(|| internal("a combination has no fingerprint".to_owned()))?;
        let cell = spec.with_fingerprint(fingerprint, WORKLOAD_VERSION);
        Ok((block, cell.map_err(|error| internal(error.to_string()))?))
    };
    parallel::each(placed, cell).into_iter().collect()
}

/// The experiment of a file, by itself: for those who ask what it needs, and not what its cells are.
pub fn experiment_of(file: &Path) -> Result<Experiment, RunError> {
    let text = text::read(file, || instead_of(file))?;
    parse(&wording::path(file), &text)
}

fn fingerprint(
    experiment: &Experiment,
    model: Option<&Model>,
    combination: &Combination,
) -> Result<Fingerprint, RunError> {
    match (experiment.platform, model) {
        (Platform::Sim, Some(model)) => {
            let help = "docs/model-file.md says what a model needs to know of a region pair";
            model.fingerprint(combination).map_err(|error| RunError::usage(error.to_string(), help))
        }
        (Platform::Sim, None) => Err(RunError::new(FailureKind::Integrity, "the run saved no model")),
        (Platform::Local, _) => {
            let fingerprint = experiment.local.fingerprint(combination);
            fingerprint.map_err(|error| RunError::usage(error.to_string(), "see [local] in docs/guide.md"))
        }
        (Platform::Aws, _) => {
            let fingerprint = experiment.aws.fingerprint(combination, &experiment.regions);
            fingerprint.map_err(|error| RunError::usage(error.to_string(), "see [regions] in docs/guide.md"))
        }
    }
}

fn text_of(name: &str, bytes: Vec<u8>) -> Result<String, RunError> {
    String::from_utf8(bytes).map_err(|error| RunError::new(FailureKind::Integrity, format!("{name}: {error}")))
}

/// What to name instead of an experiment's file that cannot be read.
fn instead_of(file: &Path) -> String {
    let init = || "`matrix init` writes an experiment to start from".to_owned();
    if file.exists() {
        return init();
    }
    let Some(name) = file.file_name() else { return init() };
    let there = Path::new("experiments").join(name);
    if there.is_file() {
        return format!("there is one in experiments/: name {}", wording::word(&there));
    }
    let folder = file.parent().unwrap_or(Path::new(""));
    let place = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let names: Vec<String> = std::fs::read_dir(place)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| Path::new(name).extension() == Some(OsStr::new("toml")))
        .collect();
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    match name.to_str().and_then(|name| matrix_plan::nearest(name, &known)) {
        Some(near) => format!("did you mean {}?", wording::word(&folder.join(near))),
        None => init(),
    }
}

fn parse(name: &str, text: &str) -> Result<Experiment, RunError> {
    Experiment::parse(text).map_err(|problems| RunError::in_text(name, text, problems))
}

/// The model that a simulated experiment names; `folder` is the experiment's.
fn model_of(
    name: &str,
    text: &str,
    experiment: &Experiment,
    folder: &Path,
) -> Result<Option<(Model, String)>, RunError> {
    if experiment.platform != Platform::Sim {
        return Ok(None);
    }
    let model = OsStr::new(&experiment.sim.model);
    model_from(model, folder, |message, help| RunError::named_file((name, text), ("sim", "model"), message, help))
        .map(Some)
}

/// Reads a model: a built-in one, or a file relative to `folder`.
pub fn read_model(name: &OsStr, folder: &Path) -> Result<(Model, String), RunError> {
    model_from(name, folder, |message, help| RunError::usage(message, help))
}

/// The same. `missing` makes the failure where there is none: of what to say, and what to do.
fn model_from(
    name: &OsStr,
    folder: &Path,
    missing: impl FnOnce(String, &str) -> RunError,
) -> Result<(Model, String), RunError> {
    if let Some(builtin) = name.to_str().and_then(|name| name.strip_prefix(BUILTIN)) {
        let known = format!("the built-in model is {BUILTIN}aws-2021");
        let model = Model::builtin(builtin).map_err(|error| missing(error.to_string(), &known))?;
        return Ok((model, Model::BUILTIN_TEXT.to_owned()));
    }
    let path = folder.join(name);
    let help = "a model's path is relative to the experiment's file; `builtin:aws-2021` is always there";
    let name = wording::path(&path);
    let bytes = std::fs::read(&path).map_err(|error| missing(format!("{name}: {error}"), help))?;
    let text = text::decode(&name, bytes)?;
    Ok((parse_model(&name, &text)?, text))
}

fn parse_model(name: &str, text: &str) -> Result<Model, RunError> {
    Model::parse(text).map_err(|error| {
        let problem = error.problem().cloned().unwrap_or_else(|| Problem::new(error.to_string()));
        RunError::in_text(name, text, problem.into())
    })
}

/// Applies `--set` and `--platform` to an experiment's text, so that what is saved is what is run.
///
/// # Errors
/// When what is to be set has no key, or one that leads through something else than tables.
pub fn apply(name: &str, text: String, overrides: &Overrides) -> Result<String, RunError> {
    if overrides.set.is_empty() && overrides.platform.is_none() {
        return Ok(text);
    }
    // A text that is no TOML is reported by the experiment's own parser, with its place.
    let Ok(mut document) = text.parse::<toml_edit::DocumentMut>() else { return Ok(text) };
    for set in &overrides.set {
        let bad =
            |why: &str| RunError::usage(format!("--set {set}: {why}"), "write --set key=value, as in requests=100");
        let (path, value) = set.split_once('=').ok_or_else(|| bad("there is no `=`"))?;
        let value = value.trim().parse::<toml_edit::Value>().unwrap_or_else(|_| value.trim().into());
        let mut keys: Vec<&str> = path.split('.').map(str::trim).collect();
        let last = keys.pop().filter(|key| !key.is_empty()).ok_or_else(|| bad("there is no key"))?;
        let mut table = document.as_table_mut() as &mut dyn toml_edit::TableLike;
        for key in keys {
            let item = table.entry(key).or_insert(toml_edit::table());
            table = item.as_table_like_mut().ok_or_else(|| bad(&format!("`{key}` of {name} is no table")))?;
        }
        if let ("rate", Some(_)) = (last, table.get("concurrency")) {
            table.remove("concurrency");
        }
        table.insert(last, toml_edit::Item::Value(value));
    }
    if let Some(platform) = &overrides.platform {
        document.insert("platform", toml_edit::value(platform));
    }
    Ok(document.to_string())
}

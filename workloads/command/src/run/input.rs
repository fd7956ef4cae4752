//! From a file to an experiment that is ready to be planned.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use matrix_core::read::Reading;
use matrix_core::{Point, Problem, Problems};
use matrix_driver::Cancel;
use toml::de::{DeTable, DeValue};

use crate::cells::{self, Cell, CellError, Here, folder_of};
use crate::file::{Experiment, Site, parse_site};
use crate::inputs::Digests;
use crate::prepare::{self, MakeError, Maker};
use crate::supervise::Supervisors;

/// An experiment, ready to be planned.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its text, with everything in it that was set.
    pub text: String,
    /// What the text says.
    pub experiment: Experiment,
    /// This machine.
    pub here: Here,
    /// The file that says what is this machine's, over the experiment's `[site]`.
    pub site: Option<PathBuf>,
    /// The cells in the order in which they run.
    pub cells: Vec<Cell>,
}

/// Why there is no experiment to plan.
#[derive(Debug)]
pub enum InputFailure {
    /// A text has mistakes: its name, itself, and what is wrong with it.
    Text(String, String, Problems),
    /// Files that are part of keys.
    Cells(CellError),
    /// A file cannot be read.
    Read(PathBuf, std::io::Error),
}

impl Input {
    /// The experiment of a text that stood in `folder`; `name` is for messages. With the site's own values, if there is
    /// a file of them.
    ///
    /// # Errors
    /// What is wrong with the text or the site's, or the files that it names.
    pub fn new(name: &str, text: String, folder: &Path, site: Option<&Path>) -> Result<Self, InputFailure> {
        Self::in_folder(name, Self::without_files(name, text, Reading::Given)?, folder, site)
    }

    fn in_folder(
        name: &str,
        (text, experiment): (String, Experiment),
        folder: &Path,
        site: Option<&Path>,
    ) -> Result<Self, InputFailure> {
        let mut here = Here { folder: folder.to_owned(), ..Here::default() };
        for site in std::iter::once(experiment.site.clone())
            .chain(site.map(|file| site_of(file, &experiment.site)).transpose()?)
        {
            here.site.extend(site.values);
            here.hosts.extend(site.hosts.into_iter().filter_map(|(name, host)| Some((name, host?))));
        }
        let mut digests = Digests::with_cache();
        let fail = |error: CellError| match in_text(&text, &error) {
            Some(problem) => InputFailure::Text(name.to_owned(), text.clone(), problem.into()),
            None => InputFailure::Cells(error),
        };
        prepare::look(&experiment, &mut here, &mut digests).map_err(|error| fail(error.into()))?;
        let cells = cells::cells(&experiment, &here, &mut digests).map_err(fail)?;
        digests.save();
        Ok(Self { text, experiment, here, site: site.map(Path::to_owned), cells })
    }

    /// Makes what `[[prepare]]` declares and these points use, and gives the cells the keys that follow. What could not
    /// be made, and why, by the points that use it.
    ///
    /// # Errors
    /// When a stop was asked for, or files that are part of keys cannot be read.
    pub fn prepare(
        &mut self,
        points: &BTreeSet<Point>,
        cancel: &Cancel,
        say: &dyn Fn(&str),
    ) -> Result<BTreeMap<Point, String>, MakeError> {
        if self.experiment.prepares.is_empty() {
            return Ok(BTreeMap::new());
        }
        let supervisors = Supervisors::new().map_err(|error| MakeError::Failed(error.to_string()))?;
        let mut digests = Digests::with_cache();
        let maker = Maker { experiment: &self.experiment, supervisors: &supervisors, cancel, say };
        let failed = maker.make(&mut self.here, &mut digests, points);
        digests.save();
        let failed = failed?;
        self.cells = cells::cells(&self.experiment, &self.here, &mut digests)?;
        Ok(failed)
    }

    /// The values and the round of a cell, by which plans know it when its key is another one now.
    #[must_use]
    pub fn place(&self, cell: &Cell) -> (String, u32) {
        Self::place_in(&self.experiment, cell)
    }

    /// The same of a cell of any experiment.
    #[must_use]
    pub fn place_in(experiment: &Experiment, cell: &Cell) -> (String, u32) {
        (serde_json::Value::Object(experiment.axes.to_json(&cell.point)).to_string(), cell.round)
    }

    /// The experiment of a text alone, without the files that give its cells their keys: for reading results that are
    /// found by their axes.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn without_files(name: &str, text: String, reading: Reading) -> Result<(String, Experiment), InputFailure> {
        match Experiment::read(&text, reading) {
            Ok(experiment) => Ok((text, experiment)),
            Err(problems) => Err(InputFailure::Text(name.to_owned(), text, problems)),
        }
    }

    /// The experiment of a file, or one that a run saved and whose file this was.
    ///
    /// # Errors
    /// As for [`new`](Self::new), and when the file cannot be read.
    pub fn from_file(file: &Path, text: String, site: Option<&Path>, reading: Reading) -> Result<Self, InputFailure> {
        let name = file.display().to_string();
        Self::in_folder(&name, Self::without_files(&name, text, reading)?, &folder_of(file), site)
    }
}

/// A mistake in `inputs`, at its place in the experiment's text.
fn in_text(text: &str, error: &CellError) -> Option<Problem> {
    let CellError::Input(input) = error else { return None };
    let pattern = input.pattern()?;
    let (document, _) = DeTable::parse_recoverable(text);
    let root = document.get_ref();
    let prepares = match root.get("prepare").map(|prepares| prepares.get_ref()) {
        Some(DeValue::Array(prepares)) => prepares.iter().collect(),
        _ => Vec::new(),
    };
    let lists = root.get("command").into_iter().chain(prepares).filter_map(|table| match table.get_ref() {
        DeValue::Table(table) => match table.get("inputs")?.get_ref() {
            DeValue::Array(items) => Some(items),
            _ => None,
        },
        _ => None,
    });
    let items: Vec<_> = lists.flatten().filter_map(|item| Some((item.get_ref().as_str()?, item.span()))).collect();
    // With placeholders, it stands there in another form.
    let written = items.iter().find(|(text, _)| *text == pattern);
    let (_, place) = written.or_else(|| items.iter().find(|(text, _)| text.contains('{')))?;
    let help = "`inputs` are files below `dir` that are part of every cell's key";
    Some(Problem::new(error.to_string()).at(place.clone()).label("here").help(help))
}

/// The values of a site's file; one that the experiment does not know is a mistake.
fn site_of(file: &Path, known: &Site) -> Result<Site, InputFailure> {
    let text = std::fs::read_to_string(file).map_err(|error| InputFailure::Read(file.to_owned(), error))?;
    let fail = |problems| InputFailure::Text(file.display().to_string(), text.clone(), problems);
    let found = parse_site(&text).map_err(fail)?;
    let names: Vec<&str> =
        known.values.keys().map(String::as_str).chain(["scratch", "prepared", "ssh_config"]).collect();
    let hosts: Vec<&str> = known.hosts.keys().map(String::as_str).collect();
    let value = found.values.keys().find(|name| !names.contains(&name.as_str()));
    let host = found.hosts.keys().find(|name| !hosts.contains(&name.as_str()));
    let problem = match (value, host) {
        (Some(name), _) => {
            Problem::new(format!("the experiment's [site] has no `{name}`")).unknown(name, "known", &names)
        }
        (None, Some(name)) => {
            Problem::new(format!("`hosts` of the experiment's [site] has no `{name}`")).unknown(name, "known", &hosts)
        }
        (None, None) => return Ok(found),
    };
    Err(fail(problem.into()))
}

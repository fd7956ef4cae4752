//! Cells: a point in a round, and the key that says what its result means.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use matrix_core::CellKey;
use matrix_core::placeholder::{Segment, Template};
use matrix_core::{Point, Value, key, order};
use matrix_store::Digest;
use serde_json::json;

use crate::file::{Column, Experiment, Ready, Service, Source, Stop, TextLocation};
use crate::inputs::{Digests, InputError, InputFile};
use crate::prepare::{Product, Products};
use crate::remote::Destination;

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

/// What is needed to say what templates stand for on this machine.
#[derive(Clone, Debug, Default)]
pub struct Here {
    /// The folder of the experiment's file.
    pub folder: PathBuf,
    /// What is this machine's.
    pub site: BTreeMap<String, String>,
    /// Where other hosts are, by the names that services know them by.
    pub hosts: BTreeMap<String, Destination>,
    /// Those of them that are nobody else's while this process runs.
    pub own_hosts: BTreeSet<String>,
    /// What machines those are that were tried, in words.
    pub machines: BTreeMap<String, String>,
    /// What `[[prepare]]` has made here.
    pub products: Products,
}

impl Here {
    /// What a placeholder stands for that belongs to the machine.
    #[must_use]
    pub fn text(&self, segment: &Segment) -> Option<String> {
        match segment {
            Segment::Experiment => Some(self.folder.display().to_string()),
            Segment::Site(name) => self
                .site
                .get(name)
                .cloned()
                .or_else(|| (name == "scratch").then(|| std::env::temp_dir().display().to_string())),
            _ => None,
        }
    }

    /// The same for a point: what was prepared may be another for each.
    #[must_use]
    pub fn text_for(&self, experiment: &Experiment, point: &[Value], segment: &Segment) -> Option<String> {
        match segment {
            Segment::Prepared(Some(name)) => {
                let number = experiment.prepares.iter().position(|prepare| prepare.name == *name)?;
                Some(self.products.of(experiment, number, point)?.dir.display().to_string())
            }
            other => self.text(other),
        }
    }

    /// The address of the host that a service runs on.
    #[must_use]
    pub fn address(&self, experiment: &Experiment, service: &str) -> String {
        let service = experiment.command.services.iter().find(|known| known.name == service);
        let host = service.and_then(|service| self.hosts.get(service.on.as_ref()?));
        host.map_or_else(|| std::net::Ipv4Addr::LOCALHOST.to_string(), |host| host.address.clone())
    }

    /// The folder that the program runs in.
    #[must_use]
    pub fn dir(&self, experiment: &Experiment, point: &[Value]) -> PathBuf {
        let rest = |segment: &Segment| {
            Ok::<_, std::convert::Infallible>(self.text_for(experiment, point, segment).unwrap_or_default())
        };
        match experiment.command.dir.render(point, &rest) {
            Ok(dir) => self.folder.join(dir),
            Err(never) => match never {},
        }
    }
}

/// Every cell of an experiment, in the order in which they run.
///
/// # Errors
/// When a file that is part of a key cannot be read, or a pattern of such files matches nothing.
pub fn cells(experiment: &Experiment, here: &Here, digests: &mut Digests) -> Result<Vec<Cell>, CellError> {
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
                let meaning = meaning(experiment, here, digests, &point)?;
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

/// Everything that gives a point its meaning, but for round and seed.
fn meaning(
    experiment: &Experiment,
    here: &Here,
    digests: &mut Digests,
    point: &Point,
) -> Result<serde_json::Value, CellError> {
    let command = &experiment.command;
    let list = |name: &'static str, templates: &[Template]| {
        let arguments = symbolic(experiment, point, templates);
        if arguments.is_empty() {
            return Err(CellError::NoProgram { list: name, point: experiment.axes.show(point) });
        }
        Ok(arguments)
    };
    let lists = |name: &'static str, lists: &[Vec<Template>]| {
        lists.iter().map(|templates| list(name, templates)).collect::<Result<Vec<_>, _>>()
    };
    let env: BTreeMap<&str, String> =
        command.env.iter().map(|(name, template)| (name.as_str(), template.symbolic(point))).collect();
    let mut pass = command.pass.clone();
    pass.sort();
    let products: BTreeMap<&str, &Product> = here.products.of_point(experiment, point).collect();
    let mut inputs = BTreeMap::new();
    // What is still to be made may be where the inputs are: until then the key is not the final one.
    if products.values().all(|product| product.digest.is_some()) {
        for InputFile { name, sha256, executable, .. } in input_files(experiment, here, digests, point)? {
            inputs.insert(name, json!({ "executable": executable, "sha256": sha256 }));
        }
    }
    let mut services = Vec::new();
    for service in services_of(experiment, point) {
        services.push(service_meaning(service, point, list("run", &service.run)?, &|templates| {
            symbolic(experiment, point, templates)
        }));
    }
    let mut meaning = json!({
        "axes": experiment.axes.to_json(point),
        "command": {
            "dir": command.dir.symbolic(point),
            "env": env,
            "inputs": inputs,
            "pass": pass,
            "run": list("run", &command.run)?,
            "setup": lists("setup", &command.setup)?,
            "teardown": lists("teardown", &command.teardown)?,
            "timeout_s": command.timeout_s.symbolic(point),
            "warmup": command.warmup,
        },
        "schema": 2,
        "services": services,
        "version": crate::WORKLOAD_VERSION,
        "workload": crate::WORKLOAD,
    });
    if command.as_root {
        meaning["command"]["as"] = "root".into();
    }
    // Without anything prepared there is no word of it, so that keys stay what they were.
    if !products.is_empty() {
        meaning["prepared"] =
            products.iter().map(|(name, product)| ((*name).to_owned(), json!(product.digest))).collect();
    }
    Ok(meaning)
}

fn service_meaning(
    service: &Service,
    point: &Point,
    run: Vec<String>,
    symbolic: &dyn Fn(&[Template]) -> Vec<String>,
) -> serde_json::Value {
    let ready = match &service.ready {
        Ready::Started => "started".to_owned(),
        Ready::Tcp(port) => format!("tcp:{}", port.symbolic(point)),
        Ready::Http(address) => address.symbolic(point),
        Ready::Line(line) => format!("line:{}", line.symbolic(point)),
    };
    let stop = match &service.stop {
        Stop::Signal(signal) => json!(signal),
        Stop::Command(arguments) => json!(symbolic(arguments)),
    };
    let mut meaning =
        json!({ "name": service.name, "ready": ready, "run": run, "stop": stop, "until_exit": service.until_exit });
    // Only where it is so, that the keys of others stay what they were.
    if service.as_root {
        meaning["as"] = "root".into();
    }
    if let Some(on) = &service.on {
        meaning["on"] = on.as_str().into();
    }
    if let Some(dir) = &service.dir {
        meaning["dir"] = dir.symbolic(point).into();
    }
    if !service.env.is_empty() {
        meaning["env"] = service.env.iter().map(|(name, value)| (name.clone(), json!(value.symbolic(point)))).collect();
    }
    meaning
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

/// The folder of an experiment's file.
#[must_use]
pub fn folder_of(file: &Path) -> PathBuf {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}

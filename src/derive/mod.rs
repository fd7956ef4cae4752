//! What follows from results and stands beside them in a bundle: tables, figures, claims and the README.

mod readme;

use std::collections::{BTreeMap, BTreeSet};

use matrix_analysis::tables::Source;
use matrix_analysis::{ClaimResult, Options, Pools, Traces, evaluate, load, summary, to_csv};
use matrix_bundle::{Extras, Inventory, Tree, tree_digest};
use matrix_figures::{Figure, FigureError};
use matrix_plan::{Axes, CellKey, Experiment, Plan};
use matrix_store::{Digest, Origin, Record, Store};

use crate::exit::{Exit, Failure, with_causes};
use crate::pictures::picture;
use crate::results::{Traced, unreadable};

/// What drew the figures: the same renderer draws the same bytes. Kept in a bundle as `figures/renderer.txt`.
pub(crate) const RENDERER: &str =
    concat!("matrix-figures ", env!("CARGO_PKG_VERSION"), ", plotters 0.3.7, usvg 0.49\n");

/// Name of the file that says what drew the figures.
pub(crate) const RENDERER_FILE: &str = "renderer.txt";

/// One experiment's results by one origin.
pub(crate) struct Part<'a> {
    /// What its files are called: the experiment, and the origin where there are several.
    pub(crate) name: String,
    /// Where the numbers come from.
    pub(crate) source: Source,
    /// Its done cells.
    pub(crate) traced: Traced<'a>,
    /// What the experiment claims, judged.
    pub(crate) claims: Vec<ClaimResult>,
}

/// The parts of an inventory: each experiment as each origin measured it.
pub(crate) fn parts<'a>(store: &'a Store, inventory: &Inventory) -> Result<Vec<Part<'a>>, Failure> {
    let planned = planned(inventory)?;
    let experiments = experiments(inventory)?;
    let origins: BTreeSet<&Origin> = inventory.records.keys().map(|(_, origin)| origin).collect();
    let mut parts = Vec::new();
    for (experiment, cells) in &planned {
        for origin in &origins {
            let of_origin = |(key, whose): &(CellKey, Origin)| cells.contains_key(key) && whose == *origin;
            let records = inventory.records.iter().filter(|(name, _)| of_origin(name));
            let records: Vec<Record> = records.map(|(_, record)| record.clone()).collect();
            if records.is_empty() {
                continue;
            }
            let done: BTreeSet<CellKey> = records.iter().map(|record| record.key).collect();
            let not_done: Vec<Axes> =
                cells.iter().filter(|(key, _)| !done.contains(key)).map(|(_, axes)| axes.clone()).collect();
            let traced = Traced::new(store, records);
            let claims = match experiments.get(experiment) {
                Some(experiment) => evaluate(&experiment.claims, &traced, &not_done, &Options::default()),
                None => Ok(Vec::new()),
            };
            parts.push(Part {
                name: if origins.len() == 1 { experiment.clone() } else { format!("{experiment}-{origin}") },
                source: Source::new(experiment, cells.len() as u64, traced.cells()),
                claims: claims.map_err(unreadable)?,
                traced,
            });
        }
    }
    Ok(parts)
}

/// The cells that each experiment planned, as far as they are in the inventory.
fn planned(inventory: &Inventory) -> Result<BTreeMap<String, BTreeMap<CellKey, Axes>>, Failure> {
    let mut planned: BTreeMap<String, BTreeMap<CellKey, Axes>> = BTreeMap::new();
    for bytes in inventory.plans.values() {
        let plan: Plan = serde_json::from_slice(bytes)
            .map_err(|error| Failure::new(Exit::Integrity, format!("a plan cannot be read: {error}")))?;
        let cells = plan.cells.into_iter().filter(|cell| inventory.cells.contains(&cell.key));
        planned.entry(plan.experiment).or_default().extend(cells.map(|cell| (cell.key, cell.axes)));
    }
    Ok(planned)
}

/// The experiments by name; of several of one name the one with the most claims, then the smallest digest.
fn experiments(inventory: &Inventory) -> Result<BTreeMap<String, Experiment>, Failure> {
    let mut found: BTreeMap<String, Experiment> = BTreeMap::new();
    for (digest, bytes) in &inventory.experiments {
        let failed = |what: String| Failure::new(Exit::Integrity, format!("experiment {}: {what}", digest.short()));
        let text = std::str::from_utf8(bytes).map_err(|error| failed(error.to_string()))?;
        let experiment = Experiment::parse(text).map_err(|problems| failed(problems.to_string()))?;
        let better = |old: &Experiment| experiment.claims.len() > old.claims.len();
        if found.get(&experiment.name).is_none_or(better) {
            found.insert(experiment.name.clone(), experiment);
        }
    }
    Ok(found)
}

/// Everything that stands beside the results in a bundle. `source` is the runner's own, or nothing if it is not to be
/// in the bundle.
pub(crate) fn extras(parts: &[Part<'_>], inventory: &Inventory, source: Tree) -> Result<Extras, Failure> {
    let mut extras = Extras {
        license: include_bytes!("../../LICENSE-MIT").to_vec(),
        citation: include_bytes!("../../CITATION.cff").to_vec(),
        source,
        ..Extras::default()
    };
    for part in parts {
        let loaded = load(&part.traced, &Options::default()).map_err(unreadable)?;
        let pools = Pools::new(&loaded);
        let csv = to_csv(&summary(&pools), &part.source);
        extras.tables.insert(format!("{}/summary.csv", part.name), csv.into_bytes());
        for figure in Figure::ALL {
            let (csv, drawing) = picture(figure, &pools, &part.source);
            match drawing {
                Ok(drawing) => {
                    extras.figures.insert(format!("{}/{figure}.svg", part.name), drawing.svg.into_bytes());
                    extras.tables.insert(format!("{}/{figure}.csv", part.name), csv.into_bytes());
                }
                Err(FigureError::NoData { .. }) => {}
                Err(error) => return Err(Failure::new(Exit::Internal, format!("{figure}: {}", with_causes(&error)))),
            }
        }
    }
    if !extras.figures.is_empty() {
        extras.figures.insert(RENDERER_FILE.to_owned(), RENDERER.as_bytes().to_vec());
    }
    let own = (!extras.source.is_empty()).then(|| tree_digest(&extras.source));
    let sources: BTreeSet<Digest> = inventory.sources.keys().copied().chain(own).collect();
    extras.readme = readme::readme(parts, inventory, &sources).into_bytes();
    Ok(extras)
}

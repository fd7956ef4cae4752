//! What follows from results and stands beside them in a bundle: tables, figures, claims and the README.

mod parts;
mod readme;
mod replan_check;

use std::collections::BTreeSet;

use matrix_analysis::{Options, Pools, load, summary, to_csv};
use matrix_archive::Inventory;
use matrix_bundle::{BundleError, Extras, Tree, tree_digest};
use matrix_plan::printable::is_unprintable;
use matrix_report::page::{Page, ReportOptions};
use matrix_run::results::unreadable;
use matrix_run::{FailureKind, RunError, with_causes};
use matrix_store::{Digest, Store, parallel};

use crate::page::{Pages, of_results};
use crate::pictures::{Picture, pictures};
pub use parts::{Part, all_parts, parts};
pub use replan_check::{plans_follow, wrong_plans, wrong_plans_of};

/// What drew the figures: the same renderer draws the same bytes. Kept in a bundle as `figures/renderer.txt`.
pub const RENDERER: &str = concat!("matrix-figures ", env!("CARGO_PKG_VERSION"), ", plotters 0.3.7, usvg 0.49\n");

/// Name of the file that says what drew the figures.
pub const RENDERER_FILE: &str = "renderer.txt";

/// Files that a bundle has besides what follows from its results.
#[derive(Clone, Debug, Default)]
pub struct Besides {
    /// The runner's own source; empty if it is not to be in the bundle.
    pub source: Tree,
    /// The digest of the program in the bundle, if there is one.
    pub binary: Option<Digest>,
}

/// Everything that stands beside the results in a bundle, but for the program itself.
pub fn extras(parts: &[Part<'_>], inventory: &Inventory, besides: Besides) -> Result<Extras, RunError> {
    extras_beside(parts, inventory, besides, || Ok(()))
}

/// The same, while something else is done where one processor is enough for this.
fn extras_beside(
    parts: &[Part<'_>],
    inventory: &Inventory,
    besides: Besides,
    other: impl FnOnce() -> Result<(), BundleError> + Send,
) -> Result<Extras, RunError> {
    let Besides { source, binary } = besides;
    let mut extras = Extras {
        license: include_bytes!("../../../../../LICENSE-MIT").to_vec(),
        citation: include_bytes!("../../../../../CITATION.cff").to_vec(),
        source,
        ..Extras::default()
    };
    let own = (!extras.source.is_empty()).then(|| tree_digest(&extras.source));
    let sources: BTreeSet<Digest> = inventory.sources.keys().copied().chain(own).collect();
    let (readme, page) = parallel::beside(
        || readme::readme(parts, inventory, &sources, binary),
        || drawn(parts, inventory, &mut extras, other),
    );
    (extras.report, extras.readme) = (page?, readme?.into_bytes());
    Ok(extras)
}

/// Adds tables and figures; returns the page, during which `other` is done. Each trace is read once, for all of them.
fn drawn(
    parts: &[Part<'_>],
    inventory: &Inventory,
    extras: &mut Extras,
    other: impl FnOnce() -> Result<(), BundleError> + Send,
) -> Result<Vec<u8>, RunError> {
    // What the page begins with is read beside the first traces.
    let loaded = |part: &Part<'_>| load(&part.traced, &Options::default()).map_err(unreadable);
    let (page, mut first) = parallel::beside(|| Pages::begin(inventory, None), || parts.first().map(loaded));
    let (mut page, mut other) = (page?, Some(other));
    for part in parts {
        let loaded = first.take().unwrap_or_else(|| loaded(part))?;
        let pools = Pools::new(&loaded);
        let (rows, pictures) = parallel::beside(|| summary(&pools), || pictures(&pools, None, &part.source));
        let pictures = pictures?;
        let other = other.take();
        let (done, added) = parallel::beside(
            || other.map_or(Ok(()), |other| other()),
            || page.add(part, &pools, &rows, Some(&pictures)),
        );
        added.and(done.map_err(RunError::from))?;
        extras.tables.insert(format!("{}/summary.csv", part.name), to_csv(&rows, &part.source).into_bytes());
        for Picture { figure, csv, svg } in pictures {
            extras.figures.insert(format!("{}/{figure}.svg", part.name), svg.into_bytes());
            extras.tables.insert(format!("{}/{figure}.csv", part.name), csv.into_bytes());
        }
    }
    if !extras.figures.is_empty() {
        extras.figures.insert(RENDERER_FILE.to_owned(), RENDERER.as_bytes().to_vec());
    }
    rendered(&page.end(parts, &ReportOptions::in_bundle()))
}

/// The same of a store's results whose plans follow from their experiments and models.
///
/// # Errors
/// A plan that does not follow; a trace, a journal or a plan that cannot be read.
pub fn extras_where_plans_follow(store: &Store, inventory: &Inventory, besides: Besides) -> Result<Extras, RunError> {
    let (follow, extras) = parallel::beside(
        || plans_follow(store, inventory),
        || {
            let prepare = || inventory.prepare();
            parts(store, inventory).and_then(|parts| extras_beside(&parts, inventory, besides, prepare))
        },
    );
    follow.and(extras)
}

/// `report.html`: the page of the results of a bundle, which names their records, and not the bundle that it is in.
pub fn report(parts: &[Part<'_>], inventory: &Inventory) -> Result<Vec<u8>, RunError> {
    rendered(&of_results(parts, inventory, None, &ReportOptions::in_bundle())?)
}

fn rendered(page: &Page) -> Result<Vec<u8>, RunError> {
    let html = page.render().map_err(|error| RunError::new(FailureKind::Internal, with_causes(&error)))?;
    Ok(html.into_bytes())
}

/// Names, in the README, the filter that chose the cells.
pub fn name_filter(extras: &mut Extras, filter: &str) {
    let said: String = filter.chars().map(|c| if is_unprintable(c) { ' ' } else { c }).collect();
    extras.readme.splice(0..0, format!("> Only cells that match `{said}` are in this bundle.\n\n").into_bytes());
}

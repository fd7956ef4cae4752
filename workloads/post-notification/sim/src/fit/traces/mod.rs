//! Fits a model to measured traces: the laws are what was seen, and what was not seen is estimated from what it caused.
//!
//! Only cells without an artificial delay are used; a sweep of delays is left to test what the model predicts.

mod censored;
mod laws;
mod log;
mod observe;
mod text;

use std::collections::BTreeMap;

use matrix_app::Row;
use matrix_plan::{CellInputs, NotificationStorage, PostStorage, RegionPair};

use crate::model::{Model, ModelError};

pub use laws::{Fitted, FittedLaw};

/// The rows of one measured cell.
#[derive(Clone, Debug)]
pub struct Measured {
    /// What gave the cell its meaning.
    pub inputs: CellInputs,
    /// Its rows.
    pub rows: Vec<Row>,
}

/// How to fit.
#[derive(Clone, Debug)]
pub struct TraceOptions {
    /// Name of the model.
    pub name: String,
    /// The pair whose laws are fitted; others get a factor on its lag.
    pub reference: RegionPair,
    /// Where the traces come from, in a few words: it becomes part of every parameter's source.
    pub source: String,
}

/// A fit that is not possible.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceFitError {
    /// No cell of the reference pair has delay 0.
    #[error("there is no cell from {0} without an artificial delay")]
    NoCells(RegionPair),
    /// Too few rows to see a law in.
    #[error("{what}: {rows} rows are too few to fit a law to: {LEAST} are the least")]
    TooFew {
        /// Which law.
        what: String,
        /// Rows that show it.
        rows: usize,
    },
    /// The model's text is not a model.
    #[error("the fitted model: {0}")]
    Model(#[from] ModelError),
}

/// Rows from which a law may be fitted.
const LEAST: usize = 20;

/// A model fitted to traces.
#[derive(Clone, Debug)]
pub struct TraceFit {
    /// The model's file.
    pub text: String,
    /// The model.
    pub model: Model,
    /// The laws, for a table.
    pub laws: Vec<Fitted>,
    /// Cells that were used.
    pub cells: usize,
}

/// Fits a model to cells. Cells with an artificial delay are passed over.
///
/// # Errors
/// When cells or rows are too few.
pub fn fit_traces(cells: &[Measured], options: &TraceOptions) -> Result<TraceFit, TraceFitError> {
    let cells: Vec<&Measured> = cells.iter().filter(|cell| cell.inputs.axes.delay_ms == 0).collect();
    let of_reference = |cell: &&&Measured| cell.inputs.axes.combination.regions == options.reference;
    let reference: Vec<&Measured> = cells.iter().filter(of_reference).copied().collect();
    if reference.is_empty() {
        return Err(TraceFitError::NoCells(options.reference.clone()));
    }
    let parts = Parts::fit(&cells, &reference, options)?;
    let text = text::write(&parts, options);
    let model = Model::parse(&text)?;
    Ok(TraceFit { text, model, laws: parts.all().cloned().collect(), cells: cells.len() })
}

/// Everything that is fitted.
struct Parts {
    leg: Fitted,
    cold_start: Fitted,
    post: BTreeMap<PostStorage, PostLaws>,
    notification: BTreeMap<NotificationStorage, NotificationLaws>,
    /// Round trips between regions, in milliseconds, where the cells say them.
    rtt_ms: BTreeMap<RegionPair, f64>,
}

struct PostLaws {
    in_log_order: bool,
    write: Fitted,
    read: Fitted,
    poll: Fitted,
    lag: Fitted,
    /// Mean lag of each pair over the reference pair's.
    factors: BTreeMap<RegionPair, f64>,
}

struct NotificationLaws {
    publish: Fitted,
    trigger: Fitted,
}

impl PostLaws {
    /// Fits a post storage to its cells in the reference pair; the other pairs give the factors.
    fn fit(storage: PostStorage, here: &[&Measured], everywhere: &[&Measured]) -> Result<Self, TraceFitError> {
        let rows = || here.iter().flat_map(|cell| &cell.rows);
        let name = |law: &str| format!("post_storage.{storage}.{law}");
        let mut pairs: BTreeMap<RegionPair, Vec<&Measured>> = BTreeMap::new();
        for cell in everywhere {
            pairs.entry(cell.inputs.axes.combination.regions.clone()).or_default().push(cell);
        }
        let lag = laws::lag(&name("lag"), storage, here)?;
        let mut factors = BTreeMap::new();
        for (pair, cells) in pairs {
            let there = laws::lag(&format!("{}, {pair}", name("lag")), storage, &cells)?;
            factors.insert(pair, if lag.mean_ms > 0.0 { there.mean_ms / lag.mean_ms } else { 1.0 });
        }
        let read = Fitted::seen(&name("read"), observe::read_ms(rows()))?;
        Ok(Self {
            in_log_order: laws::is_log(storage),
            write: Fitted::seen(&name("write"), observe::write_ms(rows()))?,
            poll: Fitted::seen_or(&name("poll"), observe::poll_ms(rows()), &read)?,
            read,
            lag,
            factors,
        })
    }
}

impl Parts {
    fn all(&self) -> impl Iterator<Item = &Fitted> {
        let post = self.post.values().flat_map(|laws| [&laws.write, &laws.read, &laws.poll, &laws.lag]);
        let notification = self.notification.values().flat_map(|laws| [&laws.publish, &laws.trigger]);
        [&self.leg, &self.cold_start].into_iter().chain(post).chain(notification)
    }

    fn fit(cells: &[&Measured], reference: &[&Measured], options: &TraceOptions) -> Result<Self, TraceFitError> {
        let rows = || reference.iter().flat_map(|cell| &cell.rows);
        let leg = Fitted::seen("client.leg", observe::leg_ms(rows()))?;
        let cold_start = laws::cold_start(&leg, rows());
        let combination = |cell: &Measured| cell.inputs.axes.combination.clone();

        let mut post = BTreeMap::new();
        for storage in PostStorage::ALL.iter().copied() {
            let of = |cell: &&&Measured| combination(cell).post_storage == storage;
            let here: Vec<&Measured> = reference.iter().filter(of).copied().collect();
            if !here.is_empty() {
                let everywhere: Vec<&Measured> = cells.iter().filter(of).copied().collect();
                post.insert(storage, PostLaws::fit(storage, &here, &everywhere)?);
            }
        }

        let mut notification = BTreeMap::new();
        for storage in NotificationStorage::ALL.iter().copied() {
            let of = |cell: &&&Measured| combination(cell).notification_storage == storage;
            let here: Vec<&Measured> = reference.iter().filter(of).copied().collect();
            if !here.is_empty() {
                notification.insert(storage, laws::notification(storage, &here, &leg)?);
            }
        }
        let rtt_ms = cells.iter().filter_map(|cell| Some((combination(cell).regions, observe::rtt_ms(&cell.inputs)?)));
        let mut rtt_ms: BTreeMap<RegionPair, f64> = rtt_ms.collect();
        // No law of the fit needs it, but a model has one.
        rtt_ms.entry(options.reference.clone()).or_insert(0.0);
        Ok(Self { leg, cold_start, post, notification, rtt_ms })
    }
}

#[cfg(test)]
mod tests;

//! The conditions in which the anchors were measured, simulated.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use matrix_app::{Row, WORKLOAD_VERSION};
use matrix_driver::{Cancel, DriverError, RowSink, SinkError};
use matrix_plan::{Arrival, Axes, CellInputs, CellKey, Fingerprint, Platform, PostStorage, RegionPair};

use super::report::{AnchorResult, Results};
use crate::cell::{Setup, SetupError, run};
use crate::faults::NoFaults;
use crate::model::{Anchor, Model, ModelError};

/// Requests of one round, as the authors ran them: cold starts belong to every round.
const ROUND: u64 = 1000;

/// Clients of the authors' closed loop.
const CLIENTS: u32 = 8;

/// How much a fit simulates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FitOptions {
    /// Requests behind every mean that is compared with an anchor; rounded up to whole rounds of 1000.
    pub requests_per_anchor: u64,
    /// Threads to simulate on; results do not depend on it.
    pub threads: usize,
    /// Seed of all randomness.
    pub seed: u64,
    /// Most steps that the search takes per post storage and pair.
    pub steps: u32,
    /// Relative error of a mean, in percent, at which the search is content.
    pub tolerance_percent: f64,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self { requests_per_anchor: 100_000, threads: 1, seed: 2023, steps: 20, tolerance_percent: 0.05 }
    }
}

/// What a fit is doing.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The mean that was just simulated.
    pub anchor: &'a Anchor,
    /// What it came to, in milliseconds.
    pub simulated_ms: f64,
    /// Requests behind it.
    pub requests: u64,
}

/// Told about every mean that was simulated.
pub type Watch<'a> = &'a (dyn Fn(Progress<'_>) + Sync);

/// A fit that is not possible.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// The model has nothing to be fitted to.
    #[error("the model has no [[anchor]] to be fitted to")]
    NoAnchors,
    /// The model lacks something.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A cell of the fit cannot be simulated.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// A cell of the fit broke.
    #[error(transparent)]
    Driver(#[from] DriverError),
    /// There is no parameter that an anchor could move.
    #[error("{anchor}: {why}")]
    NoParameter {
        /// The anchor.
        anchor: String,
        /// Why there is none.
        why: &'static str,
    },
    /// No request of an anchor's cells was read.
    #[error("{0}: no read in any of its cells")]
    NoReads(String),
    /// The model's text is not the model that was fitted.
    #[error("the model's text has no parameter `{0}`")]
    Text(String),
    /// The model's text is not TOML.
    #[error("the model's text: {0}")]
    Toml(String),
    /// A thread of the fit ended early.
    #[error("a thread of the fit ended early")]
    Thread,
}

/// Simulates every anchor's conditions and compares, without changing anything.
///
/// # Errors
/// When the model has no anchors or lacks what they need.
pub fn evaluate(model: &Model, options: &FitOptions, watch: Watch<'_>) -> Result<Results, FitError> {
    if model.anchors.is_empty() {
        return Err(FitError::NoAnchors);
    }
    let results = model.anchors.iter().map(|anchor| compare(model, anchor, options, watch));
    Ok(Results(results.collect::<Result<_, _>>()?))
}

/// Simulates one anchor's conditions.
pub(super) fn compare(
    model: &Model,
    anchor: &Anchor,
    options: &FitOptions,
    watch: Watch<'_>,
) -> Result<AnchorResult, FitError> {
    let mean = simulate(model, anchor, options)?;
    watch(Progress { anchor, simulated_ms: mean.ms, requests: mean.requests });
    Ok(AnchorResult {
        post_storage: anchor.post_storage,
        regions: anchor.regions.clone(),
        antipode: anchor.antipode,
        target_ms: anchor.mean_ms,
        simulated_ms: mean.ms,
        standard_error_ms: mean.standard_error_ms,
        error_percent: (mean.ms / anchor.mean_ms - 1.0) * 100.0,
        missed: mean.missed,
        requests: mean.requests,
    })
}

/// A simulated mean.
struct Mean {
    ms: f64,
    /// From the spread of the rounds' means: requests of one round are not independent.
    standard_error_ms: f64,
    missed: f64,
    requests: u64,
}

/// The sums of one round, whole numbers: they add up to the same in any order.
#[derive(Clone, Copy, Default)]
struct Sums {
    reads: i64,
    window_us: i64,
    missed: i64,
}

impl RowSink<Row> for Sums {
    fn push(&mut self, row: Row) -> Result<(), SinkError> {
        if let Some(window_us) = row.window_us() {
            self.reads += 1;
            self.window_us += window_us;
            self.missed += i64::from(row.consistent_read == Some(false));
        }
        Ok(())
    }
}

fn simulate(model: &Model, anchor: &Anchor, options: &FitOptions) -> Result<Mean, FitError> {
    let rounds = options.requests_per_anchor.div_ceil(ROUND).max(1);
    let fingerprint = model.fingerprint(&anchor.combination())?;
    let next = AtomicU64::new(0);
    let sums = Mutex::new(vec![Sums::default(); rounds as usize]);
    let work = || -> Result<(), FitError> {
        loop {
            let round = next.fetch_add(1, Ordering::Relaxed);
            if round >= rounds {
                return Ok(());
            }
            let mut sum = Sums::default();
            let inputs = inputs(anchor, fingerprint.clone(), round, options.seed);
            let setup = Setup::new(model, &inputs, &stream(anchor, round, options.seed), String::from("fit"))?;
            run(&setup, &NoFaults, &mut sum, &Cancel::default())?;
            sums.lock().map_err(|_| FitError::Thread)?[round as usize] = sum;
        }
    };
    std::thread::scope(|scope| {
        let helpers: Vec<_> = (1..options.threads.max(1)).map(|_| scope.spawn(work)).collect();
        let mine = work();
        let theirs = helpers.into_iter().map(|helper| helper.join().map_err(|_| FitError::Thread)?);
        theirs.fold(mine, Result::and)
    })?;
    let sums = sums.into_inner().map_err(|_| FitError::Thread)?;
    mean(&sums, rounds * ROUND).ok_or_else(|| FitError::NoReads(anchor.to_string()))
}

fn mean(sums: &[Sums], requests: u64) -> Option<Mean> {
    let total = |part: fn(&Sums) -> i64| sums.iter().map(part).sum::<i64>() as f64;
    let reads = total(|sum| sum.reads);
    if reads == 0.0 {
        return None;
    }
    let ms = total(|sum| sum.window_us) / reads / 1e3;
    let rounds = sums.len() as f64;
    let of_round = |sum: &Sums| sum.window_us as f64 / sum.reads.max(1) as f64 / 1e3;
    let squares: f64 = sums.iter().map(|sum| (of_round(sum) - ms) * (of_round(sum) - ms)).sum();
    let standard_error_ms = (squares / (rounds - 1.0).max(1.0) / rounds).sqrt();
    Some(Mean { ms, standard_error_ms, missed: total(|sum| sum.missed) / reads, requests })
}

/// The random streams of a round. They depend on no parameter, so that the search follows a smooth function.
fn stream(anchor: &Anchor, round: u64, seed: u64) -> CellKey {
    CellKey::of(format!("fit {seed} {} {} {round}", anchor.post_storage, anchor.regions).as_bytes())
}

fn inputs(anchor: &Anchor, fingerprint: Fingerprint, round: u64, seed: u64) -> CellInputs {
    let axes = Axes { combination: anchor.combination(), delay_ms: 0, antipode: anchor.antipode };
    CellInputs {
        arrival: Arrival::Concurrency(CLIENTS),
        requests: ROUND,
        round: round as u32 + 1,
        seed,
        ..CellInputs::with_defaults(axes, Platform::Sim, fingerprint, WORKLOAD_VERSION)
    }
}

/// The pair's anchors of a post storage: original and antipode.
pub(super) fn anchors_of<'m>(
    anchors: &'m [Anchor],
    storage: PostStorage,
    pair: &RegionPair,
) -> (Option<&'m Anchor>, Option<&'m Anchor>) {
    let find = |antipode| {
        let is =
            |anchor: &&Anchor| anchor.post_storage == storage && anchor.regions == *pair && anchor.antipode == antipode;
        anchors.iter().find(is)
    };
    (find(false), find(true))
}

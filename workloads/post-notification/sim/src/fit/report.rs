//! The result of a fit, and its text.

use std::fmt;

use matrix_plan::{PostStorage, RegionPair};
use serde::Serialize;

use crate::model::Model;

/// One anchor, published and simulated.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AnchorResult {
    /// Where posts lived.
    pub post_storage: PostStorage,
    /// Where the writer and the reader ran.
    pub regions: RegionPair,
    /// Whether the reader waited in the barrier.
    pub antipode: bool,
    /// The published mean window, in milliseconds.
    pub target_ms: f64,
    /// The simulated mean window, in milliseconds.
    pub simulated_ms: f64,
    /// Its standard error, from the spread of rounds, in milliseconds.
    pub standard_error_ms: f64,
    /// By how much it is off, in percent of the published mean.
    pub error_percent: f64,
    /// Share of simulated reads that missed the post.
    pub missed: f64,
    /// Simulated requests.
    pub requests: u64,
}

/// Anchors, published and simulated.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Results(pub Vec<AnchorResult>);

impl Results {
    /// The largest relative error, in percent, whatever its sign.
    #[must_use]
    pub fn worst_percent(&self) -> f64 {
        self.0.iter().map(|result| result.error_percent.abs()).fold(0.0, f64::max)
    }
}

/// A parameter that a fit moved.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ParameterChange {
    /// Where it stands in the model's text.
    pub path: Vec<String>,
    /// Value before, in `unit`.
    pub before: f64,
    /// Value after, in `unit`.
    pub after: f64,
    /// Its unit: `ms`, or `1` for ratios.
    pub unit: &'static str,
}

/// A fitted model and how well it meets its anchors.
#[derive(Clone, Debug, PartialEq)]
pub struct FitReport {
    /// The fitted model.
    pub model: Model,
    /// Its anchors.
    pub results: Results,
    /// The fitted parameters.
    pub parameters: Vec<ParameterChange>,
}

/// What a fit on the reference pair alone predicts for the others.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HoldOut {
    /// The pair that was fitted.
    pub fitted_on: RegionPair,
    /// The anchors that the fit saw.
    pub fitted: Results,
    /// The anchors that it did not see.
    pub predicted: Results,
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "post storage  regions  antipode  published ms  simulated ms  std. error  error %  missed %")?;
        for result in &self.0 {
            let antipode = if result.antipode { "on" } else { "off" };
            writeln!(
                f,
                "{:<12}  {:<7}  {antipode:<8}  {:>12.2}  {:>12.2}  {:>10.2}  {:>+7.2}  {:>8.1}",
                result.post_storage,
                result.regions.to_string(),
                result.target_ms,
                result.simulated_ms,
                result.standard_error_ms,
                result.error_percent,
                result.missed * 100.0,
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for ParameterChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, before, after, unit } = self;
        write!(f, "{}: {before} -> {after}", path.join("."))?;
        if *unit == "1" { Ok(()) } else { write!(f, " {unit}") }
    }
}

impl fmt::Display for FitReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for parameter in &self.parameters {
            writeln!(f, "{parameter}")?;
        }
        write!(f, "\n{}", self.results)
    }
}

impl fmt::Display for HoldOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "fitted on {}:\n{}", self.fitted_on, self.fitted)?;
        write!(f, "predicted by the round-trip rule:\n{}", self.predicted)
    }
}

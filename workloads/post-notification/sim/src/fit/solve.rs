//! The search for parameters that meet the anchors.

use matrix_plan::{PostStorage, RegionPair};

use super::conditions::{FitError, FitOptions, Watch, anchors_of, compare, evaluate};
use super::report::{AnchorResult, FitReport, HoldOut, ParameterChange, Results};
use crate::model::{Anchor, Law, Model};

/// Requests per mean while the search is still far from its end.
const COARSE: u64 = 20_000;

/// Fits the model to its anchors. Per post storage and pair: the reader's client overhead to the original's mean, and the
/// replication's scale (the lag's mean for the reference pair, the pair's factor for others) to antipode's mean.
///
/// # Errors
/// When the model has no anchors, or lacks a parameter that they could move.
pub fn fit(model: &Model, options: &FitOptions, watch: Watch<'_>) -> Result<FitReport, FitError> {
    let pairs = anchored(model);
    if pairs.is_empty() {
        return Err(FitError::NoAnchors);
    }
    let mut fitted = model.clone();
    for (storage, pair) in &pairs {
        fit_pair(&mut fitted, *storage, pair, options, watch)?;
    }
    let mut parameters = Vec::new();
    for (storage, pair) in &pairs {
        for knob in [Knob::Overhead, Knob::scale_of(model, pair)] {
            parameters.push(ParameterChange {
                path: knob.path(*storage, pair),
                before: knob.get(model, *storage, pair)?,
                after: knob.get(&fitted, *storage, pair)?,
                unit: knob.unit(),
            });
        }
    }
    let results = evaluate(&fitted, options, watch)?;
    Ok(FitReport { model: fitted, results, parameters })
}

/// Fits the reference pair alone, forgets what is known of the others, and compares what the round-trip rule then predicts
/// for them with their anchors.
///
/// # Errors
/// As [`fit`].
pub fn hold_out(model: &Model, options: &FitOptions, watch: Watch<'_>) -> Result<HoldOut, FitError> {
    let mut model = model.clone();
    let reference = model.reference.clone();
    for post in model.post.values_mut() {
        post.pairs.retain(|pair, _| *pair == reference);
    }
    for (storage, pair) in anchored(&model) {
        if pair == reference {
            fit_pair(&mut model, storage, &pair, options, watch)?;
        }
    }
    let Results(results) = evaluate(&model, options, watch)?;
    let (fitted, predicted) = results.into_iter().partition(|result| result.regions == reference);
    Ok(HoldOut { fitted_on: reference, fitted: Results(fitted), predicted: Results(predicted) })
}

/// The post storages and pairs with anchors, each storage's reference pair first: the factors of others count from it.
fn anchored(model: &Model) -> Vec<(PostStorage, RegionPair)> {
    let mut pairs: Vec<_> = model.anchors.iter().map(|anchor| (anchor.post_storage, anchor.regions.clone())).collect();
    pairs.sort_by_key(|(storage, pair)| (*storage, *pair != model.reference, pair.clone()));
    pairs.dedup();
    pairs
}

/// A parameter that a fit moves.
#[derive(Clone, Copy)]
enum Knob {
    /// The reader's client overhead in a pair.
    Overhead,
    /// The mean lag of the reference pair.
    LagMean,
    /// The lag factor of another pair.
    LagFactor,
}

impl Knob {
    fn scale_of(model: &Model, pair: &RegionPair) -> Self {
        if *pair == model.reference { Self::LagMean } else { Self::LagFactor }
    }

    fn unit(self) -> &'static str {
        match self {
            Self::Overhead | Self::LagMean => "ms",
            Self::LagFactor => "1",
        }
    }

    fn path(self, storage: PostStorage, pair: &RegionPair) -> Vec<String> {
        let storage = storage.to_string();
        let post = "post_storage".to_owned();
        let of_pair = |name: &str| vec![post.clone(), storage.clone(), "regions".into(), pair.to_string(), name.into()];
        match self {
            Self::Overhead => of_pair("client_overhead"),
            Self::LagFactor => of_pair("lag_factor"),
            Self::LagMean => vec![post, storage, "lag".into(), "mean".into()],
        }
    }

    fn get(self, model: &Model, storage: PostStorage, pair: &RegionPair) -> Result<f64, FitError> {
        self.of(&mut model.clone(), storage, pair).map(|value| *value)
    }

    fn of<'m>(self, model: &'m mut Model, storage: PostStorage, pair: &RegionPair) -> Result<&'m mut f64, FitError> {
        let none = |why| FitError::NoParameter { anchor: format!("{storage} {pair}"), why };
        let post = model.post.get_mut(&storage).ok_or_else(|| none("the model has no such post storage"))?;
        let data = post.pairs.get_mut(pair).ok_or_else(|| none("the model has no data of this pair to be fitted"));
        match (self, &mut post.lag) {
            (Self::Overhead, _) => data.map(|data| &mut data.client_overhead_ms),
            (Self::LagFactor, _) => data.map(|data| &mut data.lag_factor),
            (Self::LagMean, Law::Lognormal { mean_ms, .. }) => Ok(mean_ms),
            (Self::LagMean, _) => Err(none("only the lag of a lognormal law has a mean to be fitted")),
        }
    }
}

/// Fits one post storage in one pair: both knobs together, because reads that miss may be quicker than those that hit.
/// First with few requests, then, from where that ended, with all of them.
fn fit_pair(
    model: &mut Model,
    storage: PostStorage,
    pair: &RegionPair,
    options: &FitOptions,
    watch: Watch<'_>,
) -> Result<(), FitError> {
    let anchors = model.anchors.clone();
    let (original, antipode) = anchors_of(&anchors, storage, pair);
    let scale = Knob::scale_of(model, pair);
    let mut search = Secant::default();
    for requests_per_anchor in [COARSE.min(options.requests_per_anchor), options.requests_per_anchor] {
        let options = FitOptions { requests_per_anchor, ..*options };
        search.last = None;
        for _ in 0..options.steps {
            let mean_of =
                |anchor: Option<&Anchor>| anchor.map(|anchor| compare(model, anchor, &options, watch)).transpose();
            let (off, on) = (mean_of(original)?, mean_of(antipode)?);
            let content = |result: &AnchorResult| result.error_percent.abs() <= options.tolerance_percent;
            if off.iter().chain(&on).all(content) {
                break;
            }
            let off_by = off.as_ref().map_or(0.0, excess);
            if off.is_some() {
                // The mean grows as the overhead does.
                let overhead = Knob::Overhead.of(model, storage, pair)?;
                *overhead = rounded((*overhead - off_by).max(0.0), 100.0);
            }
            if let Some(on) = &on {
                let steps = if matches!(scale, Knob::LagMean) { 100.0 } else { 10_000.0 };
                let scale = scale.of(model, storage, pair)?;
                *scale = rounded(search.next(*scale, excess(on) - off_by), steps);
            }
        }
    }
    Ok(())
}

/// By how much a mean is above its anchor, in milliseconds.
fn excess(result: &AnchorResult) -> f64 {
    result.simulated_ms - result.target_ms
}

/// The value in whole steps, so many to one: what stands in the model's text afterwards is what was simulated.
fn rounded(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}

/// The secant method on a rising function, for a root above 0.
#[derive(Default)]
struct Secant {
    slope: Option<f64>,
    last: Option<(f64, f64)>,
}

impl Secant {
    /// Where to look next, after the function was `y` at `x`.
    fn next(&mut self, x: f64, y: f64) -> f64 {
        if let Some((x0, y0)) = self.last
            && x != x0
        {
            self.slope = Some((y - y0) / (x - x0)).filter(|slope| *slope > 0.0);
        }
        self.last = Some((x, y));
        match self.slope {
            Some(slope) => (x - y / slope).clamp(x / 2.0, x * 2.0),
            None if y > 0.0 => x * 0.95,
            None => x * 1.05,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secant_method_finds_the_root_of_a_rising_function() {
        // As the mean wait of a barrier rises with the lag: hardly at first, then in proportion.
        let function = |x: f64| (x * x + 900.0).sqrt() + x - 200.0;
        let (mut search, mut x) = (Secant::default(), 20.0);
        for _ in 0..12 {
            x = search.next(x, function(x));
        }
        assert!(function(x).abs() < 1e-6, "{x}");
    }
}

//! Laws from what was observed.

use matrix_app::Row;
use matrix_plan::{NotificationStorage, PostStorage};

use super::{LEAST, Measured, NotificationLaws, TraceFitError, censored, log, observe};

/// A fitted law.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// Where it stands in the model, for example `post_storage.redis.lag`.
    pub name: String,
    /// The law.
    pub law: FittedLaw,
    /// Its mean, in milliseconds.
    pub mean_ms: f64,
    /// Rows that it was fitted to.
    pub rows: usize,
    /// How it was found, in a few words.
    pub how: &'static str,
}

/// Laws that a fit gives.
#[derive(Clone, Debug, PartialEq)]
pub enum FittedLaw {
    /// Always the same, in milliseconds.
    Constant(f64),
    /// Straight lines between quantiles: pairs of probability, from 0 to 1, and milliseconds.
    Quantiles(Vec<(f64, f64)>),
}

/// Probabilities at which quantiles are kept. They are closer towards the end: a server that stood still now and then makes a
/// few times very long, and between two quantiles the law is a straight line, on which those would become many long ones.
const PROBABILITIES: [f64; 18] =
    [0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995];

impl Fitted {
    /// The distribution of what was seen.
    pub(super) fn seen(name: &str, times_ms: Vec<f64>) -> Result<Self, TraceFitError> {
        if times_ms.len() < LEAST {
            return Err(TraceFitError::TooFew { what: name.to_owned(), rows: times_ms.len() });
        }
        let rows = times_ms.len();
        let mass = 1.0 / rows as f64;
        let mut points: Vec<(f64, f64)> = times_ms.into_iter().map(|time| (time.max(0.0), mass)).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok(Self::of(name, &points, rows, "as seen"))
    }

    /// The same, or another law where too few rows show it.
    pub(super) fn seen_or(name: &str, times_ms: Vec<f64>, other: &Self) -> Result<Self, TraceFitError> {
        if times_ms.len() < LEAST {
            return Ok(Self {
                name: name.to_owned(),
                how: "taken from the read: too few rows show it",
                ..other.clone()
            });
        }
        Self::seen(name, times_ms)
    }

    /// The law of points that carry probability, in ascending order.
    fn of(name: &str, points: &[(f64, f64)], rows: usize, how: &'static str) -> Self {
        let mean_ms = points.iter().map(|(time, mass)| time * mass).sum();
        let (low, high) = (points.first().map_or(0.0, |first| first.0), points.last().map_or(0.0, |last| last.0));
        let mut law = vec![(0.0, low)];
        law.extend(PROBABILITIES.iter().map(|&p| (p, quantile(points, p))));
        law.push((1.0, high));
        Self { name: name.to_owned(), law: FittedLaw::Quantiles(law), mean_ms, rows, how }
    }

    fn constant(name: &str, ms: f64, rows: usize, how: &'static str) -> Self {
        Self { name: name.to_owned(), law: FittedLaw::Constant(ms), mean_ms: ms, rows, how }
    }

    /// The law's quantile at one of the kept probabilities, or the next one.
    #[must_use]
    pub fn quantile_ms(&self, p: f64) -> f64 {
        match &self.law {
            FittedLaw::Constant(ms) => *ms,
            FittedLaw::Quantiles(points) => {
                points.iter().find(|(at, _)| *at >= p).or(points.last()).map_or(0.0, |point| point.1)
            }
        }
    }
}

/// The first point up to which the probability reaches `p`.
fn quantile(points: &[(f64, f64)], p: f64) -> f64 {
    let mut sum = 0.0;
    let found = points.iter().find(|(_, mass)| {
        sum += mass;
        sum >= p - 1e-9
    });
    found.or(points.last()).map_or(0.0, |point| point.0)
}

fn median(times_ms: &[f64]) -> f64 {
    let mut times = times_ms.to_vec();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(0.0)
}

/// What a new instance takes longer than one that has served before: on average, because few rows show it.
pub(super) fn cold_start<'a>(leg: &Fitted, rows: impl Iterator<Item = &'a Row>) -> Fitted {
    let cold = observe::cold_leg_ms(rows);
    let mean = if cold.is_empty() { leg.mean_ms } else { cold.iter().sum::<f64>() / cold.len() as f64 };
    Fitted::constant("functions.cold_start", (mean - leg.mean_ms).max(0.0), cold.len(), "mean beyond a warm start")
}

/// Whether replicas of a post storage apply writes in the order of their commits.
pub(super) fn is_log(storage: PostStorage) -> bool {
    match storage {
        PostStorage::Mysql | PostStorage::Redis => true,
        PostStorage::Dynamo | PostStorage::S3 => false,
    }
}

/// The lag of a post storage's replication.
pub(super) fn lag(name: &str, storage: PostStorage, cells: &[&Measured]) -> Result<Fitted, TraceFitError> {
    let lags = observe::lags(cells.iter().flat_map(|cell| &cell.rows));
    if lags.len() < LEAST {
        return Err(TraceFitError::TooFew { what: name.to_owned(), rows: lags.len() });
    }
    let seen = censored::estimate(&lags);
    if !is_log(storage) {
        return Ok(Fitted::of(name, &seen, lags.len(), "estimated from reads and polls, or as logged"));
    }
    let commits: Vec<Vec<f64>> = cells.iter().map(|cell| observe::commits_ms(cell)).collect();
    let own = log::own_lags(&seen, &commits);
    Ok(Fitted::of(name, &own, lags.len(), "estimated from reads and polls, less the wait for earlier writes"))
}

/// The laws of a notification storage.
pub(super) fn notification(
    storage: NotificationStorage,
    cells: &[&Measured],
    leg: &Fitted,
) -> Result<NotificationLaws, TraceFitError> {
    let name = |law: &str| format!("notification_storage.{storage}.{law}");
    // The answer's way back is as long as the request's way out: what is left of it is the publishing.
    let answers = observe::answer_ms(cells.iter().flat_map(|cell| &cell.rows));
    let publish_ms = (median(&answers) - leg.quantile_ms(0.5)).max(0.0);
    let publish =
        Fitted::constant(&name("publish"), publish_ms, answers.len(), "median of the answer less the way back");
    // Delivery begins with the publishing; the writer's wait for its end goes on beside it.
    let every = observe::delivery_ms(cells.iter().flat_map(|cell| &cell.rows));
    let mut trigger = Fitted::seen(&name("trigger"), every)?;
    if storage != NotificationStorage::Sns {
        let idle: Vec<&Row> = cells.iter().flat_map(|cell| observe::unqueued(cell)).collect();
        let idle = observe::delivery_ms(idle.into_iter());
        if idle.len() < LEAST {
            trigger.how = "as seen, the wait for the reader included: it was hardly ever idle";
        } else {
            trigger = Fitted { how: "as seen by an idle reader", ..Fitted::seen(&name("trigger"), idle)? };
        }
    }
    Ok(NotificationLaws { publish, trigger })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_very_long_times_stay_few() {
        for long in [5, 10, 15, 20, 25, 30, 40] {
            let usual = (0..1000 - long).map(|n| 90.0 + f64::from(n) / 50.0);
            let fitted = Fitted::seen("lag", usual.chain((0..long).map(|_| 2500.0)).collect()).unwrap();
            let FittedLaw::Quantiles(points) = &fitted.law else { panic!("{:?}", fitted.law) };
            let lines = points.windows(2).map(|line| (line[1].0 - line[0].0) * (line[0].1 + line[1].1) / 2.0);
            let mean = lines.sum::<f64>();
            assert!((mean / fitted.mean_ms - 1.0).abs() < 0.1, "{long} of 1000: {mean} ms, not {} ms", fitted.mean_ms);
        }
    }
}

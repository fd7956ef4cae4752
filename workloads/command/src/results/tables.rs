//! Tables: what people read, and what stands beside figures and in bundles.

use std::collections::BTreeSet;

use matrix_core::claims::{Claim, Statement};
use matrix_core::judge::{Detail, Judged, Verdict, interval, judge};
use matrix_core::metric::Metric;
use matrix_core::series::Estimate;
use matrix_core::text::{csv, exact, free_name};
use matrix_core::{Point, Value};

use super::Loaded;
use super::elsewhere::elsewhere;

/// A claim and its verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding<'e> {
    /// The claim.
    pub claim: &'e Claim,
    /// The verdict.
    pub judged: Judged,
    /// The points that it stands on and of which a cell was tried.
    pub points: BTreeSet<Point>,
    /// How many of the cells that it stands on ran while the host was disturbed.
    pub disturbed: usize,
}

/// The verdicts on every claim.
#[must_use]
pub fn findings<'e>(loaded: &Loaded<'e>) -> Vec<Finding<'e>> {
    let of_reading = loaded.of_reading();
    let tried = loaded.points_tried();
    let one = |claim: &'e Claim| {
        let (metric, rows): (Option<usize>, &[_]) = match claim.statement {
            Statement::Bound { metric, .. } | Statement::BestOver { metric, .. } | Statement::Trend { metric, .. } => {
                (Some(metric), &[])
            }
            Statement::EveryRow { source, column } => (None, loaded.checks(source, column)),
            Statement::Uncovered(_) => (None, &[]),
        };
        let series = metric.map(|metric| loaded.series(metric)).unwrap_or_default();
        let (there, note) = elsewhere(loaded, claim);
        let mut judged = judge(there.as_ref().unwrap_or(claim), &series, rows, &loaded.context(metric));
        let reading = of_reading.clone().filter(|_| !matches!(claim.statement, Statement::Uncovered(_)));
        judged.details.extend(note.into_iter().chain(reading).map(|text| Detail::all(judged.verdict, text)));
        let mut points = points_of(loaded, claim);
        let judged = unlike_machines(loaded, claim, &points, judged);
        let disturbed = loaded.disturbed().filter(|cell| points.contains(&cell.cell.point)).count();
        points.retain(|point| tried.contains(point));
        Finding { claim, judged, points, disturbed }
    };
    loaded.experiment.claims.iter().map(one).collect()
}

/// The points that a claim stands on: those that it selects, their baselines and their rivals.
fn points_of(loaded: &Loaded<'_>, claim: &Claim) -> BTreeSet<Point> {
    let mut points = BTreeSet::new();
    if matches!(claim.statement, Statement::Uncovered(_)) {
        return points;
    }
    for point in loaded.cells.iter().map(|cell| &cell.cell.point).filter(|point| claim.selection.matches(point)) {
        if let Some(baseline) = &claim.relation.ratio_to {
            let replaced = point.iter().zip(baseline).map(|(value, other)| match other.as_deref() {
                Some([other]) => other.clone(),
                _ => value.clone(),
            });
            points.insert(replaced.collect());
        }
        if let Statement::BestOver { axis, .. } = claim.statement {
            for rival in loaded.experiment.axes.axes.get(axis).into_iter().flat_map(|axis| &axis.values) {
                let mut other = point.clone();
                other[axis] = rival.clone();
                points.insert(other);
            }
        }
        points.insert(point.clone());
    }
    points
}

/// A ratio of numbers from unlike machines says nothing of the programs: it is inconclusive, unless the experiment allows
/// it.
fn unlike_machines(loaded: &Loaded<'_>, claim: &Claim, points: &BTreeSet<Point>, mut judged: Judged) -> Judged {
    let compares = match &claim.statement {
        Statement::Bound { .. } => claim.relation.ratio_to.is_some(),
        Statement::BestOver { .. } | Statement::Trend { .. } => true,
        Statement::EveryRow { .. } | Statement::Uncovered(_) => false,
    };
    let machines = loaded.machines(&|point| points.contains(point));
    if compares && machines.len() > 1 && !loaded.experiment.host.mixed {
        let text = format!("results of {} unlike machines: {}", machines.len(), machines.join("; "));
        judged.details.push(Detail::all(Verdict::Inconclusive, text));
        judged.verdict = Verdict::Inconclusive;
    }
    judged
}

/// A table of texts: its head, then its lines.
pub type Text = (Vec<String>, Vec<Vec<String>>);

/// The metrics by point, with their intervals over rounds, as people read them.
#[must_use]
pub fn summary(loaded: &Loaded<'_>) -> Text {
    let axes = &loaded.experiment.axes;
    let mut head: Vec<String> = axes.names().into_iter().map(str::to_owned).collect();
    head.push("rounds".to_owned());
    for metric in &loaded.experiment.metrics {
        let unit =
            metric.unit.as_deref().filter(|unit| *unit != "1").map(|unit| format!(" {unit}")).unwrap_or_default();
        head.push(format!("{}{unit} (95 %)", metric.name));
    }
    let metrics = loaded.experiment.metrics.iter().enumerate();
    let all: Vec<_> = metrics.map(|(number, metric)| (loaded.tried(number), metric.range())).collect();
    let mut points: Vec<(Vec<Value>, usize)> = Vec::new();
    for cell in loaded.cells.iter().filter(|cell| cell.is_tried()) {
        let done = usize::from(cell.record.is_some());
        match points.iter_mut().find(|(point, _)| *point == cell.cell.point) {
            Some((_, rounds)) => *rounds += done,
            None => points.push((cell.cell.point.clone(), done)),
        }
    }
    points.sort_by_cached_key(|(point, _)| axes.ranks(point));
    let lines = points.iter().map(|(point, rounds)| {
        let mut line: Vec<String> = point.iter().map(ToString::to_string).collect();
        line.push(rounds.to_string());
        for (series, range) in &all {
            let estimate = series.iter().find(|series| series.point == *point).and_then(|s| s.estimate(*range, 0.05));
            line.push(estimate.map_or_else(|| "DNF".to_owned(), |estimate| interval(&estimate)));
        }
        line
    });
    let lines = lines.collect();
    (head, lines)
}

/// How many points were not tried yet.
#[must_use]
pub fn untried(loaded: &Loaded<'_>) -> usize {
    let all: BTreeSet<&Point> = loaded.cells.iter().map(|cell| &cell.cell.point).collect();
    all.len() - loaded.points_tried().len()
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A metric at one point, over its rounds.
#[derive(Clone, Debug)]
pub struct MetricRow<'e> {
    /// The point.
    pub point: Point,
    /// The metric.
    pub metric: &'e Metric,
    /// How many rounds have a number.
    pub rounds: usize,
    /// How many rounds have none.
    pub missing: u32,
    /// The mean over rounds and its interval; none without any number.
    pub estimate: Option<Estimate>,
}

/// Every metric of every point, with its interval.
#[must_use]
pub fn metrics<'e>(loaded: &Loaded<'e>) -> Vec<MetricRow<'e>> {
    let all = loaded.experiment.metrics.iter().enumerate();
    let rows = all.flat_map(|(number, metric)| {
        loaded.series(number).into_iter().map(move |series| {
            let (rounds, missing, estimate) =
                (series.rounds.len(), series.missing, series.estimate(metric.range(), 0.05));
            MetricRow { point: series.point, metric, rounds, missing, estimate }
        })
    });
    rows.collect()
}

/// `tables/metrics.csv`: every metric of every point, with its interval.
#[must_use]
pub fn metrics_csv(loaded: &Loaded<'_>) -> String {
    let axes = loaded.experiment.axes.names();
    let own = ["metric", "unit", "rounds", "missing", "value", "low", "high"];
    let head: Vec<String> = texts(&axes).into_iter().chain(own.map(|name| free_name("metric", name, &axes))).collect();
    let line = |MetricRow { point, metric, rounds, missing, estimate }: MetricRow<'_>| {
        let mut line: Vec<String> = point.iter().map(ToString::to_string).collect();
        line.extend([metric.name.clone(), metric.unit.clone().unwrap_or_default()]);
        line.extend([rounds.to_string(), missing.to_string()]);
        line.extend([
            exact(estimate.map(|e| e.value)),
            exact(estimate.map(|e| e.low)),
            exact(estimate.map(|e| e.high)),
        ]);
        line
    };
    csv(&head, &metrics(loaded).into_iter().map(line).collect::<Vec<_>>())
}

/// `tables/cells.csv`: every cell with its metrics.
#[must_use]
pub fn cells_csv(loaded: &Loaded<'_>) -> String {
    let axes = &loaded.experiment.axes;
    let metrics: Vec<&str> = loaded.experiment.metrics.iter().map(|metric| metric.name.as_str()).collect();
    let taken = [axes.names(), metrics.clone()].concat();
    let own = |names: &[&str]| names.iter().map(|name| free_name("cell", name, &taken)).collect::<Vec<_>>();
    let head = [own(&["key"]), texts(&axes.names()), own(&["round", "origin", "host"]), texts(&metrics)].concat();
    let mut order: Vec<usize> = (0..loaded.cells.len()).collect();
    order.sort_by_cached_key(|cell| (axes.ranks(&loaded.cells[*cell].cell.point), loaded.cells[*cell].cell.round));
    let lines: Vec<Vec<String>> = order
        .into_iter()
        .map(|place| {
            let loaded_cell = &loaded.cells[place];
            let cell = &loaded_cell.cell;
            let mut line = vec![cell.key.to_string()];
            line.extend(cell.point.iter().map(ToString::to_string));
            line.push(cell.round.to_string());
            line.push(loaded_cell.record.as_ref().map(|record| record.origin.to_string()).unwrap_or_default());
            line.push(loaded_cell.notes.get(matrix_host::HOST).cloned().unwrap_or_default());
            line.extend(
                loaded.metrics.iter().map(|numbers| exact(numbers.get(place).copied().flatten().map(|n| n.value))),
            );
            line
        })
        .collect();
    csv(&head, &lines)
}

/// `tables/claims.csv`: every claim with its verdict, a line for each number that it stands on.
#[must_use]
pub fn claims_csv(loaded: &Loaded<'_>) -> String {
    let head = texts(&["id", "paper", "says", "verdict", "about", "verdict_on_it", "numbers"]);
    let mut lines = Vec::new();
    for finding in findings(loaded) {
        for detail in &finding.judged.details {
            lines.push(vec![
                finding.claim.id.clone(),
                finding.claim.paper.clone().unwrap_or_default(),
                finding.claim.says.clone(),
                finding.judged.verdict.name().to_owned(),
                detail.what.clone(),
                detail.verdict.name().to_owned(),
                detail.text.clone(),
            ]);
        }
    }
    csv(&head, &lines)
}

//! The matrix: axes, points and the metrics of each point.

use std::collections::{BTreeMap, BTreeSet};

use matrix_analysis::tables::{SummaryRow, TreatmentRow};
use matrix_plan::{Axes, CellKey, CellState};
use matrix_report::page::{AttemptView, Axis, MOST_POINTS, Metric, Point, number, run_again};

/// The metrics, in the order of [`numbers`].
pub(super) fn metrics() -> Vec<Metric> {
    ["inconsistent, %", "window p50, ms", "window p99, ms", "throughput, 1/s", "lost requests", "failed requests"]
        .map(|name| Metric { name: name.to_owned() })
        .into()
}

/// The axes of some cells, each with the values that occur.
pub(super) fn axes<'a>(cells: impl Iterator<Item = &'a Axes>) -> Vec<Axis> {
    let (mut posts, mut notifications, mut regions, mut delays, mut antipode) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for axes in cells {
        posts.insert(axes.combination.post_storage);
        notifications.insert(axes.combination.notification_storage);
        regions.insert(&axes.combination.regions);
        delays.insert(axes.delay_ms);
        antipode.insert(axes.antipode);
    }
    fn axis<T: ToString>(name: &str, values: BTreeSet<T>) -> Axis {
        Axis { name: name.to_owned(), values: values.iter().map(ToString::to_string).collect() }
    }
    vec![
        axis("post_storage", posts),
        axis("notification_storage", notifications),
        axis("regions", regions),
        axis("delay_ms", delays),
        axis("antipode", antipode),
    ]
}

/// The values of a point, in the order of [`axes`].
pub(super) fn values(axes: &Axes) -> Vec<String> {
    let combination = &axes.combination;
    vec![
        combination.post_storage.to_string(),
        combination.notification_storage.to_string(),
        combination.regions.to_string(),
        axes.delay_ms.to_string(),
        axes.antipode.to_string(),
    ]
}

/// The points of some cells: those that differ only in the round are one; and how many more there are than a page lists,
/// whose attempts it does not list either. `planned` is the experiment that runs planned.
pub(super) fn points<'a>(
    planned: Option<&str>,
    axes: &[Axis],
    cells: impl Iterator<Item = (&'a CellKey, &'a Axes, CellState)>,
    rows: &[SummaryRow],
    mut attempts: impl FnMut(&CellKey) -> Vec<AttemptView>,
) -> (Vec<Point>, usize) {
    let mut grouped: BTreeMap<&Axes, Vec<(&CellKey, CellState)>> = BTreeMap::new();
    for (key, axes, state) in cells {
        grouped.entry(axes).or_default().push((key, state));
    }
    let more = grouped.len().saturating_sub(MOST_POINTS);
    let treatments = treatments(rows);
    let names: Vec<&str> = axes.iter().map(|axis| axis.name.as_str()).collect();
    let point = |(of, cells): (&Axes, Vec<(&CellKey, CellState)>)| {
        let values = values(of);
        let place = |(axis, value): (&Axis, &String)| axis.values.iter().position(|known| known == value).unwrap_or(0);
        let treatment = treatments.get(of);
        let listed = cells.iter().filter(|_| more == 0);
        let mut tried: Vec<AttemptView> = listed.flat_map(|(key, _)| attempts(key)).collect();
        tried.sort_by(|a, b| (a.round, &a.started, &a.id).cmp(&(b.round, &b.started, &b.id)));
        Point {
            at: axes.iter().zip(&values).map(place).collect(),
            again: planned.and_then(|experiment| {
                run_again(experiment, names.iter().copied().zip(values.iter().map(String::as_str)))
            }),
            values,
            state: state(&cells),
            numbers: treatment.map_or_else(|| vec![None; metrics().len()], |treatment| numbers(treatment)),
            texts: treatment.map_or_else(|| vec!["–".to_owned(); metrics().len()], |treatment| texts(treatment)),
            command: None,
            attempts: tried,
        }
    };
    (grouped.into_iter().take(MOST_POINTS).map(point).collect(), more)
}

/// How the cells of a point stand: one word where they agree, else counts.
fn state(cells: &[(&CellKey, CellState)]) -> String {
    let counts: Vec<(CellState, usize)> = CellState::ALL
        .into_iter()
        .map(|state| (state, cells.iter().filter(|(_, of)| *of == state).count()))
        .filter(|(_, count)| *count > 0)
        .collect();
    match counts.as_slice() {
        [(state, _)] => state.to_string(),
        several => several.iter().map(|(state, count)| format!("{count} {state}")).collect::<Vec<_>>().join(", "),
    }
}

fn treatments(rows: &[SummaryRow]) -> BTreeMap<Axes, &TreatmentRow> {
    let mut treatments = BTreeMap::new();
    for row in rows {
        for (antipode, treatment) in [(false, &row.off), (true, &row.on)] {
            let Some(treatment) = treatment else { continue };
            let combination =
                matrix_plan::Combination::new(row.post_storage, row.notification_storage, row.regions.clone());
            treatments.insert(Axes { combination, delay_ms: row.delay_ms, antipode }, treatment);
        }
    }
    treatments
}

fn numbers(row: &TreatmentRow) -> Vec<Option<f64>> {
    let observed = |value: f64| (row.reads > 0 && value.is_finite()).then_some(value);
    vec![
        observed(100.0 * row.inconsistent.value),
        observed(row.window_p50_ms),
        observed(row.window_p99_ms),
        row.throughput_per_s.is_finite().then_some(row.throughput_per_s),
        Some(row.lost as f64),
        Some(row.failed as f64),
    ]
}

fn texts(row: &TreatmentRow) -> Vec<String> {
    let mut texts: Vec<String> =
        numbers(row).into_iter().map(|value| value.map_or_else(|| "–".to_owned(), number)).collect();
    if let Some(share) = texts.first_mut() {
        let (low, high) = (100.0 * row.inconsistent.low, 100.0 * row.inconsistent.high);
        *share = format!("{share} [{}, {}]", number(low), number(high));
    }
    texts
}

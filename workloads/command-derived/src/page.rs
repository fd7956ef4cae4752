//! A program's results as sections of a page.

use std::collections::{BTreeMap, BTreeSet};

use matrix_command::results::{self, Finding, Loaded, findings};
use matrix_command::run::PlanDocument;
use matrix_core::Point as Values;
use matrix_core::judge::{Detail, Judged};
use matrix_core::series::mean;
use matrix_core::{CellKey, CellState, Tally};
use matrix_figures::{FigureError, Picture};
use matrix_report::page::{
    self, AttemptView, Axis, ClaimView, Failed, FigureView, Kind, Label, MOST_FAILED, MOST_POINTS, Metric, Page, Point,
    ReportOptions, Section, Timed, plain,
};
use matrix_report::{environment, seconds_between};
use matrix_store::attempt::AttemptStatus;
use matrix_store::{Digest, GenericAttempt, GenericRecord, Origin, RecordFile, Sealed, Store};

use crate::attempts::Tried;
use crate::chosen::{Chosen, newest, plan_of};
use crate::error::DerivedError;
use crate::{appendix, attempts, figures};

/// Axes that tell kinds of cells apart where times are shown.
const KIND_AXES: usize = 2;

/// An experiment of a store, and what the newest run of it planned.
struct Part {
    chosen: Chosen,
    plan: PlanDocument,
}

/// The newest run of each experiment of schema 2.
fn parts(store: &Store) -> Result<Vec<Part>, DerivedError> {
    let mut parts = Vec::new();
    for id in newest(store, None)? {
        if let Some(plan) = plan_of(&store.run_documents(id.as_str())?)? {
            for chosen in Chosen::of_runs(store, std::slice::from_ref(&id))? {
                parts.push(Part { chosen, plan: plan.clone() });
            }
        }
    }
    Ok(parts)
}

/// The names of the experiments of programs in a store.
///
/// # Errors
/// When the store cannot be read, or a plan is not what it should be.
pub fn experiments(store: &Store) -> Result<BTreeSet<String>, DerivedError> {
    Ok(parts(store)?.into_iter().map(|part| part.plan.experiment).collect())
}

/// Adds a store's experiments of programs to a page: those that are `wanted` by their names. With `authors`, each is compared
/// with the experiment of the same name there.
///
/// # Errors
/// When a store cannot be read, what it holds is not what its records say, or a figure cannot be drawn.
pub fn add_to(
    page: &mut Page,
    store: &Store,
    authors: Option<&Store>,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<(), DerivedError> {
    let theirs = authors.map(parts).transpose()?.unwrap_or_default();
    for part in parts(store)?.iter().filter(|part| wanted(&part.plan.experiment)) {
        let loaded = results::load(store, &part.chosen.experiment, &part.chosen.cells, None)?;
        let their = match (authors, theirs.iter().find(|other| other.plan.experiment == part.plan.experiment)) {
            (Some(authors), Some(other)) => {
                let loaded = results::load(authors, &other.chosen.experiment, &other.chosen.cells, None)?;
                Some((loaded, attempts::of_cells(authors, &other.chosen.cells)?))
            }
            _ => None,
        };
        let tried = attempts::of_cells(store, &part.chosen.cells)?;
        let environments = of_attempts(&tried);
        if let Some((_, theirs)) = &their {
            let others = of_attempts(theirs).into_iter().filter(|line| !environments.contains(line));
            page.environment_authors.extend(others);
        }
        page.environment.extend(environments);
        page.environment.sort();
        page.environment.dedup();
        if loaded.done() > 0 {
            page.labels.push(Label { kind: "measured", text: "measured: programs that were run".to_owned() });
        }
        let disturbed = loaded.disturbed().count();
        if disturbed > 0 {
            let cells = if disturbed == 1 { "1 cell".to_owned() } else { format!("{disturbed} cells") };
            let text = format!("disturbed: other work ran beside {cells}");
            page.labels.push(Label { kind: "disturbed", text });
        }
        page.sections.push(section(store, part, &loaded, &tried, their.as_ref())?);
    }
    Ok(())
}

/// The page that a bundle of these experiments carries.
///
/// # Errors
/// As for [`add_to`].
pub fn of_bundle(store: &Store, names: &[&str]) -> Result<Vec<u8>, DerivedError> {
    let mut page = Page::default();
    add_to(&mut page, store, None, &|name| names.contains(&name))?;
    let records = records(store)?;
    page.records = page::records_digest(records.iter().map(|(key, origin, digest)| (*key, origin, *digest)));
    page.conclude(&ReportOptions::in_bundle());
    Ok(page.render()?.into_bytes())
}

/// The digests of a store's records, for [`page::records_digest`].
///
/// # Errors
/// When the store cannot be read, or a record is not what it should be.
pub fn records(store: &Store) -> Result<Vec<(CellKey, Origin, Option<Digest>)>, DerivedError> {
    let mut records = BTreeMap::new();
    for part in parts(store)? {
        for cell in &part.chosen.cells {
            for origin in store.origins(&cell.key)? {
                if let Some(record) = store.record::<GenericRecord>(&cell.key, &origin)? {
                    records.insert((cell.key, origin), record.digest());
                }
            }
        }
    }
    Ok(records.into_iter().map(|((key, origin), digest)| (key, origin, digest)).collect())
}

fn of_attempts(tried: &Tried) -> BTreeSet<String> {
    tried.values().flatten().map(|attempt| environment(&attempt.provenance)).collect()
}

fn took(attempt: &GenericAttempt) -> Option<f64> {
    seconds_between(&attempt.started, &attempt.ended)
}

fn section(
    store: &Store,
    part: &Part,
    loaded: &Loaded<'_>,
    tried: &Tried,
    their: Option<&(Loaded<'_>, Tried)>,
) -> Result<Section, DerivedError> {
    let experiment = loaded.experiment;
    let states = states(part, loaded, tried);
    let tally: Tally = states.values().copied().collect();
    let id = page::anchor(&experiment.name);
    let records = || loaded.cells.iter().filter_map(|cell| cell.record.as_ref());
    let origins: BTreeSet<&str> = records().map(|record| record.origin.as_str()).collect();
    let seconds: f64 = tried.values().flatten().filter_map(took).sum();
    let failed = failed(store, part, loaded, &states, tried)?;
    let (points, points_more) = points(store, loaded, &states, tried)?;
    let axis = |axis: &matrix_core::Axis| Axis {
        name: axis.name.clone(),
        values: axis.values.iter().map(|value| plain(&value.to_string())).collect(),
    };
    Ok(Section {
        name: plain(&experiment.name),
        experiment: plain(&experiment.name),
        has_kick_the_tires: experiment.subsets.contains_key(page::KICK_THE_TIRES),
        origin: if origins.is_empty() { "local".to_owned() } else { origins.into_iter().collect::<Vec<_>>().join("+") },
        nature: "measured".to_owned(),
        states: page::state_counts(tally),
        planned: tally.planned(),
        rows: records().flat_map(|record| record.rows.values()).map(|rows| rows.rows).sum(),
        time: page::duration(seconds),
        requires: appendix::requires(experiment).into_iter().map(|(requirement, _)| plain(&requirement)).collect(),
        failed_more: failed.len().saturating_sub(MOST_FAILED) as u64,
        failed: failed.into_iter().take(MOST_FAILED).collect(),
        claims: claims(loaded, their.map(|(loaded, _)| loaded)),
        figures: figure_views(&id, loaded, their.map(|(loaded, _)| loaded))?,
        axes: experiment.axes.axes.iter().map(axis).collect(),
        metrics: results::summary(loaded)
            .0
            .into_iter()
            .skip(experiment.axes.axes.len() + 1)
            .map(|name| Metric { name: plain(&name) })
            .collect(),
        points,
        points_more: points_more as u64,
        kind_heads: experiment.axes.names().into_iter().take(KIND_AXES).map(str::to_owned).collect(),
        kinds: kinds(loaded, tried, their),
        expected: their.is_some(),
        // Nothing estimates what a program takes.
        estimated: false,
        gantt: page::over_time(tried.values().flatten().map(|attempt| Timed {
            run: attempt.run.as_ref().map(ToString::to_string),
            key: attempt.key.short(),
            status: page::status_word(attempt.status),
            started: attempt.started.clone(),
            ended: attempt.ended.clone(),
        })),
        id,
    })
}

/// How each cell stands: what has no result as its last attempt ended, else as the newest run planned it.
fn states(part: &Part, loaded: &Loaded<'_>, tried: &Tried) -> BTreeMap<CellKey, CellState> {
    let planned: BTreeMap<CellKey, CellState> = part.plan.cells.iter().map(|cell| (cell.key, cell.state)).collect();
    let state = |cell: &results::LoadedCell| {
        let key = cell.cell.key;
        let last = tried.get(&key).and_then(|attempts| attempts.last()).map(|attempt| attempt.status);
        let state = match (cell.record.is_some(), last, planned.get(&key)) {
            (true, ..) => CellState::Done,
            (false, Some(AttemptStatus::Failed), _) => CellState::Failed,
            (false, Some(AttemptStatus::Partial), _) => CellState::Partial,
            (false, _, Some(CellState::Skipped)) => CellState::Skipped,
            _ => CellState::Pending,
        };
        (key, state)
    };
    loaded.cells.iter().map(state).collect()
}

/// Cells without a result, each with why: the last attempt's error and the last lines of standard error, or what it
/// requires. Failed cells come first.
fn failed(
    store: &Store,
    part: &Part,
    loaded: &Loaded<'_>,
    states: &BTreeMap<CellKey, CellState>,
    tried: &Tried,
) -> Result<Vec<Failed>, DerivedError> {
    let (mut failed, mut left_out) = (Vec::new(), Vec::new());
    for cell in &loaded.cells {
        let key = cell.cell.key;
        let state = states.get(&key).copied().unwrap_or(CellState::Pending);
        let values: Vec<String> = loaded
            .experiment
            .axes
            .axes
            .iter()
            .zip(&cell.cell.point)
            .map(|(axis, value)| format!("{}={value}", axis.name))
            .collect();
        let words = format!("{} round {}", values.join(" "), cell.cell.round);
        let why = match state {
            CellState::Done | CellState::Pending => continue,
            CellState::Skipped => {
                left_out.push((words, skipped(part, loaded, &cell.cell.point)));
                continue;
            }
            CellState::Failed | CellState::Partial => {
                let last = tried.get(&key).and_then(|attempts| attempts.last());
                last.map(|attempt| attempts::why(store, attempt)).transpose()?.unwrap_or_default()
            }
        };
        failed.push(Failed { key: key.short(), cell: plain(&words), state: state.as_str(), why: plain(&why) });
    }
    failed.sort_by(|one, other| one.cell.cmp(&other.cell));
    failed.extend(page::skipped(left_out.into_iter()));
    Ok(failed)
}

/// Why a cell was left out: what it requires, or the filter.
fn skipped(part: &Part, loaded: &Loaded<'_>, point: &Values) -> String {
    let requires = loaded.experiment.requires.iter();
    let unmet: Vec<&str> = requires
        .filter(|require| require.only.as_ref().is_none_or(|filter| filter.matches(&|axis| point.get(axis))))
        .map(|require| require.otherwise.as_str())
        .collect();
    match (&part.plan.filter, unmet.is_empty()) {
        (None, true) => "left out of the newest run".to_owned(),
        (None, false) => unmet.join("; "),
        (Some(filter), true) => format!("the filter of the newest run leaves it out: {filter}"),
        (Some(filter), false) => {
            format!("the filter of the newest run leaves it out ({filter}), or {}", unmet.join("; "))
        }
    }
}

fn claims(loaded: &Loaded<'_>, their: Option<&Loaded<'_>>) -> Vec<ClaimView> {
    let theirs = their.map(findings).unwrap_or_default();
    let view = |finding: &Finding<'_>| {
        let authors = theirs.iter().find(|other| other.claim.id == finding.claim.id);
        let uncovered = match &finding.claim.statement {
            matrix_core::claims::Statement::Uncovered(why) => vec![format!("not covered: {}", plain(why))],
            _ => appendix::numbers(finding).iter().map(|line| plain(line)).collect(),
        };
        ClaimView {
            id: plain(&finding.claim.id),
            says: plain(&finding.claim.says),
            source: finding.claim.paper.as_deref().map(plain).unwrap_or_default(),
            verdict: finding.judged.verdict.name().to_owned(),
            nature: if finding.disturbed > 0 { "disturbed".to_owned() } else { String::new() },
            found: uncovered,
            authors: authors.map(|other| {
                plain(&format!("{}: {}", other.judged.verdict.name(), appendix::numbers(other).join("; ")))
            }),
            comparison: authors.map(|other| compare(&finding.judged, &other.judged)),
        }
    };
    findings(loaded).iter().map(view).collect()
}

/// How a claim compares with the authors': `reproduced` where both hold and the intervals of the numbers that were judged
/// overlap; `same direction` where both hold and some do not, as on another machine; `differs` where only one holds.
fn compare(ours: &Judged, theirs: &Judged) -> &'static str {
    let overlap = |ours: &Detail| {
        let other = theirs.details.iter().find(|other| other.what == ours.what && other.estimate.is_some());
        ours.estimate
            .zip(other.and_then(|other| other.estimate))
            .is_none_or(|(a, b)| a.low <= b.high && b.low <= a.high)
    };
    match (ours.verdict.holds(), theirs.verdict.holds()) {
        (Some(true), Some(true)) if !ours.details.iter().all(overlap) => "same direction",
        (Some(true), Some(true)) => "reproduced",
        (Some(_), Some(_)) => "differs",
        _ => "undecided",
    }
}

fn figure_views(
    section: &str,
    loaded: &Loaded<'_>,
    their: Option<&Loaded<'_>>,
) -> Result<Vec<FigureView>, DerivedError> {
    let mut views = Vec::new();
    for figure in &loaded.experiment.figures {
        let figures::Against { csv, drawing, their_csv } = figures::picture_against(loaded, their, figure);
        let drawing = match drawing {
            Ok(Picture::Drawing(drawing)) => drawing.svg,
            // Its rows are the picture.
            Ok(Picture::Latex(_)) => String::new(),
            Err(FigureError::Empty { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        let id = format!("{section}-{}", page::anchor(&figure.name));
        let mut view = page::figure_view(&id, &figure.name, &format!("{}.csv", figure.name), &drawing, &csv);
        view.rows_authors = their_csv.as_deref().map(page::rows_of);
        view.paper = figure.paper.as_deref().map(plain);
        views.push(view);
    }
    Ok(views)
}

/// The points of the matrix, and how many more there are than a page lists.
fn points(
    store: &Store,
    loaded: &Loaded<'_>,
    states: &BTreeMap<CellKey, CellState>,
    tried: &Tried,
) -> Result<(Vec<Point>, usize), DerivedError> {
    let experiment = loaded.experiment;
    let axes = &experiment.axes;
    let (_, lines) = results::summary(loaded);
    let count = axes.axes.len();
    let texts: BTreeMap<Vec<String>, Vec<String>> = lines
        .into_iter()
        .map(|line| (line[..count].to_vec(), line[count + 1..].iter().map(|text| page::grouped(text)).collect()))
        .collect();
    let series: Vec<BTreeMap<Values, f64>> = (0..experiment.metrics.len())
        .map(|metric| {
            let series = loaded.series(metric).into_iter();
            let value = |series: matrix_core::Series| {
                let values: Vec<f64> = series.rounds.values().copied().collect();
                Some((series.point, mean(&values, 0.05)?.value))
            };
            series.filter_map(value).collect()
        })
        .collect();
    let mut grouped: BTreeMap<Vec<usize>, Vec<&results::LoadedCell>> = BTreeMap::new();
    for cell in &loaded.cells {
        grouped.entry(axes.ranks(&cell.cell.point)).or_default().push(cell);
    }
    let point = |(at, mut cells): (Vec<usize>, Vec<&results::LoadedCell>)| {
        cells.sort_by_key(|cell| cell.cell.round);
        let values: Vec<String> =
            cells.first().map(|cell| cell.cell.point.iter().map(ToString::to_string).collect()).unwrap_or_default();
        let of_state =
            |state: CellState| cells.iter().filter(|cell| states.get(&cell.cell.key) == Some(&state)).count();
        let counts: Vec<(CellState, usize)> =
            CellState::ALL.into_iter().map(|state| (state, of_state(state))).filter(|(_, count)| *count > 0).collect();
        let number = |values: &BTreeMap<Values, f64>| values.get(&cells.first()?.cell.point).copied();
        let of_cell = |cell: &&results::LoadedCell| {
            let round = cell.cell.round;
            tried.get(&cell.cell.key).into_iter().flatten().map(move |attempt| view(store, attempt, round))
        };
        let named = experiment.axes.names().into_iter().zip(values.iter().map(String::as_str));
        Ok(Point {
            at,
            state: match counts.as_slice() {
                [(state, _)] => state.to_string(),
                several => {
                    several.iter().map(|(state, count)| format!("{count} {state}")).collect::<Vec<_>>().join(", ")
                }
            },
            numbers: series.iter().map(number).collect(),
            texts: texts.get(&values).cloned().unwrap_or_else(|| vec!["–".to_owned(); series.len()]),
            command: cells.iter().find_map(|cell| command(cell, tried)),
            again: page::run_again(&experiment.name, named),
            attempts: cells.iter().flat_map(of_cell).collect::<Result<_, DerivedError>>()?,
            values: values.iter().map(|value| plain(value)).collect(),
        })
    };
    let more = grouped.len().saturating_sub(MOST_POINTS);
    let points: Result<_, DerivedError> = grouped.into_iter().take(MOST_POINTS).map(point).collect();
    Ok((points?, more))
}

/// The program and its arguments as the cell's key has them: placeholders of the machine stay, as `{out}`.
fn command(cell: &results::LoadedCell, tried: &Tried) -> Option<String> {
    let of_attempts = || tried.get(&cell.cell.key)?.iter().find_map(|attempt| attempt.inputs.as_ref());
    let inputs = cell.record.as_ref().map(|record| &record.inputs).or_else(of_attempts)?;
    let words: Option<Vec<&str>> = inputs["command"]["run"].as_array()?.iter().map(serde_json::Value::as_str).collect();
    Some(plain(&shlex::try_join(words?).unwrap_or_default())).filter(|command| !command.is_empty())
}

fn view(store: &Store, attempt: &GenericAttempt, round: u32) -> Result<AttemptView, DerivedError> {
    Ok(AttemptView {
        id: attempt.id.to_string(),
        key: attempt.key.short(),
        round,
        status: page::status_word(attempt.status),
        started: plain(&attempt.started),
        took: took(attempt).map_or_else(|| "–".to_owned(), page::duration),
        notes: attempt.notes.iter().map(|(name, note)| plain(&format!("{name}: {note}"))).collect(),
        why: plain(&attempts::why(store, attempt)?),
    })
}

type Times = BTreeMap<Vec<String>, (Vec<f64>, u64)>;

/// Seconds of attempts, and bytes of what they left, by kind of cell.
fn times(loaded: &Loaded<'_>, tried: &Tried) -> Times {
    let mut kinds = Times::new();
    for cell in &loaded.cells {
        let kind = cell.cell.point.iter().take(KIND_AXES).map(|value| plain(&value.to_string())).collect();
        let (seconds, bytes) = kinds.entry(kind).or_default();
        seconds.extend(tried.get(&cell.cell.key).into_iter().flatten().filter_map(took));
        *bytes += cell.record.iter().flat_map(RecordFile::objects).map(|object| object.bytes).sum::<u64>();
    }
    kinds
}

fn kinds(loaded: &Loaded<'_>, tried: &Tried, their: Option<&(Loaded<'_>, Tried)>) -> Vec<Kind> {
    let theirs = their.map(|(loaded, tried)| times(loaded, tried)).unwrap_or_default();
    let mean = |times: &[f64]| (!times.is_empty()).then(|| times.iter().sum::<f64>() / times.len() as f64);
    let words = |seconds: Option<f64>| seconds.map_or_else(|| "–".to_owned(), page::duration);
    let kind = |(values, (seconds, bytes)): (Vec<String>, (Vec<f64>, u64))| Kind {
        attempts: seconds.len(),
        mean_s: words(mean(&seconds)),
        longest_s: words(seconds.iter().copied().reduce(f64::max)),
        estimated_s: words(None),
        expected_s: words(theirs.get(&values).and_then(|(seconds, _)| mean(seconds))),
        values,
        bytes,
    };
    times(loaded, tried).into_iter().map(kind).collect()
}

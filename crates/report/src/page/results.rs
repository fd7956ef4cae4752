//! From results to what the page says of them.

use std::collections::{BTreeMap, BTreeSet};

use matrix_analysis::{Options, Pools, load, summary};
use matrix_bundle::Inventory;
use matrix_plan::{Axes, CellKey, CellState, Tally};
use matrix_presets::{Figure, FigureError};
use matrix_run::results::unreadable;
use matrix_run::{FailureKind, RunError, with_causes};
use matrix_store::Attempt;

use super::against::Authors;
use super::conclude::records_digest;
use super::model::{Failed, FigureView, Kind, Label, Page, Section, StateCount};
use super::text::{anchor, duration, plain};
use super::{attempts, claims, points};
use crate::derive::Part;
use crate::picture;

/// Points that one section lists; a matrix of more is shown without its attempts, and without the points beyond.
pub const MOST_POINTS: usize = 2000;

/// Cells without a result that one section lists.
pub const MOST_FAILED: usize = 50;

/// Rows of a table that stand under its figure; the link has all of them.
const MOST_ROWS: usize = 60;

/// Largest table that the page carries as a link, in bytes.
const LARGEST_TABLE: usize = 400 << 10;

/// What a page is made with besides the results.
#[derive(Clone, Debug, Default)]
pub struct ReportOptions {
    /// The heading, where it is not to be the experiments' names.
    pub title: Option<String>,
    /// What the commands on the page call the results: a path in the shell's quotes, or a stand-in.
    pub place: String,
    /// Whether the results are a bundle.
    pub is_bundle: bool,
    /// Seconds after which the page loads itself again.
    pub refresh_s: Option<u32>,
}

/// Makes the page of some results.
///
/// # Errors
/// When a trace cannot be read, or what stands in a journal or a plan.
pub fn of_results(
    parts: &[Part<'_>],
    inventory: &Inventory,
    authors: Option<&Authors<'_>>,
    options: &ReportOptions,
) -> Result<Page, RunError> {
    let states = inventory.states()?;
    let mut page = Page {
        generator: concat!("matrix ", env!("CARGO_PKG_VERSION")).to_owned(),
        records: records_digest(
            inventory.records.iter().map(|((key, origin), record)| (*key, origin, record.digest())),
        ),
        environment: attempts::environments(inventory.attempts.values()).into_iter().collect(),
        against: authors.map(|authors| plain(&authors.name)),
        ..Page::default()
    };
    if let Some(authors) = authors {
        let ours: BTreeSet<&String> = page.environment.iter().collect();
        page.environment_authors = authors.environments().into_iter().filter(|line| !ours.contains(line)).collect();
    }
    for part in parts {
        let states: BTreeMap<CellKey, (Axes, CellState, u32)> = part
            .cells
            .iter()
            .filter_map(|key| {
                let (axes, round, state) = states.get(key)?;
                let record = inventory.records.get(&(*key, part.origin.clone()));
                let done = record.is_some_and(|record| record.counts.observed() > 0);
                // What another origin measured is not done here.
                let state = match (done, *state) {
                    (true, _) => CellState::Done,
                    (false, CellState::Done) => CellState::Pending,
                    (false, state) => state,
                };
                Some((*key, (axes.clone(), state, *round)))
            })
            .collect();
        page.sections.push(section(part, inventory, &states, authors)?);
    }
    page.labels = labels(parts);
    page.conclude(options);
    Ok(page)
}

fn labels(parts: &[Part<'_>]) -> Vec<Label> {
    let mut labels = BTreeSet::new();
    for part in parts.iter().filter(|part| part.source.done > 0) {
        let words = part.source.nature.words();
        for word in &words {
            labels.insert((if word.starts_with("simulated") { "simulated" } else { "configured" }, plain(word)));
        }
        if !part.source.nature.simulated {
            labels.insert(("measured", "measured on real services".to_owned()));
        }
    }
    labels.into_iter().map(|(kind, text)| Label { kind, text }).collect()
}

type States = BTreeMap<CellKey, (Axes, CellState, u32)>;

fn section(
    part: &Part<'_>,
    inventory: &Inventory,
    states: &States,
    authors: Option<&Authors<'_>>,
) -> Result<Section, RunError> {
    let tally: Tally = states.values().map(|(_, state, _)| *state).collect();
    let tried = attempts::attempts_of(inventory, &part.origin, |key| states.contains_key(key));
    let seconds: f64 = tried.values().flatten().filter_map(|attempt| attempts::seconds(attempt)).sum();
    let their = authors.and_then(|authors| authors.part(part));
    let claims = part.claims.iter().map(|claim| {
        let theirs = their.and_then(|their| their.claims.iter().find(|other| other.id == claim.id));
        claims::view(claim, theirs)
    });
    let loaded = load(&part.traced, &Options::default()).map_err(unreadable)?;
    let pools = Pools::new(&loaded);
    let axes = points::axes(states.values().map(|(axes, ..)| axes));
    let cells = states.iter().map(|(key, (axes, state, _))| (*key, (axes.clone(), *state))).collect();
    let of_cell = |key: &CellKey| {
        let round = states.get(key).map_or(0, |(.., round)| *round);
        tried.get(key).into_iter().flatten().map(|attempt| attempts::view(attempt, round)).collect()
    };
    let mut points = points::points(&axes, &cells, &summary(&pools), of_cell);
    let points_more = points.len().saturating_sub(MOST_POINTS);
    if points_more > 0 {
        points.truncate(MOST_POINTS);
        points.iter_mut().for_each(|point| point.attempts.clear());
    }
    let failed = failed(states, &tried);
    let id = anchor(&part.name);
    Ok(Section {
        name: plain(&part.name),
        experiment: plain(&part.source.experiment),
        origin: part.origin.to_string(),
        nature: plain(&part.source.nature.words().join("; ")),
        states: state_counts(tally),
        planned: tally.planned(),
        rows: loaded_rows(inventory, part),
        time: duration(seconds),
        requires: Vec::new(),
        failed_more: failed.len().saturating_sub(MOST_FAILED) as u64,
        failed: failed.into_iter().take(MOST_FAILED).collect(),
        claims: claims.collect(),
        figures: figures(&id, part, &pools, their)?,
        axes,
        metrics: points::metrics(),
        points,
        points_more: points_more as u64,
        kind_heads: vec!["post_storage".to_owned(), "notification_storage".to_owned()],
        kinds: kinds(part, inventory, states, &tried, authors),
        expected: their.is_some(),
        gantt: attempts::over_time(tried.values().flatten().map(|attempt| attempts::timed(attempt))),
        id,
    })
}

fn loaded_rows(inventory: &Inventory, part: &Part<'_>) -> u64 {
    let records =
        inventory.records.iter().filter(|((key, origin), _)| *origin == part.origin && part.cells.contains(key));
    records.map(|(_, record)| record.counts.planned).sum()
}

/// How cells stand, as parts of a bar.
#[must_use]
pub fn state_counts(tally: Tally) -> Vec<StateCount> {
    let planned = tally.planned().max(1) as f64;
    let mut left = 0.0;
    let count = |state: CellState| {
        let count = tally.count(state);
        let width = 1000.0 * count as f64 / planned;
        let part = StateCount { state: state.as_str(), count, width, left };
        left += width;
        part
    };
    CellState::ALL.into_iter().map(count).collect()
}

/// Cells whose last attempt failed or ended early, each with its reason.
fn failed(states: &States, tried: &BTreeMap<CellKey, Vec<&Attempt>>) -> Vec<Failed> {
    let bad = states.iter().filter(|(_, (_, state, _))| matches!(state, CellState::Failed | CellState::Partial));
    bad.map(|(key, (axes, state, round))| {
        let last = tried.get(key).and_then(|attempts| attempts.last());
        let mut why: Vec<String> = last.and_then(|attempt| attempt.error.clone()).into_iter().collect();
        why.extend(
            last.iter()
                .flat_map(|attempt| &attempt.reasons)
                .map(|reason| format!("{} x {}", reason.count, reason.text)),
        );
        Failed {
            key: key.short(),
            cell: plain(&format!("{axes} round {round}")),
            state: state.as_str(),
            why: if why.is_empty() { "no reason was kept".to_owned() } else { plain(&why.join("\n")) },
        }
    })
    .collect()
}

fn figures(
    section: &str,
    part: &Part<'_>,
    pools: &Pools<'_>,
    their: Option<&Part<'_>>,
) -> Result<Vec<FigureView>, RunError> {
    let mut views = Vec::new();
    if part.source.done == 0 {
        return Ok(views);
    }
    let theirs = their.map(|their| load(&their.traced, &Options::default()).map_err(unreadable)).transpose()?;
    let theirs = theirs.as_ref().map(Pools::new);
    for figure in Figure::ALL {
        let (csv, drawing) = picture(figure, pools, &part.source);
        let drawing = match drawing {
            Ok(drawing) => drawing,
            Err(FigureError::NoData { .. }) => continue,
            Err(error) => {
                return Err(RunError::new(FailureKind::Internal, format!("{figure}: {}", with_causes(&error))));
            }
        };
        let id = format!("{section}-{figure}");
        let drawn = theirs.as_ref().zip(their).and_then(|(pools, their)| picture(figure, pools, &their.source).1.ok());
        let mut view = figure_view(&id, figure.title(), &format!("{figure}.csv"), &drawing.svg, &csv);
        view.svg_authors = drawn.map(|drawing| inline(&drawing.svg, &format!("{id}-authors")));
        views.push(view);
    }
    Ok(views)
}

/// A figure with its picture and its table. `svg` is of this program's own renderer.
#[must_use]
pub fn figure_view(id: &str, title: &str, file: &str, svg: &str, csv: &str) -> FigureView {
    let mut lines = csv.lines();
    let heads = lines.next().map(fields).unwrap_or_default();
    let rows: Vec<Vec<String>> = lines.map(fields).collect();
    FigureView {
        title: plain(title),
        svg: inline(svg, id),
        file: plain(file),
        data: (csv.len() <= LARGEST_TABLE).then(|| data_link(csv)),
        heads,
        rows_more: rows.len().saturating_sub(MOST_ROWS),
        rows: rows.into_iter().take(MOST_ROWS).collect(),
        id: id.to_owned(),
        ..FigureView::default()
    }
}

/// The fields of a line of our own CSV, none of which is quoted unless a name holds a comma.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            letter => fields.last_mut().into_iter().for_each(|field| field.push(letter)),
        }
    }
    fields.iter().map(|field| plain(field)).collect()
}

/// A table as a link that a browser saves.
fn data_link(csv: &str) -> String {
    use base64::Engine as _;
    format!("data:text/csv;base64,{}", base64::engine::general_purpose::STANDARD.encode(csv))
}

/// A picture of our renderer as part of a page: its anchors get a prefix, so that several can stand in one page, and the
/// words of single paths go, which the picture's own description has.
fn inline(svg: &str, prefix: &str) -> String {
    let svg = svg
        .replacen("id=\"title\"", &format!("id=\"{prefix}-title\""), 1)
        .replacen("id=\"desc\"", &format!("id=\"{prefix}-desc\""), 1)
        .replacen("aria-labelledby=\"title desc\"", &format!("aria-labelledby=\"{prefix}-title {prefix}-desc\""), 1);
    let mut pieces = svg.split(" aria-label=\"");
    let mut inline = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        inline.push_str(piece.split_once('"').map_or("", |(_, rest)| rest));
    }
    inline
}

fn kinds(
    part: &Part<'_>,
    inventory: &Inventory,
    states: &States,
    tried: &BTreeMap<CellKey, Vec<&Attempt>>,
    authors: Option<&Authors<'_>>,
) -> Vec<Kind> {
    let mut kinds: BTreeMap<Vec<String>, (Vec<f64>, u64)> = BTreeMap::new();
    for (key, (axes, ..)) in states {
        let kind = kinds.entry(points::values(axes).into_iter().take(2).collect()).or_default();
        kind.0.extend(tried.get(key).into_iter().flatten().filter_map(|attempt| attempts::seconds(attempt)));
        let record = inventory.records.get(&(*key, part.origin.clone()));
        kind.1 += record.map_or(0, |record| record.object.bytes);
    }
    let their = authors.map(Authors::seconds_by_kind).unwrap_or_default();
    let mean = |times: &[f64]| (!times.is_empty()).then(|| times.iter().sum::<f64>() / times.len() as f64);
    let words = |seconds: Option<f64>| seconds.map_or_else(|| "–".to_owned(), duration);
    let kind = |(values, (times, bytes)): (Vec<String>, (Vec<f64>, u64))| Kind {
        attempts: times.len(),
        mean_s: words(mean(&times)),
        longest_s: words(times.iter().copied().reduce(f64::max)),
        expected_s: words(their.get(&values).and_then(|times| mean(times))),
        values,
        bytes,
    };
    kinds.into_iter().map(kind).collect()
}

//! From results to what the page says of them.

use std::collections::{BTreeMap, BTreeSet};

use matrix_analysis::tables::SummaryRow;
use matrix_analysis::{Options, Pools, load, summary};
use matrix_archive::Inventory;
use matrix_plan::plan::{Plan, Reason};
use matrix_plan::{Axes, CellKey, CellState, NotificationStorage, PostStorage, Tally};
use matrix_report::page::{
    Failed, FigureView, Kind, Label, MOST_FAILED, Page, ReportOptions, Section, Times, anchor, duration, figure_view,
    inline, over_time, plain, records_digest, skipped, state_counts,
};
use matrix_run::results::unreadable;
use matrix_run::{FailureKind, RunError};
use matrix_store::{Sealed, parallel};
use matrix_traces::{Attempt, Record};

use super::against::Authors;
use super::{attempts, claims, points};
use crate::derive::Part;
use crate::picture;
use crate::pictures::{Picture, pictures};

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
    let mut page = Pages::begin(inventory, authors)?;
    for part in parts {
        let loaded = load(&part.traced, &Options::default()).map_err(unreadable)?;
        let pools = Pools::new(&loaded);
        page.add(part, &pools, &summary(&pools), None)?;
    }
    Ok(page.end(parts, options))
}

/// A page that is made part by part.
pub(crate) struct Pages<'a> {
    inventory: &'a Inventory,
    authors: Option<&'a Authors<'a>>,
    states: matrix_archive::States,
    page: Page,
}

impl<'a> Pages<'a> {
    /// A page without parts.
    ///
    /// # Errors
    /// When a journal or a plan cannot be read.
    pub(crate) fn begin(inventory: &'a Inventory, authors: Option<&'a Authors<'a>>) -> Result<Self, RunError> {
        Ok(Self { inventory, authors, states: inventory.states()?, page: beginning(inventory, authors) })
    }

    /// Adds a part, whose traces were loaded and summed up. `drawn` are its figures, if there are any already.
    ///
    /// # Errors
    /// When a trace to compare with cannot be read.
    pub(crate) fn add(
        &mut self,
        part: &Part<'_>,
        pools: &Pools<'_>,
        rows: &[SummaryRow],
        drawn: Option<&[Picture]>,
    ) -> Result<(), RunError> {
        let records = of_origin(part, self.inventory);
        let states = of_part(part, &records, &self.states);
        self.page.sections.push(Section {
            figures: figures(part, pools, self.authors, drawn)?,
            ..section(part, self.inventory, &records, &states, self.authors, rows)?
        });
        Ok(())
    }

    /// The page.
    pub(crate) fn end(mut self, parts: &[Part<'_>], options: &ReportOptions) -> Page {
        self.page.labels = labels(parts);
        self.page.conclude(options);
        self.page
    }
}

fn beginning(inventory: &Inventory, authors: Option<&Authors<'_>>) -> Page {
    let mut page = Page {
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
    page
}

/// Records of one origin.
type Records<'i> = BTreeMap<CellKey, &'i Record>;

/// The records of a part's origin.
fn of_origin<'i>(part: &Part<'_>, inventory: &'i Inventory) -> Records<'i> {
    let records = inventory.records.iter().filter(|((_, origin), _)| *origin == part.origin);
    records.map(|((key, _), record)| (*key, record)).collect()
}

/// Where the cells of a part stand.
fn of_part(part: &Part<'_>, records: &Records<'_>, states: &matrix_archive::States) -> States {
    let stands = |key: &CellKey| {
        let (axes, round, state) = states.get(key)?;
        let done = records.get(key).is_some_and(|record| record.counts.observed() > 0);
        // What another origin measured is not done here.
        let state = match (done, state) {
            (true, _) => CellState::Done,
            (false, CellState::Done) => CellState::Pending,
            (false, state) => state,
        };
        Some((*key, (axes.clone(), state, round)))
    };
    part.cells.iter().filter_map(stands).collect()
}

fn labels(parts: &[Part<'_>]) -> Vec<Label> {
    let mut labels = BTreeSet::new();
    for part in parts.iter().filter(|part| part.source.done > 0) {
        let words = part.source.nature.words();
        for word in &words {
            let kind = ["simulated", "disturbed"].into_iter().find(|kind| word.starts_with(kind));
            labels.insert((kind.unwrap_or("configured"), plain(word)));
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
    records: &Records<'_>,
    states: &States,
    authors: Option<&Authors<'_>>,
    rows: &[SummaryRow],
) -> Result<Section, RunError> {
    let tally: Tally = states.values().map(|(_, state, _)| *state).collect();
    let tried = attempts::attempts_of(inventory, &part.origin, |key| states.contains_key(key));
    let took: BTreeMap<CellKey, Vec<f64>> = tried
        .iter()
        .map(|(key, tried)| (*key, tried.iter().filter_map(|attempt| attempts::seconds(attempt)).collect()))
        .collect();
    let seconds: f64 = took.values().flatten().sum();
    let their = authors.and_then(|authors| authors.part(part));
    let claims = part.claims.iter().map(|claim| {
        let theirs = their.and_then(|their| their.claims.iter().find(|other| other.id == claim.id));
        claims::view(claim, theirs)
    });
    let axes = points::axes(states.values().map(|(axes, ..)| axes));
    let cells = states.iter().map(|(key, (axes, state, _))| (key, axes, *state));
    let of_cell = |key: &CellKey| {
        let round = states.get(key).map_or(0, |(.., round)| *round);
        tried.get(key).into_iter().flatten().map(|attempt| attempts::view(attempt, round)).collect()
    };
    let planned = part.run.is_some().then_some(part.source.experiment.as_str());
    let (gantt, (points, points_more)) = parallel::beside(
        || over_time(tried.values().flatten().map(|attempt| attempts::timed(attempt))),
        || points::points(planned, &axes, cells, rows, of_cell),
    );
    let mut failed = failed(states, &tried);
    failed.extend(skipped(left_out(inventory, states)?.into_iter()));
    let id = anchor(&part.name);
    Ok(Section {
        name: plain(&part.name),
        experiment: plain(&part.source.experiment),
        has_kick_the_tires: false,
        origin: part.origin.to_string(),
        nature: plain(&part.source.nature.words().join("; ")),
        states: state_counts(tally),
        planned: tally.planned(),
        rows: planned_rows(records, part),
        time: duration(seconds),
        requires: Vec::new(),
        failed_more: failed.len().saturating_sub(MOST_FAILED) as u64,
        failed: failed.into_iter().take(MOST_FAILED).collect(),
        claims: claims.collect(),
        figures: Vec::new(),
        axes,
        metrics: points::metrics(),
        points,
        points_more: points_more as u64,
        kind_heads: vec!["post_storage".to_owned(), "notification_storage".to_owned()],
        kinds: kinds(part, records, states, &took, authors),
        expected: their.is_some(),
        estimated: !part.estimated_s.is_empty(),
        gantt,
        id,
    })
}

fn planned_rows(records: &Records<'_>, part: &Part<'_>) -> u64 {
    let records = records.iter().filter(|(key, _)| part.cells.contains(key));
    records.map(|(_, record)| record.counts.planned).sum()
}

/// Cells whose last attempt failed or ended early, each with its reason.
fn failed(states: &States, tried: &BTreeMap<CellKey, Vec<&Attempt>>) -> Vec<Failed> {
    let bad = states.iter().filter(|(_, (_, state, _))| matches!(state, CellState::Failed | CellState::Partial));
    bad.map(|(key, (axes, state, round))| {
        let last = tried.get(key).and_then(|attempts| attempts.last());
        let why = last.map(|attempt| attempts::why(attempt)).unwrap_or_default();
        Failed {
            key: key.short(),
            cell: plain(&format!("{axes} round {round}")),
            state: state.as_str(),
            why: if why.is_empty() { "no reason was kept".to_owned() } else { plain(&why) },
        }
    })
    .collect()
}

/// Cells that were left out, each with why, as the plans say.
fn left_out(inventory: &Inventory, states: &States) -> Result<Vec<(String, String)>, RunError> {
    if states.values().all(|(_, state, _)| *state != CellState::Skipped) {
        return Ok(Vec::new());
    }
    let mut reasons: BTreeMap<CellKey, BTreeSet<String>> = BTreeMap::new();
    for (digest, bytes) in &inventory.plans {
        let damaged = |what: String| RunError::new(FailureKind::Integrity, format!("plan {}: {what}", digest.short()));
        let bytes = bytes.bytes().map_err(|error| damaged(error.to_string()))?;
        let plan: Plan = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        let shard = plan.shard.as_ref().map(ToString::to_string).unwrap_or_default();
        for cell in &plan.cells {
            let why = match cell.reason {
                Reason::Filtered => {
                    format!("a run's filter leaves it out: {}", plan.filter.as_deref().unwrap_or_default())
                }
                Reason::OtherShard => format!("it belongs to another part of the experiment than {shard}"),
                _ => continue,
            };
            reasons.entry(cell.key).or_default().insert(why);
        }
    }
    let skipped = states.iter().filter(|(_, (_, state, _))| *state == CellState::Skipped);
    let cell = |(key, (axes, _, round)): (&CellKey, &(Axes, CellState, u32))| {
        let why = reasons.get(key).into_iter().flatten().cloned().collect::<Vec<_>>().join("; ");
        (format!("{axes} round {round}"), why)
    };
    Ok(skipped.map(cell).collect())
}

fn figures(
    part: &Part<'_>,
    pools: &Pools<'_>,
    authors: Option<&Authors<'_>>,
    drawn: Option<&[Picture]>,
) -> Result<Vec<FigureView>, RunError> {
    if part.source.done == 0 {
        return Ok(Vec::new());
    }
    let their = authors.and_then(|authors| authors.part(part));
    let theirs = their.map(|their| load(&their.traced, &Options::default()).map_err(unreadable)).transpose()?;
    let theirs = theirs.as_ref().map(Pools::new);
    let of_both = match (drawn, &theirs) {
        (Some(_), None) => Vec::new(),
        _ => pictures(pools, theirs.as_ref(), &part.source)?,
    };
    let section = anchor(&part.name);
    let view = |Picture { figure, csv, svg }: &Picture| {
        let id = format!("{section}-{figure}");
        let apart = theirs.as_ref().zip(their).filter(|_| !figure.shows_authors());
        let of_theirs = apart.and_then(|(pools, their)| picture(*figure, pools, &their.source).1.ok());
        let mut view = figure_view(&id, figure.title(), &format!("{figure}.csv"), svg, csv);
        view.svg_authors = of_theirs.map(|drawing| inline(&drawing.svg, &format!("{id}-authors")));
        view
    };
    Ok(drawn.filter(|_| theirs.is_none()).unwrap_or(&of_both).iter().map(view).collect())
}

fn kinds(
    part: &Part<'_>,
    records: &Records<'_>,
    states: &States,
    took: &BTreeMap<CellKey, Vec<f64>>,
    authors: Option<&Authors<'_>>,
) -> Vec<Kind> {
    let mut kinds: BTreeMap<_, Times> = BTreeMap::new();
    for (key, (Axes { combination, .. }, ..)) in states {
        let kind = kinds.entry((combination.post_storage, combination.notification_storage)).or_default();
        kind.seconds.extend(took.get(key).into_iter().flatten());
        kind.estimated.extend(part.estimated_s.get(key));
        kind.bytes += records.get(key).map_or(0, |record| record.object.bytes);
    }
    let named = |((posts, notifications), times): ((PostStorage, NotificationStorage), Times)| {
        (vec![posts.to_string(), notifications.to_string()], times)
    };
    let kinds = kinds.into_iter().map(named).collect();
    matrix_report::page::kinds(kinds, &authors.map(Authors::seconds_by_kind).unwrap_or_default())
}

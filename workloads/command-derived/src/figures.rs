//! Figures of programs' results, alone and with the authors' results drawn into them.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use matrix_command::results::Loaded;
use matrix_core::figure::Across;
use matrix_core::text::counted;
use matrix_core::{FigureSpec, Value};
use matrix_figures::{About, Chart, FigureError, MetricAbout, Picture, picture};

/// What a figure of a program's results says besides its numbers.
#[must_use]
pub fn about<'a>(loaded: &'a Loaded<'_>, figure: &FigureSpec) -> About<'a> {
    let column = match figure.x {
        Across::Column { source, column } => loaded.column(source, column),
        Across::Axis(_) | Across::Metric { .. } => None,
    };
    let mut notes = vec!["measured".to_owned()];
    notes.extend(figure.selection.words(&loaded.experiment.axes).map(|words| format!("only {words}")));
    let shown = || loaded.cells.iter().filter(|cell| figure.selection.matches(&cell.cell.point));
    // A cell without rows has no value of a column, and so no place in the figure.
    let failed = shown().filter(|cell| cell.failed).count();
    if failed > 0 && column.is_some() {
        notes.push(format!("DNF: {} failed", counted(failed, "cell")));
    }
    let not_run = shown().filter(|cell| cell.record.is_none() && !cell.failed).count();
    if not_run > 0 {
        notes.push(format!("{} not run", counted(not_run, "cell")));
    }
    let disturbed = loaded.disturbed().filter(|cell| figure.selection.matches(&cell.cell.point)).count();
    if disturbed > 0 {
        notes.push(format!("{} disturbed by other work", counted(disturbed, "cell")));
    }
    if !loaded.mixed_versions().is_empty() {
        notes.push(format!("{} versions of one program", loaded.mixed_versions().len()));
    }
    let metric = |metric: &matrix_core::Metric| MetricAbout {
        name: metric.name.clone(),
        text: match &metric.filter {
            Some(filter) => format!("{} where {}", metric.text, filter.as_str()),
            None => metric.text.clone(),
        },
        unit: metric.unit.clone(),
    };
    About {
        experiment: &loaded.experiment.name,
        axes: &loaded.experiment.axes,
        rounds: rounds(loaded, figure),
        metrics: loaded.experiment.metrics.iter().map(metric).collect(),
        column: column.map(|(name, unit)| (name.to_owned(), unit.to_owned())),
        notes,
    }
}

/// The fewest and the most rounds of the points of a figure that have any.
fn rounds(loaded: &Loaded<'_>, figure: &FigureSpec) -> RangeInclusive<u32> {
    let mut rounds: BTreeMap<&[Value], u32> = BTreeMap::new();
    for cell in loaded.cells.iter().filter(|cell| cell.record.is_some()) {
        if figure.selection.matches(&cell.cell.point) {
            *rounds.entry(&cell.cell.point).or_default() += 1;
        }
    }
    let most = loaded.experiment.rounds;
    rounds.values().copied().min().unwrap_or(most)..=rounds.into_values().max().unwrap_or(most)
}

/// A figure beside the authors'.
pub(crate) struct Against {
    /// The table, of one's own results alone.
    pub(crate) csv: String,
    /// The picture; the authors' results of the figure of the same name are in it.
    pub(crate) drawing: Result<Picture, FigureError>,
    /// The authors' table, where the figure is one.
    pub(crate) their_csv: Option<String>,
}

/// A figure with the authors' results, where these are of the same axes.
pub(crate) fn picture_against(loaded: &Loaded<'_>, theirs: Option<&Loaded<'_>>, figure: &FigureSpec) -> Against {
    let (csv, alone) = picture(figure, &about(loaded, figure), loaded);
    // Numbers of other axes have no place in it.
    let theirs = theirs.filter(|theirs| theirs.experiment.axes.names() == loaded.experiment.axes.names());
    let same = theirs.and_then(|theirs| {
        let same = theirs.experiment.figures.iter().find(|other| other.name == figure.name)?;
        Some((theirs, same))
    });
    let (Some((theirs, same)), Ok(_)) = (same, &alone) else { return Against { csv, drawing: alone, their_csv: None } };
    let (mut drawn, others) = (chart(loaded, figure), chart(theirs, same));
    if !drawn.is_comparable(&others) {
        return Against { csv, drawing: alone, their_csv: None };
    }
    if figure.is_table() {
        let their_csv = picture(same, &about(theirs, same), theirs).0;
        return Against { csv, drawing: alone, their_csv: Some(their_csv) };
    }
    drawn.put_against(others);
    Against { csv, drawing: drawn.draw().map(Picture::Drawing), their_csv: None }
}

fn chart(loaded: &Loaded<'_>, figure: &FigureSpec) -> Chart {
    Chart::declared(figure, &about(loaded, figure), &figure.panels(loaded))
}

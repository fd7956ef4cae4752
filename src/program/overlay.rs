//! The authors' results drawn into the figure of one's own.

use matrix_command::results::Loaded;
use matrix_core::FigureSpec;
use matrix_figures::{Chart, FigureError};

use super::charts::{Picture, about, picture};

/// A figure's table and its picture, with the authors' results of the figure of the same name drawn into it; the table is of
/// one's own results alone.
pub(super) fn picture_against(
    loaded: &Loaded<'_>,
    theirs: Option<&Loaded<'_>>,
    figure: &FigureSpec,
) -> (String, Result<Picture, FigureError>) {
    let (csv, alone) = picture(figure, &about(loaded, figure), loaded);
    // Numbers of other axes have no place in it.
    let theirs = theirs.filter(|theirs| theirs.experiment.axes.names() == loaded.experiment.axes.names());
    let same = theirs.and_then(|theirs| {
        let same = theirs.experiment.figures.iter().find(|other| other.name == figure.name)?;
        (same.kind == figure.kind && !figure.is_table()).then(|| chart(theirs, same))
    });
    match (same, alone) {
        (Some(theirs), Ok(_)) => {
            let mut drawn = chart(loaded, figure);
            join(&mut drawn, theirs);
            (csv, drawn.draw().map(Picture::Drawing))
        }
        (_, alone) => (csv, alone),
    }
}

fn chart(loaded: &Loaded<'_>, figure: &FigureSpec) -> Chart {
    Chart::declared(figure, &about(loaded, figure), &figure.panels(loaded))
}

/// Draws the authors' series beside ours, in the panels and over the categories of the same names.
fn join(ours: &mut Chart, theirs: Chart) {
    if ours.series.is_empty() {
        ours.series.push("these results".to_owned());
    }
    let first = ours.series.len();
    ours.series.extend(match theirs.series.is_empty() {
        true => vec!["the authors'".to_owned()],
        false => theirs.series.iter().map(|name| format!("{name} (the authors')")).collect(),
    });
    let places: Vec<f64> = theirs
        .categories
        .iter()
        .map(|name| {
            let known = ours.categories.iter().position(|other| other == name);
            known.unwrap_or_else(|| {
                ours.categories.push(name.clone());
                ours.categories.len() - 1
            }) as f64
        })
        .collect();
    for mut panel in theirs.panels {
        for line in &mut panel.lines {
            line.series += first;
            for mark in &mut line.marks {
                mark.x = places.get(mark.x as usize).copied().unwrap_or(mark.x);
            }
        }
        match ours.panels.iter_mut().find(|other| other.heading == panel.heading) {
            Some(same) => same.lines.extend(panel.lines),
            None => ours.panels.push(panel),
        }
    }
}

//! A figure that an experiment declares: a drawing or a table, with the CSV that stands beside it.

use matrix_core::FigureSpec;
use matrix_core::figure::{Numbers, csv};

use crate::chart::Chart;
use crate::declared::About;
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::latex::latex;

/// A figure.
#[derive(Clone, Debug)]
pub enum Picture {
    /// A drawing.
    Drawing(Drawing),
    /// A table in LaTeX.
    Latex(String),
}

/// A figure's table as CSV, and the figure: a [`FigureError::Empty`] where it has no number to show.
pub fn picture(
    figure: &FigureSpec,
    about: &About<'_>,
    numbers: &dyn Numbers,
) -> (String, Result<Picture, FigureError>) {
    let panels = figure.panels(numbers);
    let table = csv(figure, about.axes, &about.across(figure), &panels);
    let marks = || panels.iter().flat_map(|panel| &panel.lines).flat_map(|line| &line.marks);
    if marks().all(|mark| mark.estimate.is_none()) {
        // What was measured, and has no ratio, is another reason than nothing.
        let why = marks().filter_map(|mark| mark.why.as_ref()).find(|why| !why.ends_with("no result"));
        return (table, Err(FigureError::empty(&figure.name, why.map_or(FigureError::NO_RESULT, String::as_str))));
    }
    if figure.is_table() {
        return (table, Ok(Picture::Latex(latex(figure, about, &panels))));
    }
    (table, Chart::declared(figure, about, &panels).draw().map(Picture::Drawing))
}

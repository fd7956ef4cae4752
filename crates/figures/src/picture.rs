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
    if !figure.is_table() {
        return (table, Chart::declared(figure, about, &panels).draw().map(Picture::Drawing));
    }
    let marks = panels.iter().flat_map(|panel| &panel.lines).flat_map(|line| &line.marks);
    if marks.filter_map(|mark| mark.estimate).count() == 0 {
        return (table, Err(FigureError::Empty { name: figure.name.clone() }));
    }
    (table, Ok(Picture::Latex(latex(figure, about, &panels))))
}

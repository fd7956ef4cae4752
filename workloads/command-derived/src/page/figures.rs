//! Figures, with the authors' results in them.

use matrix_command::results::Loaded;
use matrix_figures::{FigureError, Picture};
use matrix_report::page::{FigureView, anchor, figure_view, plain, rows_of};

use crate::error::DerivedError;
use crate::figures::{Against, picture_against};

pub(super) fn figures(
    section: &str,
    loaded: &Loaded<'_>,
    their: Option<&Loaded<'_>>,
) -> Result<Vec<FigureView>, DerivedError> {
    let mut views = Vec::new();
    for figure in &loaded.experiment.figures {
        let Against { csv, drawing, their_csv } = picture_against(loaded, their, figure);
        let drawing = match drawing {
            Ok(Picture::Drawing(drawing)) => drawing.svg,
            // Its rows are the picture.
            Ok(Picture::Latex(_)) => String::new(),
            Err(FigureError::Empty { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        let id = format!("{section}-{}", anchor(&figure.name));
        let mut view = figure_view(&id, &figure.name, &format!("{}.csv", figure.name), &drawing, &csv);
        view.rows_authors = their_csv.as_deref().map(rows_of);
        view.paper = figure.paper.as_deref().map(plain);
        views.push(view);
    }
    Ok(views)
}

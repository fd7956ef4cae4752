//! The authors' results drawn into the figure of one's own.

use matrix_command::results::Loaded;
use matrix_core::FigureSpec;
use matrix_figures::{Chart, FigureError};

use super::charts::{Picture, about, picture};

/// A figure beside the authors'.
pub(super) struct Against {
    /// The table, of one's own results alone.
    pub(super) csv: String,
    /// The picture; the authors' results of the figure of the same name are in it.
    pub(super) drawing: Result<Picture, FigureError>,
    /// The authors' table, where the figure is one.
    pub(super) their_csv: Option<String>,
}

/// A figure with the authors' results, where these are of the same axes.
pub(super) fn picture_against(loaded: &Loaded<'_>, theirs: Option<&Loaded<'_>>, figure: &FigureSpec) -> Against {
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

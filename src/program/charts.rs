//! From the figures that an experiment declares to pictures.

use std::path::{Path, PathBuf};

use matrix_command::results::Loaded;
use matrix_command_derived::about;
use matrix_core::FigureSpec;
use matrix_figures::{FigureError, Picture, picture};

use crate::cli::PictureFormat;
use matrix_run::with_causes;

use crate::drawn::{self, Drawn};
use crate::exit::{Exit, Failure};
use crate::output;

/// Every format.
pub(crate) const BOTH: [PictureFormat; 2] = [PictureFormat::Svg, PictureFormat::Png];

/// The figures with these names; none named means all.
///
/// # Errors
/// A name that is none of them.
pub(crate) fn named<'f>(figures: &'f [FigureSpec], names: &[String]) -> Result<Vec<&'f FigureSpec>, Failure> {
    let known: Vec<&str> = figures.iter().map(|figure| figure.name.as_str()).collect();
    if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
        let near =
            matrix_core::nearest(name, &known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        let help = format!("the experiment's figures are: {}", known.join(", "));
        return Err(Failure::usage(format!("unknown figure `{name}`{near}"), help));
    }
    Ok(figures.iter().filter(|figure| names.is_empty() || names.contains(&figure.name)).collect())
}

/// Writes figures, each beside its table, and says where; none named means all.
pub(crate) fn write(
    loaded: &Loaded<'_>,
    folder: &Path,
    names: &[String],
    formats: &[PictureFormat],
) -> Result<Vec<PathBuf>, Failure> {
    let figures = named(&loaded.experiment.figures, names)?;
    loaded.remarks.iter().for_each(|remark| output::note(format_args!("note: {remark}")));
    // Several experiments may be drawn into one folder: each has a list of its own there.
    let list = format!(".{}{}", loaded.experiment.name, drawn::LIST);
    let mut drawn = Drawn::open(folder, &list, formats)?;
    let mut pictures = Vec::new();
    for figure in &figures {
        let (csv, drawing) = picture(figure, &about(loaded, figure), loaded);
        let Some(drawing) = unless_empty(&figure.name, drawing, !names.is_empty())? else { continue };
        pictures.extend(drawn.figure(&figure.name, &files(&figure.name, csv, &drawing, formats)?)?);
    }
    let asked: Vec<&str> = figures.iter().map(|figure| figure.name.as_str()).collect();
    drawn.finish(&asked, names.is_empty())?;
    Ok(pictures)
}

/// A figure; none where it has no number and nobody asked for it by name.
///
/// # Errors
/// A figure without a number that was asked for; one that cannot be drawn.
pub(crate) fn unless_empty(
    name: &str,
    drawing: Result<Picture, FigureError>,
    asked: bool,
) -> Result<Option<Picture>, Failure> {
    match drawing {
        Ok(drawing) => Ok(Some(drawing)),
        Err(error @ FigureError::Empty { .. }) if !asked => {
            output::note(format_args!("no {name}: {error}"));
            Ok(None)
        }
        Err(error @ FigureError::Empty { .. }) => Err(Failure::new(Exit::Usage, error.to_string())),
        Err(error) => Err(Failure::new(Exit::Internal, with_causes(&error))),
    }
}

/// The files of a figure, by name: its table, and the figure in each format. A table in LaTeX has one of its own.
pub(crate) fn files(
    name: &str,
    csv: String,
    drawing: &Picture,
    formats: &[PictureFormat],
) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut files = vec![(format!("{name}.csv"), csv.into_bytes())];
    let drawing = match drawing {
        Picture::Latex(text) => {
            files.push((format!("{name}.tex"), text.clone().into_bytes()));
            return Ok(files);
        }
        Picture::Drawing(drawing) => drawing,
    };
    for format in formats {
        files.push(match format {
            PictureFormat::Svg => (format!("{name}.svg"), drawing.svg.clone().into_bytes()),
            PictureFormat::Png => {
                let png = drawing.to_png();
                let png = png.map_err(|error| Failure::new(Exit::Internal, with_causes(&error)))?;
                (format!("{name}.png"), png)
            }
        });
    }
    Ok(files)
}

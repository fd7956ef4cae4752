//! From the figures that an experiment declares to pictures.

use std::path::{Path, PathBuf};

use matrix_command::results::{Loaded, figure_csv};
use matrix_core::figure::{FigureKind, Panel};
use matrix_core::judge::combined_name;
use matrix_core::{Axis, FigureSpec, Value};
use matrix_figures::{Chart, ChartLine, ChartMark, ChartPanel, Drawing, Estimate, FigureError, Kind, Title};

use crate::cli::PictureFormat;
use matrix_run::with_causes;

use crate::exit::{Exit, Failure};
use crate::output;

/// Every format.
pub(crate) const BOTH: [PictureFormat; 2] = [PictureFormat::Svg, PictureFormat::Png];

/// A figure's table as CSV, and the figure.
pub(super) fn picture(loaded: &Loaded<'_>, figure: &FigureSpec) -> (String, Result<Drawing, FigureError>) {
    let panels = figure.panels(&loaded.tried(figure.y), &loaded.context(Some(figure.y)));
    (figure_csv(loaded, figure, &panels), chart(loaded, figure, &panels).draw())
}

/// Writes figures, each beside its table, and says where; none named means all.
pub(crate) fn write(
    loaded: &Loaded<'_>,
    folder: &Path,
    names: &[String],
    formats: &[PictureFormat],
) -> Result<Vec<PathBuf>, Failure> {
    let known: Vec<&str> = loaded.experiment.figures.iter().map(|figure| figure.name.as_str()).collect();
    if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
        let near =
            matrix_core::nearest(name, &known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        let help = format!("the experiment's figures are: {}", known.join(", "));
        return Err(Failure::usage(format!("unknown figure `{name}`{near}"), help));
    }
    let failed = |error: std::io::Error| Failure::new(Exit::Usage, format!("{}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut pictures = Vec::new();
    for figure in &loaded.experiment.figures {
        if !names.is_empty() && !names.contains(&figure.name) {
            continue;
        }
        let (csv, drawing) = picture(loaded, figure);
        let drawing = match drawing {
            Ok(drawing) => drawing,
            Err(error @ FigureError::Empty { .. }) if names.is_empty() => {
                output::note(format_args!("no {}: {error}", figure.name));
                continue;
            }
            Err(error @ FigureError::Empty { .. }) => return Err(Failure::new(Exit::Usage, error.to_string())),
            Err(error) => return Err(Failure::new(Exit::Internal, with_causes(&error))),
        };
        output::write_file(&folder.join(format!("{}.csv", figure.name)), csv.as_bytes())?;
        for format in formats {
            let (ending, bytes) = match format {
                PictureFormat::Svg => ("svg", drawing.svg.clone().into_bytes()),
                PictureFormat::Png => {
                    let png = drawing.to_png();
                    ("png", png.map_err(|error| Failure::new(Exit::Internal, with_causes(&error)))?)
                }
            };
            let path = folder.join(format!("{}.{ending}", figure.name));
            output::write_file(&path, &bytes)?;
            pictures.push(path);
        }
    }
    Ok(pictures)
}

fn chart(loaded: &Loaded<'_>, figure: &FigureSpec, panels: &[Panel]) -> Chart {
    let axes = &loaded.experiment.axes.axes;
    let axis = |position: Option<usize>| position.and_then(|position| axes.get(position));
    let x_axis = axis(Some(figure.x));
    // Words have places; numbers have sizes, unless they stand below bars.
    let by_place = figure.kind == FigureKind::Bars || x_axis.is_some_and(|axis| !axis.kind.is_number());
    let mut across: Vec<&Value> =
        panels.iter().flat_map(|panel| &panel.lines).flat_map(|line| &line.marks).map(|mark| &mark.x).collect();
    across.sort_by_key(|value| x_axis.and_then(|axis| axis.rank(value)));
    across.dedup();
    let categories: Vec<String> = if by_place {
        across.iter().map(|value| x_axis.map_or_else(|| value.to_string(), |axis| axis.label(value))).collect()
    } else {
        Vec::new()
    };
    let place = |value: &Value| {
        if by_place {
            across.iter().position(|known| *known == value).unwrap_or(0) as f64
        } else {
            value.number().unwrap_or(0.0)
        }
    };
    let series_axis = axis(figure.series);
    let mut series: Vec<&Value> =
        panels.iter().flat_map(|panel| &panel.lines).filter_map(|line| line.series.as_ref()).collect();
    series.sort_by_key(|value| series_axis.and_then(|axis| axis.rank(value)));
    series.dedup();
    let named = |axis: Option<&Axis>, value: &Value| match axis {
        Some(axis) if axis.labels.contains_key(&value.to_string()) || axis.kind == matrix_core::Kind::Text => {
            axis.label(value)
        }
        Some(axis) => format!("{} {}", axis.name, value),
        None => value.to_string(),
    };
    let drawn = panels.iter().map(|panel| ChartPanel {
        heading: panel.panel.as_ref().map(|value| named(axis(figure.panel), value)),
        lines: panel
            .lines
            .iter()
            .map(|line| ChartLine {
                series: line
                    .series
                    .as_ref()
                    .and_then(|value| series.iter().position(|known| *known == value))
                    .unwrap_or(0),
                marks: line
                    .marks
                    .iter()
                    .map(|mark| ChartMark {
                        x: place(&mark.x),
                        estimate: mark.estimate.map(|e| Estimate { value: e.value, low: e.low, high: e.high }),
                    })
                    .collect(),
            })
            .collect(),
    });
    let words = |name: &str| name.replace('_', " ");
    let metric = loaded.experiment.metrics.get(figure.y);
    let name = metric.map(|metric| words(&metric.name)).unwrap_or_default();
    let unit = metric.and_then(|metric| metric.unit.clone()).filter(|unit| unit != "1");
    let ratio = figure.relation.ratio_to.as_ref().map(|pattern| {
        let parts = pattern.iter().zip(axes).filter_map(|(values, axis)| Some((axis, values.as_ref()?.first()?)));
        parts.map(|(axis, value)| axis.label(value)).collect::<Vec<_>>().join(", ")
    });
    let over = figure.relation.over.as_ref().map(|(how, over)| {
        let names: Vec<&str> = over.iter().filter_map(|axis| Some(axes.get(*axis)?.name.as_str())).collect();
        format!("{} over {}", combined_name(*how), names.join(", "))
    });
    let y_text = match (&ratio, unit) {
        (Some(base), _) => format!("{name} / {base}"),
        (None, Some(unit)) => format!("{name} ({unit})"),
        (None, None) => name.clone(),
    };
    let rounds = loaded.experiment.rounds;
    let intervals = if rounds > 1 {
        format!("with 95 % intervals over {rounds} rounds")
    } else {
        "one round, no intervals".to_owned()
    };
    let mut subtitle = metric.map(|metric| format!("{name} = {}, {intervals}", metric.text)).unwrap_or_default();
    if let Some(over) = over {
        subtitle = format!("{subtitle}; {over}");
    }
    if let Some(base) = &ratio {
        subtitle = format!("{subtitle}; ratio to {base}");
    }
    let mut notes = Vec::new();
    notes.extend(figure.paper.as_ref().map(|paper| format!("compare {paper}")));
    let disturbed = loaded.disturbed().filter(|cell| figure.selection.matches(&cell.cell.point)).count();
    if disturbed > 0 {
        notes.push(format!("{disturbed} cells disturbed by other work"));
    }
    if !loaded.mixed_versions().is_empty() {
        notes.push(format!("{} versions of one program", loaded.mixed_versions().len()));
    }
    Chart {
        name: figure.name.clone(),
        title: format!("{} by {}", capital(&name), x_axis.map(|axis| words(&axis.name)).unwrap_or_default()),
        subtitle,
        experiment: loaded.experiment.name.clone(),
        notes,
        kind: if figure.kind == FigureKind::Bars { Kind::Bars } else { Kind::Lines },
        x: Title { text: x_axis.map(|axis| words(&axis.name)).unwrap_or_default(), log: figure.log.0 },
        y: Title { text: y_text, log: figure.log.1 },
        categories,
        series: series.iter().map(|value| named(series_axis, value)).collect(),
        panels: drawn.collect(),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

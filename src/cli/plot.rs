//! `matrix plot`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use matrix_analysis::declared::CellMetrics;
use matrix_analysis::tables::Source;
use matrix_analysis::{Keep, Loaded, Options, Pools, Traces, load, summary, to_csv};
use matrix_core::FigureSpec;
use matrix_derived::{picture, pictures};
use matrix_figures::{About, MetricAbout, Picture};
use matrix_plan::claims::Metric;
use matrix_presets::{Figure, FigureError};
use matrix_run::results::{self, Results, Traced, unreadable};
use matrix_run::{Input, with_causes};

use super::{ReadArgs, SelectArgs};
use crate::drawn::{self, Drawn};
use crate::exit::{CommandResult, Exit, Failure};
use crate::output;
use crate::program;

/// Draw figures from results, each with its table beside it as CSV
#[derive(Debug, Args)]
pub(crate) struct PlotArgs {
    #[command(flatten)]
    select: SelectArgs,
    /// The figure (may be repeated) [default: all]
    #[arg(long = "figure", value_name = "F", long_help = figures_help())]
    figures: Vec<String>,
    /// Formats, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [PictureFormat::Svg, PictureFormat::Png])]
    format: Vec<PictureFormat>,
    /// The folder to draw into [default: plots/EXPERIMENT]
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    read: ReadArgs,
}

/// Formats of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PictureFormat {
    /// Scalable, made of paths: needs no font.
    Svg,
    /// 300 pixels per inch, 6 inches wide.
    Png,
}

/// What to draw, and where.
pub(crate) struct What {
    figures: Vec<Figure>,
    /// Figures that the experiment declares, by name; without a name, all of them.
    declared: Option<Vec<String>>,
    formats: Vec<PictureFormat>,
    folder: PathBuf,
    /// Whether figures were asked for by name: one without data is then an error.
    named: bool,
}

impl What {
    /// Every figure in every format, in the folder of the experiment.
    pub(crate) fn everything(experiment: &str) -> Self {
        Self {
            figures: Figure::ALL.to_vec(),
            declared: None,
            formats: vec![PictureFormat::Svg, PictureFormat::Png],
            folder: PathBuf::from("plots").join(experiment),
            named: false,
        }
    }

    /// Whether a figure that the experiment declares is asked for.
    fn draws(&self, name: &str) -> bool {
        self.declared.as_ref().is_none_or(|names| names.iter().any(|other| other == name))
    }
}

pub(crate) fn plot(args: PlotArgs) -> CommandResult {
    let store = args.read.open()?;
    if let Some(chosen) = program::chosen(&store, &args.select.options())? {
        let origin = args.select.origin.as_ref();
        return program::plot(&store, &chosen, origin, &args.figures, &args.format, args.out.as_deref());
    }
    let what = |name: &str, declared: &[FigureSpec]| -> Result<What, Failure> {
        let mut what = What { formats: args.format.clone(), ..What::everything(name) };
        if !args.figures.is_empty() {
            let is_declared = |name: &&String| declared.iter().any(|figure| figure.name == **name);
            let (own, presets): (Vec<_>, Vec<_>) = args.figures.iter().partition(is_declared);
            what.declared = Some(own.into_iter().cloned().collect());
            what.figures = presets.into_iter().map(|name| figure(name, declared)).collect::<Result<_, _>>()?;
            what.named = true;
        }
        if let Some(folder) = &args.out {
            what.folder = folder.clone();
        }
        Ok(what)
    };
    let pictures = if let Some(records) = results::without_run(&store, &args.select.options())? {
        let name = results::origins_of(&records);
        let what = what(&name, &[])?;
        let traced = Traced::new(&store, records)?;
        let cells = traced.cells();
        let loaded = load(&traced, &Options::default()).map_err(unreadable)?;
        draw(&Pools::new(&loaded), &Source::new(&name, cells.len() as u64, cells), &what, None)?
    } else {
        let input = args.select.of(&store)?;
        let what = what(&input.experiment.name, &input.figures)?;
        let results = Results::of_origin(&store, &input, args.select.origin.as_ref(), &output::Terminal)?;
        let loaded = load(&results.traced, &options(&input)).map_err(unreadable)?;
        draw(&Pools::new(&loaded), &results.source(), &what, Some((&input, &loaded)))?
    };
    list(&pictures)?;
    Ok(Exit::Ok)
}

/// What was written, and where it is.
#[derive(Default)]
pub(crate) struct Written {
    /// The pictures.
    pub(crate) pictures: Vec<PathBuf>,
    /// The summary of the same results as CSV, where every figure was asked for.
    summary: Option<PathBuf>,
}

/// Prints where pictures are.
pub(crate) fn list(written: &Written) -> Result<(), Failure> {
    written.pictures.iter().chain(&written.summary).try_for_each(|path| output::line(output::path(path)))
}

/// How traces are loaded for the figures of an experiment: those that it declares may show any metric.
pub(crate) fn options(input: &Input) -> Options {
    let keep = if input.figures.is_empty() { Keep::TABLES } else { Keep::EVERYTHING };
    Options { keep, ..Options::default() }
}

/// Draws figures, each beside its table, and says where; with every figure comes `summary.csv`. Files that would not change
/// are left alone.
pub(crate) fn draw(
    pools: &Pools<'_>,
    source: &Source,
    what: &What,
    experiment: Option<(&Input, &Loaded)>,
) -> Result<Written, Failure> {
    let mut drawn = Drawn::open(&what.folder, drawn::LIST, &what.formats)?;
    let mut written = Written::default();
    let made = pictures::each(&what.figures, |figure| {
        let (csv, drawing) = picture(figure, pools, source);
        let files = |drawing| program::files(figure.name(), csv, &Picture::Drawing(drawing), &what.formats);
        (figure, drawing.map(files))
    });
    for (figure, files) in made {
        let files = match files {
            Ok(files) => files?,
            Err(error @ FigureError::NoData { .. }) if !what.named => {
                output::note(format_args!("no {figure}: {error}"));
                continue;
            }
            Err(error @ FigureError::NoData { .. }) => return Err(Failure::new(Exit::Usage, error.to_string())),
            Err(error) => return Err(Failure::new(Exit::Internal, format!("{figure}: {}", with_causes(&error)))),
        };
        written.pictures.extend(drawn.figure(figure.name(), &files)?);
    }
    if let Some((input, loaded)) = experiment {
        written.pictures.extend(declared(input, loaded, source, what, &mut drawn)?);
    }
    if !what.named {
        written.summary = Some(drawn.file("summary.csv", to_csv(&summary(pools), source).as_bytes())?);
    }
    let of_experiment = experiment.iter().flat_map(|(input, _)| &input.figures);
    let declared = of_experiment.map(|figure| figure.name.as_str()).filter(|name| what.draws(name));
    let names: Vec<&str> = what.figures.iter().map(|figure| figure.name()).chain(declared).collect();
    drawn.finish(&names, !what.named)?;
    Ok(written)
}

/// Draws the figures that an experiment declares.
fn declared(
    input: &Input,
    loaded: &Loaded,
    source: &Source,
    what: &What,
    drawn: &mut Drawn<'_>,
) -> Result<Vec<PathBuf>, Failure> {
    let wanted: Vec<&FigureSpec> = input.figures.iter().filter(|figure| what.draws(&figure.name)).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let numbers = CellMetrics::new(&input.experiment, loaded);
    let mut notes = source.nature.words();
    if !source.nature.simulated {
        notes.insert(0, "measured".to_owned());
    }
    if source.incomplete() > 0 {
        notes.push(format!("{} of {} cells", source.done, source.planned));
    }
    let metric = |metric: Metric| MetricAbout {
        name: metric.as_str().to_owned(),
        text: metric.as_str().to_owned(),
        unit: Some(metric.unit().to_owned()),
    };
    let about = About {
        experiment: &source.experiment,
        axes: numbers.axes(),
        rounds: input.experiment.rounds..=input.experiment.rounds,
        metrics: Metric::ALL.map(metric).to_vec(),
        column: None,
        notes,
    };
    let mut pictures = Vec::new();
    for figure in wanted {
        let (csv, drawing) = matrix_figures::picture(figure, &about, &numbers);
        let Some(drawing) = program::unless_empty(&figure.name, drawing, what.named)? else { continue };
        let files = program::files(&figure.name, csv, &drawing, &what.formats)?;
        pictures.extend(drawn.figure(&figure.name, &files)?);
    }
    Ok(pictures)
}

fn figure(name: &str, declared: &[FigureSpec]) -> Result<Figure, Failure> {
    name.parse().map_err(|error: matrix_presets::UnknownFigure| {
        let mut known: Vec<&str> = Figure::ALL.into_iter().map(Figure::name).collect();
        known.extend(declared.iter().map(|figure| figure.name.as_str()));
        Failure::usage(error.to_string(), format!("the figures are: {}", known.join(", ")))
    })
}

fn figures_help() -> String {
    let line = |figure: Figure| format!("  {}: {}", figure.name(), figure.description());
    let lines: Vec<String> = Figure::ALL.into_iter().map(line).collect();
    format!("The figure (may be repeated) [default: all]\n\n{}", lines.join("\n"))
}

//! Figures of any numbers: lines with bands, bars, distributions and heat maps, in one or several panels.

mod against;
mod bars;
mod heat;
mod lines;
mod scales;

use crate::draw::authors::{of_the_authors, their_entry};
use crate::draw::palette::{self, SOFT};
use crate::draw::panel::{TICK_GAP, widest, x_title, y_title};
use crate::draw::{Canvas, Entry, Grid, Page, Panel, Point, Rect, Sample, Stroke, Type};
use crate::{Drawing, FigureError};
use scales::Axes;

/// How a chart is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A line for each series, with the band of its intervals.
    Lines,
    /// A group of bars for each place across.
    Bars,
    /// A bar for each place across, of a part for each series.
    Stacked,
    /// Steps of a cumulative distribution.
    Steps,
    /// A field for each place across and each series, coloured by its number.
    Heat,
}

/// What an axis is called.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Title {
    /// In words, with the unit.
    pub text: String,
    /// Whether equal steps are equal factors.
    pub log: bool,
}

/// A number with its interval; an end that is not finite is not drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Estimate {
    /// Whether both ends are finite: the interval is drawn.
    pub(crate) fn is_bounded(&self) -> bool {
        self.low.is_finite() && self.high.is_finite()
    }
}

/// A place across, and what is there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChartMark {
    /// The number across, or the place among the chart's categories.
    pub x: f64,
    /// The interval of the number across, where it has one.
    pub across: Option<(f64, f64)>,
    /// The number; none where the program failed or did not finish.
    pub estimate: Option<Estimate>,
    /// Whether other work disturbed what was measured.
    pub disturbed: bool,
}

impl ChartMark {
    /// Whether its number has a place on an axis that may be logarithmic.
    pub(crate) fn has_place(&self, log: bool) -> bool {
        self.estimate.is_some_and(|estimate| !log || estimate.value > 0.0)
    }
}

/// One series.
#[derive(Clone, Debug, PartialEq)]
pub struct ChartLine {
    /// The place of the series among all, which chooses how it looks.
    pub series: usize,
    /// Whether it is the authors', beside one's own.
    pub theirs: bool,
    /// Its marks, from left to right.
    pub marks: Vec<ChartMark>,
}

/// One panel.
#[derive(Clone, Debug, PartialEq)]
pub struct ChartPanel {
    /// What stands above it.
    pub heading: Option<String>,
    /// Its series.
    pub lines: Vec<ChartLine>,
}

/// A figure of any numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// The name of its files.
    pub name: String,
    /// Its heading.
    pub title: String,
    /// What is shown, in words.
    pub subtitle: String,
    /// The experiment.
    pub experiment: String,
    /// Notes below it.
    pub notes: Vec<String>,
    /// How it is drawn.
    pub kind: Kind,
    /// The axis across.
    pub x: Title,
    /// The axis upwards; of a heat map what its colours are.
    pub y: Title,
    /// What the series are, in words: a heat map has them as rows.
    pub rows: String,
    /// Names of the places across, where they are no numbers.
    pub categories: Vec<String>,
    /// Names of all series.
    pub series: Vec<String>,
    /// The panels.
    pub panels: Vec<ChartPanel>,
}

impl Chart {
    /// Draws it.
    ///
    /// # Errors
    /// [`FigureError::Empty`] without a number to draw; otherwise only if plotters or the embedded font fail.
    pub fn draw(&self) -> Result<Drawing, FigureError> {
        let Some(axes) = Axes::of(self) else {
            let why = match self.off_scale().count() {
                0 => FigureError::NO_RESULT,
                _ => "none of its numbers is above 0, as a logarithmic axis needs",
            };
            return Err(FigureError::empty(&self.name, why));
        };
        let page = self.page();
        if self.kind == Kind::Heat {
            return heat::draw(self, page);
        }
        let grid = Grid::new(self.panels.len(), 2);
        let headed = self.panels.iter().any(|panel| panel.heading.is_some());
        let height = if grid.rows == 1 { 165.0 } else { 130.0 };
        let (above, below, gap, foot) = (if headed { 14.0 } else { 4.0 }, 14.0, 12.0, 12.0);
        let body = grid.rows as f64 * (above + height + below) + (grid.rows - 1) as f64 * gap + foot;
        page.draw(body, |canvas, rect| {
            let y_ticks = axes.y_ticks(canvas, height);
            let left = rect.left + 13.0 + widest(canvas, &y_ticks) + TICK_GAP;
            let inner = Rect { left, right: rect.right - 2.0, bottom: rect.bottom - foot, ..rect };
            y_title(canvas, (inner.top + above, inner.bottom - below), rect.left, &self.y.text)?;
            x_title(canvas, (inner.left, inner.right), rect.bottom - 3.0, &self.x.text)?;
            for (index, panel) in self.panels.iter().enumerate() {
                let (column, row) = grid.place(index);
                let cell = inner.cell((column, grid.columns), (row, grid.rows), (16.0, gap));
                let area = Rect { top: cell.top + above, bottom: cell.bottom - below, ..cell };
                let drawn = Panel::new(canvas, area, axes.x, axes.y);
                drawn.y_axis(&y_ticks, column == 0)?;
                drawn.x_axis(&axes.x_ticks(canvas, area.width()), true)?;
                if let Some(heading) = &panel.heading {
                    drawn.title(heading)?;
                }
                match self.kind {
                    Kind::Lines => lines::draw(&drawn, panel, self.y.log)?,
                    Kind::Bars => bars::draw(canvas, &drawn, panel, (self.series.len(), self.is_against()))?,
                    Kind::Stacked => bars::stacked(canvas, &drawn, panel, self.is_against())?,
                    Kind::Steps => lines::steps(&drawn, panel)?,
                    Kind::Heat => {}
                }
            }
            Ok(())
        })
    }

    /// Whether a series has a band in any panel.
    fn has_band(&self, series: usize) -> bool {
        let lines = self.panels.iter().flat_map(lines::ours).filter(|line| line.series == series);
        lines.flat_map(|line| lines::bands(line, self.y.log)).next().is_some()
    }

    /// The marks that have no place, as the axis upwards is logarithmic and their number is not above 0.
    fn off_scale(&self) -> impl Iterator<Item = &ChartMark> {
        let has_axis = matches!(self.kind, Kind::Lines | Kind::Bars);
        let log = self.y.log && has_axis;
        self.marks().map(|(_, mark)| mark).filter(move |mark| mark.estimate.is_some() && !mark.has_place(log))
    }

    /// What is said of a logarithmic axis that does not show everything, or that is none.
    fn about_logarithms(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let missing = self.off_scale().count();
        if missing > 0 {
            notes.push(format!("{missing} at 0 or below, without a place on a logarithmic axis"));
        }
        let is_low = |(_, mark): (&ChartLine, &ChartMark)| mark.estimate.is_some() && !mark.has_place(true);
        if self.kind == Kind::Heat && self.y.log && self.marks().any(is_low) {
            notes.push("colours are not logarithmic: a number is not above 0".to_owned());
        }
        if matches!(self.kind, Kind::Lines | Kind::Steps)
            && self.x.log
            && self.categories.is_empty()
            && !self.is_log_across()
        {
            notes.push("the axis across is not logarithmic: not everything on it is above 0".to_owned());
        }
        notes
    }

    /// The page with its legend, notes and sentences.
    fn page(&self) -> Page {
        let mut page = Page::titled(&self.title, &self.experiment, self.subtitle.clone());
        for (number, name) in self.series.iter().enumerate().filter(|_| self.kind != Kind::Heat) {
            let look = palette::series(number);
            let stroke = Stroke { color: look.color, width: 1.5, dashes: look.dashes };
            let sample = match self.kind {
                Kind::Lines => Sample::Line { stroke, marker: Some(look.marker), band: self.has_band(number) },
                Kind::Steps => Sample::Line { stroke, marker: None, band: false },
                Kind::Bars | Kind::Stacked | Kind::Heat => Sample::Fill(look.color),
            };
            page.entry(Entry::new(sample, name.clone()));
        }
        if self.is_against() {
            page.entry(their_entry(matches!(self.kind, Kind::Lines | Kind::Steps)));
        }
        if self.marks().any(|(line, mark)| mark.disturbed && !line.theirs) {
            page.entry(Entry::new(Sample::Word(DISTURBED, palette::INK), "disturbed by other work"));
        }
        for note in self.notes.iter().cloned().chain(self.about_logarithms()) {
            page.note(note);
        }
        let missing =
            |theirs: bool| self.marks().filter(|(line, mark)| line.theirs == theirs && mark.estimate.is_none()).count();
        if missing(false) > 0 {
            page.note(format!("DNF: {} without a result", missing(false)));
        }
        if missing(true) > 0 {
            page.note(format!("{} of the authors' without a result", missing(true)));
        }
        if self.kind == Kind::Steps {
            // Hundreds of steps are read by nobody: the quartiles stand for them.
            for line in self.panels.iter().flat_map(|panel| &panel.lines) {
                page.say(self.quartiles(line));
            }
        } else {
            for (line, mark) in self.marks() {
                page.say(self.sentence(line, mark));
            }
        }
        page
    }

    /// A distribution for those who do not see the picture.
    fn quartiles(&self, line: &ChartLine) -> String {
        let name = self.name_of(line);
        let at = |share: f64| {
            let found = line.marks.iter().find(|mark| mark.estimate.is_some_and(|estimate| estimate.value >= share));
            found.map(|mark| scales::label(mark.x)).unwrap_or_default()
        };
        told(line, &format!("{name}quartiles {}, {} and {}.", at(0.25), at(0.5), at(0.75)))
    }

    /// The series of a line as sentences begin.
    fn name_of(&self, line: &ChartLine) -> String {
        self.series.get(line.series).map(|name| format!("{name}, ")).unwrap_or_default()
    }

    /// Whether the authors' numbers stand in it as marks of their own.
    fn is_against(&self) -> bool {
        self.panels.iter().flat_map(|panel| &panel.lines).any(|line| line.theirs)
    }

    fn marks(&self) -> impl Iterator<Item = (&ChartLine, &ChartMark)> {
        let lines = self.panels.iter().flat_map(|panel| &panel.lines);
        lines.flat_map(|line| line.marks.iter().map(move |mark| (line, mark)))
    }

    /// A mark for those who do not see the picture.
    fn sentence(&self, line: &ChartLine, mark: &ChartMark) -> String {
        let name = self.name_of(line);
        let name = format!("{name}{}", if mark.disturbed { "disturbed, " } else { "" });
        let x = match self.categories.get(mark.x as usize) {
            Some(category) => category.clone(),
            None => scales::label(mark.x),
        };
        let sentence = match mark.estimate {
            Some(estimate) if estimate.is_bounded() => {
                let [value, low, high] = [estimate.value, estimate.low, estimate.high].map(scales::label);
                format!("{name}{x}: {value} ({low} to {high}).")
            }
            Some(Estimate { value, .. }) => format!("{name}{x}: {}.", scales::label(value)),
            None => format!("{name}{x}: did not finish."),
        };
        told(line, &sentence)
    }
}

/// A sentence about a line, which says when it is the authors'.
fn told(line: &ChartLine, sentence: &str) -> String {
    if line.theirs { of_the_authors(sentence) } else { sentence.to_owned() }
}

/// The mark of what other work disturbed.
const DISTURBED: &str = "*";

/// Marks what other work disturbed, beside a point of the page.
fn disturbed(canvas: &Canvas, at: Point) -> Result<(), FigureError> {
    let at = Point::new(at.x + 4.5, at.y - 3.5);
    canvas.text(at, DISTURBED, Type::new(9.0).bold().color(palette::INK).centred())
}

/// The word that stands where a program failed or did not finish.
fn did_not_finish(canvas: &Canvas, at: Point, color: plotters::style::RGBColor) -> Result<(), FigureError> {
    canvas.text(at, "DNF", Type::new(6.5).bold().color(if color == palette::PAPER { SOFT } else { color }).centred())
}

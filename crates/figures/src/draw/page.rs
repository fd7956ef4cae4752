//! What surrounds the panels of every figure: heading, subtitle, legend, and where the numbers come from.

use plotters::style::text_anchor::HPos;

use super::canvas::{Canvas, Stroke, Type, WIDTH};
use super::font::Fonts;
use super::geometry::{Point, Rect};
use super::legend::{self, Entry};
use super::palette;
use crate::{Drawing, FigureError};

const MARGIN: f64 = 7.0;
const HEADING: f64 = 11.0;
const SUBTITLE: f64 = 8.5;
const SUBTITLE_LINE: f64 = 11.0;
const NOTE: f64 = 7.5;
const NOTE_LINE: f64 = 10.0;

/// A page before its height is known.
pub struct Page {
    title: String,
    experiment: String,
    simulated: bool,
    subtitle: String,
    legend: Vec<Entry>,
    notes: Vec<String>,
    words: Vec<String>,
}

impl Page {
    /// A page with this title, of measured results.
    pub fn titled(title: &str, experiment: &str, subtitle: impl Into<String>) -> Self {
        Self {
            title: title.to_owned(),
            experiment: experiment.to_owned(),
            simulated: false,
            subtitle: subtitle.into(),
            legend: Vec::new(),
            notes: Vec::new(),
            words: Vec::new(),
        }
    }

    /// Says that all numbers are simulated.
    pub fn simulated(&mut self) {
        self.simulated = true;
    }

    /// Adds an entry to the legend.
    pub fn entry(&mut self, entry: Entry) {
        self.legend.push(entry);
    }

    /// Adds a note below the panels.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Adds a sentence to the description for those who do not see the picture.
    pub fn say(&mut self, sentence: impl Into<String>) {
        self.words.push(sentence.into());
    }

    /// Draws everything but the panels, for which it leaves room of the given height, then the panels, and ends the
    /// picture.
    pub fn draw(
        mut self,
        body: f64,
        panels: impl FnOnce(&Canvas, Rect) -> Result<(), FigureError>,
    ) -> Result<Drawing, FigureError> {
        let fonts = Fonts::get()?;
        let width = WIDTH - 2.0 * MARGIN;
        if !self.experiment.is_empty() {
            self.notes.push(format!("experiment {}", self.experiment));
        }
        let subtitle = wrap(fonts, self.subtitle.split(' '), " ", SUBTITLE, width);
        let notes = wrap(fonts, self.notes.iter().map(String::as_str), "  \u{b7}  ", NOTE, width);

        let heading = MARGIN + fonts.cap_height(HEADING, true) + 2.0;
        let strip = heading + 4.0 + SUBTITLE_LINE * subtitle.len() as f64;
        let top = strip + legend::height(fonts, &self.legend, width) + 4.0;
        let foot = top + body + 4.0;
        let canvas = Canvas::new(foot + NOTE_LINE * notes.len() as f64 + 3.0)?;

        let mut title_width = width;
        if self.simulated {
            title_width -= badge(&canvas, "simulated")? + 8.0;
        }
        let look = Type::new(HEADING).bold().fitted(fonts, &self.title, title_width, NOTE);
        canvas.text(Point::new(MARGIN, heading), &self.title, look)?;
        for (index, line) in subtitle.iter().enumerate() {
            let y = heading + SUBTITLE_LINE * (index + 1) as f64 + 1.0;
            canvas.text(Point::new(MARGIN, y), line, Type::new(SUBTITLE).color(palette::SOFT))?;
        }
        legend::draw(&canvas, &self.legend, Point::new(MARGIN, strip), width)?;
        for (index, line) in notes.iter().enumerate() {
            let y = foot + NOTE_LINE * index as f64 + 6.5;
            canvas.text(Point::new(MARGIN, y), line, Type::new(NOTE).color(palette::SOFT))?;
        }
        panels(&canvas, Rect { left: MARGIN, right: WIDTH - MARGIN, top, bottom: top + body })?;
        canvas.finish(&self.title, &self.description())
    }

    fn description(&self) -> String {
        let simulated = self.simulated.then_some("All numbers are simulated.".to_owned());
        let sentences = std::iter::once(format!("{}.", self.subtitle))
            .chain(simulated)
            .chain(self.words.iter().cloned())
            .chain(self.notes.iter().map(|note| format!("{note}.")));
        sentences.collect::<Vec<_>>().join(" ")
    }
}

/// A word in a box in the top right corner; returns its width.
fn badge(canvas: &Canvas, word: &str) -> Result<f64, FigureError> {
    const SIZE: f64 = 8.5;
    let width = canvas.fonts.width(word, SIZE, true) + 10.0;
    let rect = Rect { left: WIDTH - MARGIN - width, right: WIDTH - MARGIN, top: MARGIN - 2.0, bottom: MARGIN + 11.5 };
    canvas.frame(rect, Stroke::solid(palette::INK, 0.8))?;
    let look = Type::new(SIZE).bold().centred().across(HPos::Center);
    canvas.text(rect.centre(), word, look)?;
    Ok(width)
}

/// Pieces set in lines of at most the given width; a piece is never cut, unless it is wider than a line.
fn wrap<'p>(fonts: &Fonts, pieces: impl Iterator<Item = &'p str>, joint: &str, size: f64, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for piece in pieces {
        match lines.last_mut() {
            Some(line) if fonts.width(&format!("{line}{joint}{piece}"), size, false) <= width => {
                line.push_str(joint);
                line.push_str(piece);
            }
            _ if fonts.width(piece, size, false) <= width => lines.push(piece.to_owned()),
            _ => lines.extend(broken(fonts, piece, size, width)),
        }
    }
    lines
}

/// A piece that is wider than a line, cut between letters (at blanks where there are any).
fn broken(fonts: &Fonts, piece: &str, size: f64, width: f64) -> Vec<String> {
    if piece.contains(' ') {
        return wrap(fonts, piece.split(' '), " ", size, width);
    }
    let mut lines = vec![String::new()];
    for letter in piece.chars() {
        if let Some(line) = lines.last_mut() {
            line.push(letter);
            if fonts.width(line, size, false) > width {
                line.pop();
                lines.push(letter.to_string());
            }
        }
    }
    lines
}

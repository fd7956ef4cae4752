//! How the authors' numbers look beside one's own: in the same colours, lines dotted, marks and bars hollow.

use plotters::style::RGBColor;

use super::canvas::{Canvas, Stroke};
use super::geometry::{Point, Rect};
use super::legend::{Entry, Sample};
use super::palette;
use crate::FigureError;

/// The line of an authors' curve: in the colour of one's own, thin and dotted.
#[must_use]
pub fn their_line(color: RGBColor) -> Stroke {
    Stroke { color, width: 1.0, dashes: &[1.0, 1.6] }
}

/// The mark of an authors' number: hollow.
///
/// # Errors
/// Only if plotters fail.
pub fn their_mark(canvas: &Canvas, at: Point, color: RGBColor) -> Result<(), FigureError> {
    const HALF: f64 = 2.7;
    let rect = Rect { left: at.x - HALF, right: at.x + HALF, top: at.y - HALF, bottom: at.y + HALF };
    canvas.frame(rect, Stroke::solid(color, 1.0))
}

/// The legend's text for the authors' numbers: those of curves, or marks and bars.
#[must_use]
pub fn their_entry(curves: bool) -> Entry {
    let sample = match curves {
        true => Sample::Line { stroke: their_line(palette::INK), marker: None, band: false },
        false => Sample::Word("\u{25a1}", palette::INK),
    };
    Entry::new(sample, "the authors'")
}

/// A sentence about an authors' number, for those who do not see the picture.
#[must_use]
pub fn of_the_authors(sentence: &str) -> String {
    format!("The authors': {sentence}")
}

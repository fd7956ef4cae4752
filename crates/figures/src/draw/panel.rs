//! A plot: two axes, a thin grid, and data in the units of the axes.

use plotters::coord::cartesian::Cartesian2d;
use plotters::drawing::DrawingArea;
use plotters::element::{PathElement, Polygon};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color as _, RGBColor};

use super::canvas::{Canvas, Stroke, Type, WIDTH, failed};
use super::geometry::{Point, Rect};
use super::palette::{self, Marker};
use super::pen::{Pen, UNITS};
use super::scale::Scale;
use super::ticks::Tick;
use crate::FigureError;

/// Size of the labels of ticks.
pub const TICK_SIZE: f64 = 8.5;
/// Size of the titles of axes.
pub const TITLE_SIZE: f64 = 9.0;
/// Space between an axis and the labels of its ticks.
pub const TICK_GAP: f64 = 5.0;

/// One plot on a page.
pub struct Panel<'c> {
    /// What it is drawn on.
    pub canvas: &'c Canvas,
    /// Where it is.
    pub rect: Rect,
    x: Scale,
    y: Scale,
    area: DrawingArea<Pen, Cartesian2d<Scale, Scale>>,
}

impl<'c> Panel<'c> {
    /// A plot in a rectangle, with these scales.
    pub fn new(canvas: &'c Canvas, rect: Rect, x: Scale, y: Scale) -> Self {
        let unit = |value: f64| (value * UNITS).round() as i32;
        let ranges = (unit(rect.left)..unit(rect.right), unit(rect.bottom)..unit(rect.top));
        let area = canvas.area().apply_coord_spec(Cartesian2d::new(x, y, ranges));
        Self { canvas, rect, x, y, area }
    }

    /// Where a value of the horizontal axis stands on the page.
    pub fn across(&self, value: f64) -> f64 {
        self.rect.left + self.rect.width() * self.x.share(value)
    }

    /// Whether the horizontal axis is logarithmic.
    pub fn is_logarithmic(&self) -> bool {
        matches!(self.x, Scale::Log { .. })
    }

    /// Where a value of the vertical axis stands on the page.
    pub fn down(&self, value: f64) -> f64 {
        self.rect.bottom - self.rect.height() * self.y.share(value)
    }

    /// A value of the vertical axis, or the end of the axis where it is beyond.
    pub fn clamped(&self, value: f64) -> f64 {
        match self.y {
            Scale::Linear { low, high } | Scale::Log { low, high } => value.clamp(low, high),
            Scale::ZeroThenLog { high, .. } => value.clamp(0.0, high),
            Scale::Zero => 0.0,
        }
    }

    /// The horizontal axis: a line, ticks outwards, labels below them, and lines of the grid at the major ones.
    pub fn x_axis(&self, ticks: &[Tick], labels: bool) -> Result<(), FigureError> {
        let Rect { left, right, top, bottom } = self.rect;
        for tick in ticks {
            let x = self.across(tick.value);
            if tick.major && x > left + 0.5 {
                self.canvas.line(&[Point::new(x, top), Point::new(x, bottom)], grid())?;
            }
            let length = if tick.major { 3.2 } else { 1.8 };
            self.canvas.line(&[Point::new(x, bottom), Point::new(x, bottom + length)], axis())?;
            if let (true, Some(label)) = (labels, &tick.label) {
                let look = Type::new(TICK_SIZE).across(HPos::Center).down(VPos::Top);
                // A label at the end of the last axis would leave the page.
                let half = self.canvas.fonts.width(label, TICK_SIZE, false) / 2.0;
                let x = x.clamp(half + 1.0, WIDTH - half - 1.0);
                self.canvas.text(Point::new(x, bottom + TICK_GAP), label, look)?;
            }
        }
        self.canvas.line(&[Point::new(left, bottom), Point::new(right, bottom)], axis())
    }

    /// The vertical axis, likewise; its labels stand to its left.
    pub fn y_axis(&self, ticks: &[Tick], labels: bool) -> Result<(), FigureError> {
        let Rect { left, right, top, bottom } = self.rect;
        for tick in ticks {
            let y = self.down(tick.value);
            if tick.major && y < bottom - 0.5 {
                self.canvas.line(&[Point::new(left, y), Point::new(right, y)], grid())?;
            }
            let length = if tick.major { 3.2 } else { 1.8 };
            self.canvas.line(&[Point::new(left - length, y), Point::new(left, y)], axis())?;
            if let (true, Some(label)) = (labels, &tick.label) {
                let look = Type::new(TICK_SIZE).across(HPos::Right).down(VPos::Center);
                self.canvas.text(Point::new(left - TICK_GAP, y), label, look)?;
            }
        }
        self.canvas.line(&[Point::new(left, top), Point::new(left, bottom)], axis())
    }

    /// From where to where, above the plot, cut to its width, and what follows it.
    pub fn heading(&self, ends: (&str, &str), end: &str) -> Result<(), FigureError> {
        let (text, look) = fit_arrow(self.canvas, ends, end, self.rect.width(), Type::new(9.0).bold());
        let at = Point::new(self.rect.centre().x, self.rect.top - 4.0);
        self.canvas.text(at, &text, look.across(HPos::Center))
    }

    /// Any words above the plot, cut to its width.
    pub fn title(&self, text: &str) -> Result<(), FigureError> {
        let (text, look) = fit(self.canvas, text, self.rect.width(), Type::new(9.0).bold());
        let at = Point::new(self.rect.centre().x, self.rect.top - 4.0);
        self.canvas.text(at, &text, look.across(HPos::Center))
    }

    /// A line through points of the data.
    pub fn line(&self, points: &[(f64, f64)], stroke: Stroke) -> Result<(), FigureError> {
        let element = PathElement::new(points.to_vec(), stroke.style());
        self.canvas.dashed(stroke.dashes, || self.area.draw(&element)).map_err(failed)
    }

    /// What lies between a lower and an upper edge, both given as points of the data from left to right.
    pub fn band(&self, low: &[(f64, f64)], high: &[(f64, f64)], color: RGBColor) -> Result<(), FigureError> {
        let edge: Vec<_> = low.iter().chain(high.iter().rev()).copied().collect();
        self.area.draw(&Polygon::new(edge, color.mix(0.2))).map_err(failed)
    }

    /// A marker at a point of the data, moved aside by some points of the page.
    pub fn marker(&self, marker: Marker, at: (f64, f64), aside: f64, color: RGBColor) -> Result<(), FigureError> {
        self.canvas.marker(marker, Point::new(self.across(at.0) + aside, self.down(at.1)), color)
    }

    /// An interval of the vertical axis about a point of the data, as a bar with caps.
    pub fn interval(&self, x: f64, range: (f64, f64), aside: f64, color: RGBColor) -> Result<(), FigureError> {
        let x = self.across(x) + aside;
        let (low, high) = (self.down(range.0), self.down(range.1));
        let stroke = Stroke::solid(color, 0.9);
        self.canvas.line(&[Point::new(x, low), Point::new(x, high)], stroke)?;
        for y in [low, high] {
            self.canvas.line(&[Point::new(x - 2.0, y), Point::new(x + 2.0, y)], stroke)?;
        }
        Ok(())
    }
}

/// The smallest size that text is shrunk to before it is cut.
const LEAST: f64 = 7.0;

/// More letters than are in a line of the page's width: of longer texts no more are tried.
const MOST_LETTERS: usize = 1000;

/// Text that fits a width: smaller if need be, and cut with an ellipsis if it would become too small to be read.
pub fn fit(canvas: &Canvas, text: &str, width: f64, look: Type) -> (String, Type) {
    let text = at_most_a_line(text);
    fit_cut(canvas, width, look, text.chars().count(), |letters| cut(&text, letters))
}

/// From where to where, and what follows it, that fit a width: the longer of the names is cut first.
pub fn fit_arrow(canvas: &Canvas, (from, to): (&str, &str), end: &str, width: f64, look: Type) -> (String, Type) {
    let (from, to) = (at_most_a_line(from), at_most_a_line(to));
    fit_cut(canvas, width, look, from.len().max(to.len()), |letters| {
        format!("{}{end}", palette::arrow(&cut(&from, letters), &cut(&to, letters)))
    })
}

/// The first of the texts that `shown` makes of ever fewer letters that fits the width.
fn fit_cut(canvas: &Canvas, width: f64, look: Type, letters: usize, shown: impl Fn(usize) -> String) -> (String, Type) {
    let whole = shown(letters);
    let look = look.fitted(canvas.fonts, &whole, width, LEAST);
    let fits = |text: &String| canvas.fonts.width(text, look.size, look.bold) <= width + 0.01;
    let text = (1..=letters).rev().map(&shown).find(fits).unwrap_or_else(|| shown(1));
    (text, look)
}

/// The text, or as many of its letters with an ellipsis.
fn cut(text: &str, letters: usize) -> String {
    match text.char_indices().nth(letters) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}\u{2026}", &text[..end]),
    }
}

/// The text, or as many of its letters with an ellipsis as could stand in a line.
pub fn at_most_a_line(text: &str) -> String {
    cut(text, MOST_LETTERS)
}

/// The title of the horizontal axis of everything between two edges, `y` from the top of the page.
pub fn x_title(canvas: &Canvas, (left, right): (f64, f64), y: f64, text: &str) -> Result<(), FigureError> {
    canvas.text(Point::new((left + right) / 2.0, y), text, Type::new(TITLE_SIZE).across(HPos::Center))
}

/// The title of the vertical axis of everything between two edges, `x` from the left of the page.
pub fn y_title(canvas: &Canvas, (top, bottom): (f64, f64), x: f64, text: &str) -> Result<(), FigureError> {
    let look = Type::new(TITLE_SIZE).across(HPos::Center).down(VPos::Top).upright();
    canvas.text(Point::new(x, (top + bottom) / 2.0), text, look)
}

/// Width of the widest label.
pub fn widest(canvas: &Canvas, ticks: &[Tick]) -> f64 {
    let labels = ticks.iter().filter_map(|tick| tick.label.as_deref());
    labels.map(|label| canvas.fonts.width(label, TICK_SIZE, false)).fold(0.0, f64::max)
}

fn axis() -> Stroke {
    Stroke::solid(palette::INK, 0.7)
}

fn grid() -> Stroke {
    Stroke::solid(palette::GRID, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_end_is_cut_as_a_long_one() {
        let canvas = Canvas::new(100.0).unwrap();
        let look = Type::new(9.0);
        for letter in ["i", "m", "\u{e9}"] {
            let (text, _) = fit(&canvas, &letter.repeat(5 << 20), 100.0, look);
            assert_eq!(text, fit(&canvas, &letter.repeat(400), 100.0, look).0);
            assert!(text.ends_with('\u{2026}') && text.chars().count() < 60, "{text}");
        }
        assert_eq!(fit(&canvas, "short", 100.0, look).0, "short");
        let letters = "i".repeat(1 + MOST_LETTERS);
        assert_eq!(at_most_a_line(&letters), format!("{}\u{2026}", &letters[1..]));
        assert_eq!(at_most_a_line(&letters[1..]), letters[1..]);
        assert!(canvas.fonts.width(&letters, LEAST, false) > super::super::canvas::WIDTH);
    }
}

//! A legend in a strip of its own, where it covers no data.

use plotters::style::RGBColor;
use plotters::style::text_anchor::VPos;

use super::canvas::{Canvas, Stroke, Type};
use super::font::Fonts;
use super::geometry::{Point, Rect};
use super::palette::{self, Marker};
use crate::FigureError;

const SIZE: f64 = 8.5;
const ROW: f64 = 13.0;
const SAMPLE_GAP: f64 = 4.0;
const ENTRY_GAP: f64 = 13.0;

/// What an entry looks like in the plots.
#[derive(Clone, Copy)]
pub enum Sample {
    /// A filled area.
    Fill(RGBColor),
    /// A marker by itself.
    Mark(Marker, RGBColor),
    /// A line, perhaps with markers and with a band around it.
    Line {
        /// The line.
        stroke: Stroke,
        /// Its markers.
        marker: Option<Marker>,
        /// Whether there is a band.
        band: bool,
    },
    /// The shades of shares from 0 to 100 %.
    Heat,
    /// A word as it stands in the plots.
    Word(&'static str, RGBColor),
}

/// One entry.
pub struct Entry {
    /// What stands in the figure.
    pub sample: Sample,
    /// What it means.
    pub label: String,
}

impl Entry {
    /// An entry.
    pub fn new(sample: Sample, label: impl Into<String>) -> Self {
        Self { sample, label: label.into() }
    }

    fn sample_width(&self, fonts: &Fonts) -> f64 {
        match self.sample {
            Sample::Fill(_) => 12.0,
            Sample::Mark(..) => 8.0,
            Sample::Line { .. } => 26.0,
            Sample::Heat => 90.0,
            Sample::Word(word, _) => fonts.width(word, SIZE, true),
        }
    }

    fn width(&self, fonts: &Fonts) -> f64 {
        self.sample_width(fonts) + SAMPLE_GAP + fonts.width(&self.label, SIZE, false)
    }
}

/// Entries set in rows of at most the given width: in columns if they fit, else one after the other.
fn rows<'e>(fonts: &Fonts, entries: &'e [Entry], width: f64) -> Vec<Vec<(f64, &'e Entry)>> {
    let widths: Vec<f64> = entries.iter().map(|entry| entry.width(fonts)).collect();
    for rows in 1..=3 {
        let columns = entries.len().div_ceil(rows);
        if columns == 0 {
            return Vec::new();
        }
        // Where a column begins: after the widest entry of the one before.
        let mut starts = vec![0.0];
        for column in 0..columns {
            let widest = widths.iter().skip(column).step_by(columns).copied().fold(0.0, f64::max);
            starts.push(starts[column] + widest + ENTRY_GAP);
        }
        if starts[columns] - ENTRY_GAP <= width {
            return entries.chunks(columns).map(|row| starts.iter().copied().zip(row).collect()).collect();
        }
    }
    let mut rows: Vec<Vec<(f64, &Entry)>> = Vec::new();
    let mut x = 0.0;
    for (entry, needed) in entries.iter().zip(widths) {
        match rows.last_mut() {
            Some(row) if x + needed <= width => row.push((x, entry)),
            _ => {
                x = 0.0;
                rows.push(vec![(x, entry)]);
            }
        }
        x += needed + ENTRY_GAP;
    }
    rows
}

/// Height of the strip.
pub fn height(fonts: &Fonts, entries: &[Entry], width: f64) -> f64 {
    rows(fonts, entries, width).len() as f64 * ROW
}

/// Draws the strip from its top left corner.
pub fn draw(canvas: &Canvas, entries: &[Entry], at: Point, width: f64) -> Result<(), FigureError> {
    for (index, row) in rows(canvas.fonts, entries, width).into_iter().enumerate() {
        let y = at.y + ROW * (index as f64 + 0.5);
        for (x, entry) in row {
            let left = at.x + x;
            let right = left + entry.sample_width(canvas.fonts);
            sample(canvas, entry.sample, (left, right), y)?;
            let look = Type::new(SIZE).down(VPos::Center);
            canvas.text(Point::new(right + SAMPLE_GAP, y), &entry.label, look)?;
        }
    }
    Ok(())
}

fn sample(canvas: &Canvas, sample: Sample, (left, right): (f64, f64), y: f64) -> Result<(), FigureError> {
    match sample {
        Sample::Fill(color) => canvas.fill(Rect { left, right, top: y - 4.0, bottom: y + 4.0 }, color),
        Sample::Mark(marker, color) => canvas.marker(marker, Point::new((left + right) / 2.0, y), color),
        Sample::Line { stroke, marker, band } => {
            if band {
                let edge = [(left, y - 4.0), (right, y - 4.0), (right, y + 4.0), (left, y + 4.0)];
                let edge = edge.map(|(x, y)| Point::new(x, y));
                canvas.shape(&edge, plotters::style::Color::mix(&stroke.color, 0.2))?;
            }
            canvas.line(&[Point::new(left, y), Point::new(right, y)], stroke)?;
            marker.map_or(Ok(()), |marker| canvas.marker(marker, Point::new((left + right) / 2.0, y), stroke.color))
        }
        Sample::Heat => heat(canvas, (left, right), y),
        Sample::Word(word, color) => {
            canvas.text(Point::new(left, y), word, Type::new(SIZE).bold().color(color).down(VPos::Center))
        }
    }
}

/// A strip of shades, 0 % at its left and 100 % at its right.
fn heat(canvas: &Canvas, (left, right): (f64, f64), y: f64) -> Result<(), FigureError> {
    const STEPS: usize = 30;
    let (words, size) = (["0 %", "100 %"], SIZE - 0.5);
    let from = left + canvas.fonts.width(words[0], size, false) + 3.0;
    let to = right - canvas.fonts.width(words[1], size, false) - 3.0;
    let edge = |step: usize| from + (to - from) * step as f64 / STEPS as f64;
    for step in 0..STEPS {
        let shade = palette::heat((step as f64 + 0.5) / STEPS as f64);
        // Each reaches under the next one: edges that merely touch leave a hairline.
        canvas.fill(Rect { left: edge(step), right: to, top: y - 4.0, bottom: y + 4.0 }, shade)?;
    }
    canvas.frame(Rect { left: from, right: to, top: y - 4.0, bottom: y + 4.0 }, Stroke::solid(palette::SOFT, 0.4))?;
    let look = Type::new(size).down(VPos::Center);
    canvas.text(Point::new(left, y), words[0], look)?;
    canvas.text(Point::new(to + 3.0, y), words[1], look)
}

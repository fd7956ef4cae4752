//! The embedded letters: their widths and outlines.

use std::fmt::Write as _;
use std::sync::OnceLock;

use ttf_parser::{Face, FaceParsingError, GlyphId, OutlineBuilder};

use crate::FigureError;

static REGULAR: &[u8] = include_bytes!("../../fonts/DejaVuSans.ttf");
static BOLD: &[u8] = include_bytes!("../../fonts/DejaVuSans-Bold.ttf");

/// The two weights of DejaVu Sans, read once for all figures.
pub struct Fonts {
    regular: Face<'static>,
    bold: Face<'static>,
}

impl Fonts {
    /// The embedded fonts.
    ///
    /// # Errors
    /// [`FigureError::Font`] if they are damaged.
    pub fn get() -> Result<&'static Self, FigureError> {
        static FONTS: OnceLock<Result<Fonts, FaceParsingError>> = OnceLock::new();
        FONTS
            .get_or_init(|| Ok(Self { regular: Face::parse(REGULAR, 0)?, bold: Face::parse(BOLD, 0)? }))
            .as_ref()
            .map_err(|error| FigureError::Font(*error))
    }

    fn face(&self, bold: bool) -> &Face<'static> {
        if bold { &self.bold } else { &self.regular }
    }

    /// Width of one line of text.
    pub fn width(&self, text: &str, size: f64, bold: bool) -> f64 {
        let face = self.face(bold);
        let end = Glyphs::new(face, text).last().map_or(0, |glyph| glyph.x.saturating_add(glyph.advance));
        f64::from(end) * size / f64::from(face.units_per_em())
    }

    /// Height of a capital letter: what text is centred and hung by.
    pub fn cap_height(&self, size: f64, bold: bool) -> f64 {
        let face = self.face(bold);
        // DejaVu Sans states its cap height (1493 of 2048); the fallback is the usual proportion.
        let units = face.capital_height().map_or(f64::from(face.units_per_em()) * 0.73, f64::from);
        units * size / f64::from(face.units_per_em())
    }

    /// Units that make the size of a letter.
    pub fn units_per_em(&self, bold: bool) -> f64 {
        f64::from(self.face(bold).units_per_em())
    }

    /// Outline of one line of text as SVG path data in font units, the baseline at 0 and y upwards.
    pub fn outline(&self, text: &str, bold: bool) -> String {
        let face = self.face(bold);
        let mut path = Outline::default();
        for glyph in Glyphs::new(face, text) {
            path.origin = glyph.x;
            // A blank has no outline.
            let _ = face.outline_glyph(glyph.id, &mut path);
        }
        path.data
    }
}

struct Placed {
    id: GlyphId,
    x: i32,
    advance: i32,
}

/// The glyphs of a line and where they stand, pair kerning applied: all the same place beyond what its numbers hold.
struct Glyphs<'f, 't> {
    face: &'f Face<'static>,
    rest: std::str::Chars<'t>,
    before: Option<GlyphId>,
    x: i32,
}

impl<'f, 't> Glyphs<'f, 't> {
    fn new(face: &'f Face<'static>, text: &'t str) -> Self {
        Self { face, rest: text.chars(), before: None, x: 0 }
    }

    fn kerning(&self, right: GlyphId) -> i32 {
        let (Some(left), Some(table)) = (self.before, self.face.tables().kern) else { return 0 };
        let pairs = table.subtables.into_iter().filter(|pairs| pairs.horizontal && !pairs.variable);
        pairs.filter_map(|pairs| pairs.glyphs_kerning(left, right)).map(i32::from).sum()
    }
}

impl Iterator for Glyphs<'_, '_> {
    type Item = Placed;
    fn next(&mut self) -> Option<Placed> {
        let id = self.face.glyph_index(self.rest.next()?).unwrap_or_default();
        self.x = self.x.saturating_add(self.kerning(id));
        let placed = Placed { id, x: self.x, advance: i32::from(self.face.glyph_hor_advance(id).unwrap_or(0)) };
        self.x = self.x.saturating_add(placed.advance);
        self.before = Some(id);
        Some(placed)
    }
}

/// Collects path data, as short as SVG allows: relative coordinates, no letter for a command that is repeated, no blank
/// before a minus sign.
#[derive(Default)]
struct Outline {
    data: String,
    origin: i32,
    at: (i32, i32),
    /// Where the contour began: closing it moves the pen back there.
    start: (i32, i32),
    command: Option<char>,
}

impl Outline {
    fn place(&self, x: f32, y: f32) -> (i32, i32) {
        ((x.round() as i32).saturating_add(self.origin), y.round() as i32)
    }

    fn write(&mut self, command: char, points: &[(i32, i32)]) {
        let mut apart = self.command == Some(command);
        if !apart {
            self.data.push(command);
        }
        for (x, y) in points {
            for number in [x - self.at.0, y - self.at.1] {
                if apart && number >= 0 {
                    self.data.push(' ');
                }
                // Writing to a String cannot fail.
                let _ = write!(self.data, "{number}");
                apart = true;
            }
        }
        self.command = Some(command);
        self.at = points.last().copied().unwrap_or(self.at);
    }
}

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        // A repeated "m" would be read as a line.
        self.command = None;
        let to = self.place(x, y);
        self.write('m', &[to]);
        self.start = to;
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let to = self.place(x, y);
        self.write('l', &[to]);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let points = [self.place(x1, y1), self.place(x, y)];
        self.write('q', &points);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let points = [self.place(x1, y1), self.place(x2, y2), self.place(x, y)];
        self.write('c', &points);
    }

    fn close(&mut self) {
        self.data.push('z');
        self.command = None;
        self.at = self.start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_that_figures_use_is_in_the_font() {
        let fonts = Fonts::get().unwrap();
        for face in [&fonts.regular, &fonts.bold] {
            for letter in (' '..='~').chain("\u{2192}\u{2212}\u{2013}\u{2026}\u{b7}⁻⁰¹²³⁴⁵⁶⁷⁸⁹".chars())
            {
                assert!(face.glyph_index(letter).is_some(), "{letter}");
            }
        }
    }

    #[test]
    fn pairs_are_kerned() {
        let fonts = Fonts::get().unwrap();
        let width = |text| fonts.width(text, 10.0, false);
        assert!(width("AV") < width("A") + width("V"));
        assert!((width("11") - 2.0 * width("1")).abs() < 1e-9);
    }

    #[test]
    fn a_blank_has_width_but_no_outline() {
        let fonts = Fonts::get().unwrap();
        assert!(fonts.width(" ", 10.0, true) > 0.0);
        assert_eq!(fonts.outline(" ", true), "");
    }
}

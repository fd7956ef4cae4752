//! A plotters backend that writes SVG paths.
//!
//! The backend that comes with plotters places everything on whole pixels and leaves letters to the viewer's fonts. This
//! one counts in hundredths of a point and draws letters as outlines.

use std::convert::Infallible;
use std::fmt::Write as _;

use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontStyle,
    FontTransform,
};

use super::font::Fonts;

/// Units of the backend in a point.
pub const UNITS: f64 = 100.0;

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

/// Collects the elements of one picture.
pub struct Pen {
    fonts: &'static Fonts,
    size: (u32, u32),
    /// Lengths of dashes and gaps, in points, of the lines that follow; plotters' styles have no dashes.
    pub dashes: &'static [f64],
    /// The elements drawn so far.
    pub body: String,
}

impl Pen {
    /// A pen for a page of the given size, in backend units.
    pub fn new(fonts: &'static Fonts, size: (u32, u32)) -> Self {
        Self { fonts, size, dashes: &[], body: String::new() }
    }

    fn paint(&mut self, attribute: &str, color: BackendColor) {
        let (r, g, b) = color.rgb;
        // Writing to a String cannot fail, here and below.
        let _ = write!(self.body, " {attribute}=\"#{r:02x}{g:02x}{b:02x}\"");
        if color.alpha < 1.0 {
            let _ = write!(self.body, " {attribute}-opacity=\"{}\"", Decimal((color.alpha * 100.0).round() as i64));
        }
    }

    fn shape<S: BackendStyle>(&mut self, data: &str, style: &S, fill: bool) -> Drawn {
        let _ = write!(self.body, "<path d=\"{data}\"");
        if fill {
            self.paint("fill", style.color());
            self.body.push_str("/>\n");
            return Ok(());
        }
        self.body.push_str(" fill=\"none\"");
        self.paint("stroke", style.color());
        let _ =
            write!(self.body, " stroke-width=\"{}\" stroke-linejoin=\"round\"", Decimal(style.stroke_width().into()));
        if !self.dashes.is_empty() {
            self.body.push_str(" stroke-dasharray=\"");
            for (index, length) in self.dashes.iter().enumerate() {
                let _ = write!(self.body, "{}{}", if index > 0 { " " } else { "" }, decimal(*length));
            }
            self.body.push('"');
        }
        self.body.push_str("/>\n");
        Ok(())
    }
}

impl DrawingBackend for Pen {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn {
        self.draw_rect((x, y), (x + 1, y + 1), &color, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S, fill: bool) -> Drawn {
        let (x, y, right, bottom) = (Unit(from.0), Unit(from.1), Unit(to.0), Unit(to.1));
        let data = format!("M{x} {y}H{right}V{bottom}H{x}Z");
        self.shape(&data, style, fill)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        self.shape(&polyline(path), style, false)
    }

    fn draw_circle<S: BackendStyle>(&mut self, centre: BackendCoord, radius: u32, style: &S, fill: bool) -> Drawn {
        let r = radius as i32;
        let (left, y, radius, across) = (Unit(centre.0 - r), Unit(centre.1), Unit(r), Unit(2 * r));
        let data = format!("M{left} {y}a{radius} {radius} 0 1 0 {across} 0a{radius} {radius} 0 1 0 -{across} 0Z");
        self.shape(&data, style, fill)
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, points: I, style: &S) -> Drawn {
        self.shape(&(polyline(points) + "Z"), style, true)
    }

    fn draw_text<T: BackendTextStyle>(&mut self, text: &str, style: &T, at: BackendCoord) -> Drawn {
        let bold = matches!(style.style(), FontStyle::Bold);
        let size = style.size();
        let width = self.fonts.width(text, size, bold);
        let cap = self.fonts.cap_height(size, bold);
        let along = match style.anchor().h_pos {
            HPos::Left => 0.0,
            HPos::Center => -width / 2.0,
            HPos::Right => -width,
        };
        // Text hangs from, is centred on, or stands on its point by the height of a capital: what goes below the
        // baseline does not count.
        let down = match style.anchor().v_pos {
            VPos::Top => cap,
            VPos::Center => cap / 2.0,
            VPos::Bottom => 0.0,
        };
        // Unit vectors of "along" and "down" after the rotation, as the columns of a matrix.
        let (a, b, c, d) = match style.transform() {
            FontTransform::None => (1.0, 0.0, 0.0, 1.0),
            FontTransform::Rotate90 => (0.0, 1.0, -1.0, 0.0),
            FontTransform::Rotate180 => (-1.0, 0.0, 0.0, -1.0),
            FontTransform::Rotate270 => (0.0, -1.0, 1.0, 0.0),
        };
        let x = f64::from(at.0) / UNITS + a * along + c * down;
        let y = f64::from(at.1) / UNITS + b * along + d * down;
        let scale = size / self.fonts.units_per_em(bold);
        let _ = write!(self.body, "<path aria-label=\"{}\"", Escaped(text));
        self.paint("fill", style.color());
        // Font units grow upwards, the page downwards. Six decimals place a letter of 2048 units to a thousandth.
        let _ = writeln!(
            self.body,
            " transform=\"matrix({} {} {} {} {} {})\" d=\"{}\"/>",
            Six(a * scale),
            Six(b * scale),
            Six(-c * scale),
            Six(-d * scale),
            decimal(x),
            decimal(y),
            self.fonts.outline(text, bold),
        );
        Ok(())
    }

    fn estimate_text_size<T: BackendTextStyle>(
        &self,
        text: &str,
        style: &T,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let bold = matches!(style.style(), FontStyle::Bold);
        let width = self.fonts.width(text, style.size(), bold);
        let height = self.fonts.cap_height(style.size(), bold);
        Ok(((width * UNITS).ceil() as u32, (height * UNITS).ceil() as u32))
    }
}

fn polyline(points: impl IntoIterator<Item = BackendCoord>) -> String {
    let mut data = String::new();
    for (index, (x, y)) in points.into_iter().enumerate() {
        let _ = write!(data, "{}{} {}", if index == 0 { 'M' } else { 'L' }, Unit(x), Unit(y));
    }
    data
}

/// Backend units, written as points.
struct Unit(i32);

impl std::fmt::Display for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Decimal(self.0.into()).fmt(f)
    }
}

/// Hundredths, written with at most two decimals.
struct Decimal(i64);

fn decimal(value: f64) -> Decimal {
    Decimal((value * 100.0).round() as i64)
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, hundredths) = (self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100);
        match hundredths {
            0 => write!(f, "{sign}{whole}"),
            h if h % 10 == 0 => write!(f, "{sign}{whole}.{}", h / 10),
            h => write!(f, "{sign}{whole}.{h:02}"),
        }
    }
}

/// A number with six decimals at most, and no negative zero.
struct Six(f64);

impl std::fmt::Display for Six {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format!("{:.6}", self.0);
        let text = text.trim_end_matches('0').trim_end_matches('.');
        f.write_str(if text == "-0" { "0" } else { text })
    }
}

/// Text as it stands in an attribute or an element.
pub struct Escaped<'t>(pub &'t str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.chars().try_for_each(|letter| match letter {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            // XML has no way to write the other control characters, not even escaped.
            letter if letter.is_control() => f.write_str("\u{fffd}"),
            letter => f.write_char(letter),
        })
    }
}

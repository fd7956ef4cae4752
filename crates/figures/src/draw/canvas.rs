//! A page to draw on, measured in points.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::rc::Rc;

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::element::{Circle, Drawable, PathElement, PointCollection, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color as _, FontDesc, FontFamily, FontStyle, FontTransform, RGBAColor, RGBColor, ShapeStyle, TextStyle,
};

use super::font::Fonts;
use super::geometry::{Point, Rect};
use super::palette::{self, Marker};
use super::pen::{Escaped, Pen, UNITS};
use crate::FigureError;
use crate::drawing::{Drawing, POINTS_PER_IN, WIDTH_IN};

/// Width of the page, in points.
pub const WIDTH: f64 = WIDTH_IN * POINTS_PER_IN;

/// A line to be drawn.
#[derive(Clone, Copy)]
pub struct Stroke {
    /// Its colour.
    pub color: RGBColor,
    /// Its width, in points.
    pub width: f64,
    /// Lengths of dashes and gaps in turn, in points; none for a solid line.
    pub dashes: &'static [f64],
}

impl Stroke {
    /// A line without gaps.
    pub fn solid(color: RGBColor, width: f64) -> Self {
        Self { color, width, dashes: &[] }
    }

    /// The line as plotters knows it.
    pub fn style(&self) -> ShapeStyle {
        ShapeStyle { color: self.color.to_rgba(), filled: false, stroke_width: (self.width * UNITS).round() as u32 }
    }
}

/// How text looks, and how it stands to its point. Vertically, the height of a capital counts.
#[derive(Clone, Copy)]
pub struct Type {
    /// Its size, in points.
    pub size: f64,
    /// Whether it is bold.
    pub bold: bool,
    /// Its colour.
    pub color: RGBColor,
    /// Which part of it stands at its point, from left to right.
    pub across: HPos,
    /// Which part of it stands at its point, from top to bottom.
    pub down: VPos,
    /// Whether it reads from bottom to top.
    pub upright: bool,
}

impl Type {
    /// Text that begins at its point, standing on it.
    pub fn new(size: f64) -> Self {
        Self { size, bold: false, color: palette::INK, across: HPos::Left, down: VPos::Bottom, upright: false }
    }

    /// The same, bold.
    pub fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    /// The same in another colour.
    pub fn color(self, color: RGBColor) -> Self {
        Self { color, ..self }
    }

    /// Centred about its point, both ways.
    pub fn centred(self) -> Self {
        Self { across: HPos::Center, down: VPos::Center, ..self }
    }

    /// The same with another part at its point, from left to right.
    pub fn across(self, across: HPos) -> Self {
        Self { across, ..self }
    }

    /// The same with another part at its point, from top to bottom.
    pub fn down(self, down: VPos) -> Self {
        Self { down, ..self }
    }

    /// The same, read from bottom to top.
    pub fn upright(self) -> Self {
        Self { upright: true, ..self }
    }

    /// The same, no larger than fits the width, but no smaller than `least`.
    pub fn fitted(self, fonts: &Fonts, text: &str, width: f64, least: f64) -> Self {
        self.fitted_to_all(fonts, [text], width, least)
    }

    /// The same, no larger than lets every one of the texts fit the width, but no smaller than `least`.
    pub fn fitted_to_all<'t>(
        self,
        fonts: &Fonts,
        texts: impl IntoIterator<Item = &'t str>,
        width: f64,
        least: f64,
    ) -> Self {
        let widest = texts.into_iter().map(|text| fonts.width(text, self.size, self.bold)).fold(0.0, f64::max);
        if widest <= width {
            self
        } else {
            Self { size: (self.size * width / widest).max(least.min(self.size)), ..self }
        }
    }
}

/// A page.
pub struct Canvas {
    /// What text is set in.
    pub fonts: &'static Fonts,
    pen: Rc<RefCell<Pen>>,
    area: DrawingArea<Pen, Shift>,
    height: f64,
}

impl Canvas {
    /// An empty page of the given height.
    pub fn new(height: f64) -> Result<Self, FigureError> {
        let fonts = Fonts::get()?;
        let size = ((WIDTH * UNITS).round() as u32, (height * UNITS).round() as u32);
        let pen = Rc::new(RefCell::new(Pen::new(fonts, size)));
        let area = DrawingArea::from(&pen);
        area.fill(&palette::PAPER).map_err(failed)?;
        Ok(Self { fonts, pen, area, height })
    }

    /// The plotters area that covers the page.
    pub fn area(&self) -> &DrawingArea<Pen, Shift> {
        &self.area
    }

    /// Draws with dashes.
    pub fn dashed<T>(&self, dashes: &'static [f64], draw: impl FnOnce() -> T) -> T {
        let before = std::mem::replace(&mut self.pen.borrow_mut().dashes, dashes);
        let drawn = draw();
        self.pen.borrow_mut().dashes = before;
        drawn
    }

    fn draw<E>(&self, element: &E) -> Result<(), FigureError>
    where
        for<'e> &'e E: PointCollection<'e, (i32, i32)>,
        E: Drawable<Pen>,
    {
        self.area.draw(element).map_err(failed)
    }

    /// A line through the points.
    pub fn line(&self, points: &[Point], stroke: Stroke) -> Result<(), FigureError> {
        let points: Vec<_> = points.iter().map(|point| units(*point)).collect();
        self.dashed(stroke.dashes, || self.draw(&PathElement::new(points, stroke.style())))
    }

    /// A filled rectangle.
    pub fn fill(&self, rect: Rect, color: RGBColor) -> Result<(), FigureError> {
        self.draw(&Rectangle::new(corners(rect), color.filled()))
    }

    /// The edge of a rectangle.
    pub fn frame(&self, rect: Rect, stroke: Stroke) -> Result<(), FigureError> {
        self.draw(&Rectangle::new(corners(rect), stroke.style()))
    }

    /// A filled shape.
    pub fn shape(&self, points: &[Point], color: RGBAColor) -> Result<(), FigureError> {
        let points: Vec<_> = points.iter().map(|point| units(*point)).collect();
        self.draw(&Polygon::new(points, color.filled()))
    }

    /// A marker about its centre, with a rim of paper that sets it off from lines below it.
    pub fn marker(&self, marker: Marker, at: Point, color: RGBColor) -> Result<(), FigureError> {
        const RIM: f64 = 0.7;
        for (grow, color) in [(RIM, palette::PAPER), (0.0, color)] {
            // Radii that give the four shapes about the same area.
            let corners: &[(f64, f64)] = match marker {
                Marker::Circle => {
                    let radius = ((2.7 + grow) * UNITS).round() as i32;
                    self.draw(&Circle::new(units(at), radius, color.filled()))?;
                    continue;
                }
                Marker::Square => &[(-2.4, -2.4), (2.4, -2.4), (2.4, 2.4), (-2.4, 2.4)],
                Marker::Triangle => &[(0.0, -3.5), (3.2, 2.3), (-3.2, 2.3)],
                Marker::Diamond => &[(0.0, -3.5), (3.5, 0.0), (0.0, 3.5), (-3.5, 0.0)],
            };
            // Corners move outwards by more than the rim, so that edges move by about the rim.
            let factor = 1.0 + grow * 1.4 / 3.4;
            let points: Vec<_> =
                corners.iter().map(|(x, y)| Point::new(at.x + x * factor, at.y + y * factor)).collect();
            self.shape(&points, color.to_rgba())?;
        }
        Ok(())
    }

    /// One line of text.
    pub fn text(&self, at: Point, text: &str, look: Type) -> Result<(), FigureError> {
        if text.is_empty() {
            return Ok(());
        }
        let weight = if look.bold { FontStyle::Bold } else { FontStyle::Normal };
        let turn = if look.upright { FontTransform::Rotate270 } else { FontTransform::None };
        let font = FontDesc::new(FontFamily::SansSerif, look.size, weight).transform(turn);
        let style = TextStyle { font, color: look.color.to_backend_color(), pos: Pos::new(look.across, look.down) };
        self.draw(&Text::new(text.to_owned(), units(at), style))
    }

    /// One line of level text, on a patch of paper that keeps lines of the grid away from it.
    pub fn text_on_paper(&self, at: Point, text: &str, look: Type) -> Result<(), FigureError> {
        let (width, cap) = (self.fonts.width(text, look.size, look.bold), self.fonts.cap_height(look.size, look.bold));
        let left = match look.across {
            HPos::Left => at.x,
            HPos::Center => at.x - width / 2.0,
            HPos::Right => at.x - width,
        };
        let baseline = match look.down {
            VPos::Top => at.y + cap,
            VPos::Center => at.y + cap / 2.0,
            VPos::Bottom => at.y,
        };
        let patch =
            Rect { left: left - 1.5, right: left + width + 1.5, top: baseline - cap - 1.0, bottom: baseline + 1.5 };
        self.fill(patch, palette::PAPER)?;
        self.text(at, text, look)
    }

    /// The picture: its heading and what it says in words go where readers of the file find them.
    pub fn finish(self, title: &str, words: &str) -> Result<Drawing, FigureError> {
        self.area.present().map_err(failed)?;
        let pen = self.pen.borrow();
        let mut svg = String::with_capacity(pen.body.len() + words.len() + 512);
        // Writing to a String cannot fail.
        let _ = write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH_IN}in\" height=\"{:.4}in\" viewBox=\"0 0 {WIDTH} {:.2}\" \
             role=\"img\" aria-labelledby=\"title desc\">\n<title id=\"title\">{}</title>\n<desc id=\"desc\">{}</desc>\n{}</svg>\n",
            self.height / POINTS_PER_IN,
            self.height,
            Escaped(title),
            Escaped(words),
            pen.body,
        );
        Ok(Drawing { svg })
    }
}

/// The error of a plotters call.
pub fn failed(error: impl std::error::Error + Send + Sync + 'static) -> FigureError {
    FigureError::Draw(Box::new(error))
}

/// A point in the units of the pen.
pub fn units(point: Point) -> (i32, i32) {
    ((point.x * UNITS).round() as i32, (point.y * UNITS).round() as i32)
}

fn corners(rect: Rect) -> [(i32, i32); 2] {
    [units(Point::new(rect.left, rect.top)), units(Point::new(rect.right, rect.bottom))]
}

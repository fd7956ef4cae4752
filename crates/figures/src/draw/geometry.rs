//! Points and rectangles on the page, in points (1/72 in) from its top left corner.

/// A place on the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// From the left, in points.
    pub x: f64,
    /// From the top, in points.
    pub y: f64,
}

impl Point {
    /// The point so far from the left and the top.
    pub fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }
}

/// A part of the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    /// Its left edge.
    pub left: f64,
    /// Its top edge.
    pub top: f64,
    /// Its right edge.
    pub right: f64,
    /// Its bottom edge.
    pub bottom: f64,
}

impl Rect {
    /// From left to right, in points.
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    /// From top to bottom, in points.
    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// Its middle.
    pub fn centre(&self) -> Point {
        Point::new((self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0)
    }

    /// The cell of the given column and row when the rectangle is cut into equal cells with gaps between them.
    pub fn cell(&self, (column, columns): (usize, usize), (row, rows): (usize, usize), gap: (f64, f64)) -> Self {
        let width = (self.width() - gap.0 * (columns.saturating_sub(1)) as f64) / columns.max(1) as f64;
        let height = (self.height() - gap.1 * (rows.saturating_sub(1)) as f64) / rows.max(1) as f64;
        let left = self.left + column as f64 * (width + gap.0);
        let top = self.top + row as f64 * (height + gap.1);
        Self { left, top, right: left + width, bottom: top + height }
    }
}

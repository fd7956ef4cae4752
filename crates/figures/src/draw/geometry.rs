//! Points and rectangles on the page, in points (1/72 in) from its top left corner.

/// A place on the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

impl Point {
    pub(crate) fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }
}

/// A part of the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rect {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Rect {
    pub(crate) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(crate) fn height(&self) -> f64 {
        self.bottom - self.top
    }

    pub(crate) fn centre(&self) -> Point {
        Point::new((self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0)
    }

    /// The cell of the given column and row when the rectangle is cut into equal cells with gaps between them.
    pub(crate) fn cell(&self, (column, columns): (usize, usize), (row, rows): (usize, usize), gap: (f64, f64)) -> Self {
        let width = (self.width() - gap.0 * (columns.saturating_sub(1)) as f64) / columns.max(1) as f64;
        let height = (self.height() - gap.1 * (rows.saturating_sub(1)) as f64) / rows.max(1) as f64;
        let left = self.left + column as f64 * (width + gap.0);
        let top = self.top + row as f64 * (height + gap.1);
        Self { left, top, right: left + width, bottom: top + height }
    }
}

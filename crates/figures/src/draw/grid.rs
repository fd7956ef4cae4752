//! Panels in rows and columns.

/// Panels in rows and columns.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    /// Panels side by side.
    pub columns: usize,
    /// Panels one below the other.
    pub rows: usize,
}

impl Grid {
    /// As many columns as panels, at most so many.
    pub fn new(panels: usize, at_most: usize) -> Self {
        let columns = panels.clamp(1, at_most.max(1));
        Self { columns, rows: panels.div_ceil(columns).max(1) }
    }

    /// Column and row of a panel.
    pub fn place(&self, panel: usize) -> (usize, usize) {
        (panel % self.columns, panel / self.columns)
    }
}

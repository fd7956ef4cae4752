//! What several figures need to lay out their panels.

/// Panels in rows and columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

impl Grid {
    /// As many columns as panels, at most so many.
    pub(crate) fn new(panels: usize, at_most: usize) -> Self {
        let columns = panels.clamp(1, at_most.max(1));
        Self { columns, rows: panels.div_ceil(columns).max(1) }
    }

    /// Column and row of a panel.
    pub(crate) fn place(&self, panel: usize) -> (usize, usize) {
        (panel % self.columns, panel / self.columns)
    }
}

/// Each value once, in the order of first appearance.
pub(super) fn first_seen<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = Vec::new();
    for value in values {
        if !seen.contains(&value) {
            seen.push(value);
        }
    }
    seen
}

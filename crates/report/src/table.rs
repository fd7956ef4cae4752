//! Tables as text.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// A table with the given heads; columns listed in `right` are aligned right.
#[must_use]
pub fn table(heads: &[&str], right: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(heads.iter().copied());
    for &column in right {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

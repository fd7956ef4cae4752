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

/// A column of a table that is fitted to a width.
pub struct Column {
    head: &'static str,
    right: bool,
    /// What its only value is called where every row has the same; such a column becomes a line above the table.
    folded: Option<&'static str>,
    /// Columns above 0 give way, the lowest first, where the table would be too wide.
    rank: u8,
}

impl Column {
    /// A column of words; its head may have several lines.
    pub fn left(head: &'static str) -> Self {
        Self { head, right: false, folded: None, rank: 0 }
    }

    /// A column of numbers.
    pub fn right(head: &'static str) -> Self {
        Self { right: true, ..Self::left(head) }
    }

    /// The same, named in a line above the table where every row has the same value.
    pub fn folded(self, name: &'static str) -> Self {
        Self { folded: Some(name), ..self }
    }

    /// The same, left out where there is no room for it.
    pub fn rank(self, rank: u8) -> Self {
        Self { rank, ..self }
    }

    /// The head in one line.
    fn name(&self) -> String {
        self.head.replace('\n', " ")
    }
}

/// A table no wider than so many columns, if leaving out columns that may be left out can make it so. It says what every
/// row has in common, and what was left out.
pub fn fitted(columns: &[Column], rows: Vec<Vec<String>>, width: Option<usize>) -> String {
    let value = |row: &Vec<String>, index: usize| row.get(index).cloned().unwrap_or_default();
    let (mut shown, mut common) = (Vec::new(), Vec::new());
    for (index, column) in columns.iter().enumerate() {
        let first = rows.first().map(|row| value(row, index)).unwrap_or_default();
        match column.folded {
            Some(name) if rows.len() > 1 && rows.iter().all(|row| value(row, index) == first) => {
                common.push(format!("{name} {first}"));
            }
            _ => shown.push(index),
        }
    }
    let mut table = arranged(columns, &shown, &rows, WIDE);
    let mut left_out = Vec::new();
    let widest = |table: &str| table.lines().map(|line| line.trim_end().chars().count()).max().unwrap_or(0);
    if width.is_some_and(|width| widest(&table) > width) {
        table = arranged(columns, &shown, &rows, NARROW);
    }
    let mut ranks: Vec<u8> = columns.iter().map(|column| column.rank).filter(|rank| *rank > 0).collect();
    ranks.sort_unstable();
    for rank in ranks {
        if width.is_none_or(|width| widest(&table) <= width) {
            break;
        }
        let is_given_up = |index: &usize| columns.get(*index).is_some_and(|column| column.rank == rank);
        let (given_up, rest): (Vec<usize>, Vec<usize>) = shown.into_iter().partition(is_given_up);
        left_out.extend(given_up.iter().filter_map(|index| Some(columns.get(*index)?.name())));
        shown = rest;
        table = arranged(columns, &shown, &rows, NARROW);
    }
    if !common.is_empty() {
        table = format!("in every row: {}\n{table}", common.join(", "));
    }
    if !left_out.is_empty() {
        table += &format!("\nleft out, for want of room: {}", left_out.join(", "));
    }
    table
}

/// Blanks between columns, where there is room and where there is not.
const WIDE: u16 = 2;
const NARROW: u16 = 1;

fn arranged(columns: &[Column], shown: &[usize], rows: &[Vec<String>], gap: u16) -> String {
    let heads: Vec<&str> = shown.iter().filter_map(|index| Some(columns.get(*index)?.head)).collect();
    let is_right = |index: &usize| columns.get(*index).is_some_and(|column| column.right);
    let right: Vec<usize> = (0..).zip(shown).filter(|(_, index)| is_right(index)).map(|(place, _)| place).collect();
    let mut table = table(&heads, &right);
    for column in table.column_iter_mut() {
        column.set_padding((0, gap));
    }
    for row in rows {
        table.add_row(shown.iter().map(|index| row.get(*index).map_or("", String::as_str)));
    }
    table.trim_fmt()
}

//! Figures in a page: the picture, and the table that it is drawn from.

use super::model::FigureView;
use super::text::plain;

/// Rows of a table that stand under its figure; the link has all of them.
const MOST_ROWS: usize = 60;

/// Largest table that the page carries as a link, in bytes.
const LARGEST_TABLE: usize = 400 << 10;

/// A figure with its picture and its table. `svg` is of this program's own renderer.
#[must_use]
pub fn figure_view(id: &str, title: &str, file: &str, svg: &str, csv: &str) -> FigureView {
    let mut lines = csv.lines();
    let heads = lines.next().map(fields).unwrap_or_default();
    let rows: Vec<Vec<String>> = lines.map(fields).collect();
    FigureView {
        title: plain(title),
        svg: inline(svg, id),
        file: plain(file),
        data: (csv.len() <= LARGEST_TABLE).then(|| data_link(csv)),
        heads,
        rows_more: rows.len().saturating_sub(MOST_ROWS),
        rows: rows.into_iter().take(MOST_ROWS).collect(),
        id: id.to_owned(),
        ..FigureView::default()
    }
}

/// The rows of a table that stand beside another's.
#[must_use]
pub fn rows_of(csv: &str) -> Vec<Vec<String>> {
    csv.lines().skip(1).take(MOST_ROWS).map(fields).collect()
}

/// The fields of a line of our own CSV, none of which is quoted unless a name holds a comma.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            letter => fields.last_mut().into_iter().for_each(|field| field.push(letter)),
        }
    }
    fields.iter().map(|field| plain(field)).collect()
}

/// A table as a link that a browser saves.
fn data_link(csv: &str) -> String {
    use base64::Engine as _;
    format!("data:text/csv;base64,{}", base64::engine::general_purpose::STANDARD.encode(csv))
}

/// A picture of our renderer as part of a page: its anchors get a prefix, so that several can stand in one page, and the
/// words of single paths go, which the picture's own description has.
#[must_use]
pub fn inline(svg: &str, prefix: &str) -> String {
    let svg = plain(svg)
        .replacen("id=\"title\"", &format!("id=\"{prefix}-title\""), 1)
        .replacen("id=\"desc\"", &format!("id=\"{prefix}-desc\""), 1)
        .replacen("aria-labelledby=\"title desc\"", &format!("aria-labelledby=\"{prefix}-title {prefix}-desc\""), 1);
    let mut pieces = svg.split(" aria-label=\"");
    let mut inline = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        inline.push_str(piece.split_once('"').map_or("", |(_, rest)| rest));
    }
    inline
}

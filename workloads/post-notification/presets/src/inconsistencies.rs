//! The post storage x notification storage table, drawn.

use matrix_analysis::tables::{InconsistencyRow, Source};
use matrix_plan::{NotificationStorage, PostStorage, RegionPair};
use plotters::style::text_anchor::{HPos, VPos};

use crate::{Drawing, Figure, FigureError};
use matrix_figures::draw::format::{count, percent};
use matrix_figures::draw::palette::{BLANK, GRID, SOFT, heat, readable_on};
use matrix_figures::draw::panel::fit_arrow;
use matrix_figures::draw::{Canvas, Entry, Point, Rect, Sample, Stroke, Type};

use crate::shared::{ends, first_seen, notification_name, page, pair_name, post_name, share_range, star};

const FIGURE: Figure = Figure::Inconsistencies;
/// Height of a field, of each further line for lost or failed requests, and the space between fields, in points.
const FIELD: f64 = 26.0;
const TROUBLE: f64 = 9.5;
const BETWEEN: f64 = 1.5;
/// Room above the fields of a region pair: its name, and the names of the notification storages.
const PAIR_HEADING: f64 = 14.0;
const HEADING: f64 = 13.0;

/// Draws the table of inconsistencies: for each region pair a field per post storage and notification storage, with
/// antipode off at the left and on at the right.
///
/// # Errors
/// [`FigureError::NoData`] without a field to draw; otherwise only if plotters or the embedded font fail.
pub fn inconsistencies(rows: &[InconsistencyRow], source: &Source) -> Result<Drawing, FigureError> {
    let rows: Vec<&InconsistencyRow> =
        rows.iter().filter(|row| row.planned > 0 && row.inconsistent.value.is_finite()).collect();
    if rows.is_empty() {
        return Err(FigureError::NoData { figure: FIGURE.name(), needs: FIGURE.needs() });
    }
    let table = Table {
        pairs: first_seen(rows.iter().map(|row| &row.regions)),
        posts: PostStorage::ALL.iter().copied().filter(|kind| rows.iter().any(|r| r.post_storage == *kind)).collect(),
        notifications: NotificationStorage::ALL
            .iter()
            .copied()
            .filter(|kind| rows.iter().any(|row| row.notification_storage == *kind))
            .collect(),
        treatments: [false, true].into_iter().filter(|on| rows.iter().any(|row| row.antipode == *on)).collect(),
        field: FIELD + TROUBLE * rows.iter().map(|row| trouble(row).len()).max().unwrap_or(0) as f64,
        rows,
    };
    let mut page = page(
        FIGURE,
        source,
        "Share of requests whose reader found no post, with its 95 % interval; delay 0. \
         Rows are post storages, columns are notification storages.",
    );
    page.entry(Entry::new(Sample::Heat, "of requests inconsistent"));
    if table.rows.iter().any(|row| row.lost > 0) {
        page.note("intervals cover both bounds where requests were lost");
    }
    for row in &table.rows {
        page.say(sentence(row));
    }
    let fields = table.posts.len() as f64 * (table.field + BETWEEN) - BETWEEN;
    let block = PAIR_HEADING + HEADING + fields;
    let gap = 9.0;
    let top = 10.0;
    let body = top + table.pairs.len() as f64 * (block + gap) - gap + 3.0;
    page.draw(body, |canvas, rect| {
        let widest =
            table.posts.iter().map(|post| canvas.fonts.width(post_name(*post), 9.0, false)).fold(0.0, f64::max);
        let inner = Rect { left: rect.left + widest + 6.0, top: rect.top + top, ..rect };
        for (index, pair) in table.pairs.iter().enumerate() {
            let y = inner.top + index as f64 * (block + gap) + 12.0;
            let extrapolated = source.nature.extrapolated_by_pair().contains_key(pair);
            let (text, look) = fit_arrow(canvas, ends(pair), star(extrapolated), rect.width(), Type::new(9.0).bold());
            canvas.text(Point::new(rect.left, y), &text, look)?;
        }
        for (column, on) in table.treatments.iter().enumerate() {
            let area = inner.cell((column, table.treatments.len()), (0, 1), (14.0, 0.0));
            let heading = if *on { "antipode on" } else { "antipode off" };
            let look = Type::new(9.5).bold().across(HPos::Center);
            canvas.text(Point::new(area.centre().x, rect.top + 8.5), heading, look)?;
            for (index, pair) in table.pairs.iter().enumerate() {
                let top = area.top + index as f64 * (block + gap);
                table.draw(canvas, Rect { top, bottom: top + block, ..area }, pair, *on, column == 0)?;
            }
        }
        Ok(())
    })
}

struct Table<'r> {
    rows: Vec<&'r InconsistencyRow>,
    pairs: Vec<&'r RegionPair>,
    posts: Vec<PostStorage>,
    notifications: Vec<NotificationStorage>,
    treatments: Vec<bool>,
    field: f64,
}

impl Table<'_> {
    /// The fields of one region pair with antipode off or on.
    fn draw(&self, canvas: &Canvas, area: Rect, pair: &RegionPair, on: bool, first: bool) -> Result<(), FigureError> {
        let fields = Rect { top: area.top + PAIR_HEADING + HEADING, ..area };
        for (column, notification) in self.notifications.iter().enumerate() {
            let place =
                |row| fields.cell((column, self.notifications.len()), (row, self.posts.len()), (BETWEEN, BETWEEN));
            let (name, centre) = (notification_name(*notification), place(0).centre().x);
            let look = Type::new(8.5).across(HPos::Center);
            canvas.text(Point::new(centre, fields.top - 4.0), name, look)?;
            for (row, post) in self.posts.iter().enumerate() {
                let rect = place(row);
                if column == 0 && first {
                    let look = Type::new(9.0).across(HPos::Right).down(VPos::Center);
                    canvas.text(Point::new(rect.left - 5.0, rect.centre().y), post_name(*post), look)?;
                }
                let found = self.rows.iter().find(|found| {
                    found.regions == *pair
                        && found.antipode == on
                        && found.post_storage == *post
                        && found.notification_storage == *notification
                });
                field(canvas, rect, found.copied())?;
            }
        }
        Ok(())
    }
}

fn field(canvas: &Canvas, rect: Rect, row: Option<&InconsistencyRow>) -> Result<(), FigureError> {
    let centre = rect.centre();
    let Some(row) = row else {
        canvas.fill(rect, BLANK)?;
        return canvas.text(centre, "no data", Type::new(8.0).color(SOFT).centred());
    };
    let shade = heat(row.inconsistent.value);
    let ink = readable_on(shade);
    canvas.fill(rect, shade)?;
    canvas.frame(rect, Stroke::solid(GRID, 0.4))?;
    let share = format!("{} %", percent(row.inconsistent.value));
    let range = share_range(row.inconsistent, row.basis);
    let mut lines = vec![(share, Type::new(9.5).bold(), 0.0), (range, Type::new(7.5), 11.0)];
    lines.extend(trouble(row).into_iter().map(|trouble| (trouble, Type::new(7.5), TROUBLE)));
    // The height of all lines: their distances, and the capitals of the first.
    let height = 6.9 + lines.iter().map(|(_, _, down)| down).sum::<f64>();
    let mut y = centre.y - height / 2.0 + 6.9;
    for (text, look, down) in lines {
        y += down;
        let look = look.color(ink).across(HPos::Center).fitted(canvas.fonts, &text, rect.width() - 3.0, 5.5);
        canvas.text(Point::new(centre.x, y), &text, look)?;
    }
    Ok(())
}

/// What went wrong with some requests.
fn trouble(row: &InconsistencyRow) -> Vec<String> {
    [(row.lost, "lost"), (row.failed, "failed")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| count(number, what, what))
        .collect()
}

fn sentence(row: &InconsistencyRow) -> String {
    let trouble: String = trouble(row).into_iter().map(|trouble| format!(", {trouble}")).collect();
    format!(
        "{}, {} with {}, antipode {}: {} % ({}) of {}{trouble}.",
        pair_name(&row.regions),
        post_name(row.post_storage),
        notification_name(row.notification_storage),
        if row.antipode { "on" } else { "off" },
        percent(row.inconsistent.value),
        share_range(row.inconsistent, row.basis),
        count(row.planned, "request", "requests"),
    )
}

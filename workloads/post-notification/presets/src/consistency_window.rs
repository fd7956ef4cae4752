//! Median window per post storage with antipode off and on, as pairs of dots, and the share of missed reads.

use matrix_analysis::tables::{Source, WindowRow};
use matrix_plan::{NotificationStorage, PostStorage, RegionPair};
use plotters::style::text_anchor::{HPos, VPos};

use crate::{Drawing, Figure, FigureError};
use matrix_figures::draw::Grid;
use matrix_figures::draw::authors::{of_the_authors, their_entry, their_mark};
use matrix_figures::draw::format::{count, milliseconds, percent, signed, thousands};
use matrix_figures::draw::palette::{INK, Marker, SOFT};
use matrix_figures::draw::panel::{TICK_GAP, TICK_SIZE, x_title};
use matrix_figures::draw::ticks::logarithmic;
use matrix_figures::draw::{Canvas, Entry, Panel, Point, Rect, Sample, Scale, Stroke, Type};

use crate::shared::{
    ANTIPODE, ANTIPODE_INK, ORIGINAL, ORIGINAL_INK, ends, first_seen, notification_name, notified_by, page, pair_name,
    post_name, share_range,
};

const FIGURE: Figure = Figure::ConsistencyWindow;
/// Height of all that belongs to one post storage, in points.
const GROUP: f64 = 34.0;
/// Where in it the dots of antipode off and on stand, from its top.
const OFF: f64 = 18.0;
const ON: f64 = 24.5;
/// The smallest type that a label may shrink to, in points.
const LEAST: f64 = 6.0;

/// Draws the consistency window: one panel per region pair and notification storage, two dots per post storage. The
/// authors' medians stand beside one's own, hollow.
///
/// # Errors
/// [`FigureError::NoData`] without a dot to draw; otherwise only if plotters or the embedded font fail.
pub fn consistency_window(rows: &[WindowRow], authors: &[WindowRow], source: &Source) -> Result<Drawing, FigureError> {
    let can_be_drawn = |row: &&WindowRow| row.original_reads > 0 && row.original_p50_ms.is_finite();
    let rows: Vec<&WindowRow> = rows.iter().filter(can_be_drawn).collect();
    let beside = |their: &&WindowRow| rows.iter().any(|row| place(row) == place(their));
    let authors: Vec<&WindowRow> = authors.iter().filter(can_be_drawn).filter(beside).collect();
    let values = rows.iter().chain(&authors).flat_map(|row| [Some(row.original_p50_ms), antipode(row)]).flatten();
    let Some(x) = Scale::log_around(values, (0.05, 0.05)) else {
        return Err(FigureError::NoData { figure: FIGURE.name(), needs: FIGURE.needs() });
    };
    let panels = panels(&rows);
    let storages: Vec<PostStorage> =
        PostStorage::ALL.iter().copied().filter(|kind| rows.iter().any(|row| row.post_storage == *kind)).collect();

    let mut page =
        page(FIGURE, source, "Median time from the writer's start to the end of the read, found or not; delay 0");
    page.entry(Entry::new(Sample::Mark(Marker::Circle, ORIGINAL), "antipode off"));
    page.entry(Entry::new(Sample::Word("n", INK), "its median in ms"));
    page.entry(Entry::new(Sample::Word("n %", ORIGINAL), "missed"));
    if rows.iter().any(|row| antipode(row).is_some()) {
        page.entry(Entry::new(Sample::Mark(Marker::Diamond, ANTIPODE), "antipode on"));
        page.entry(Entry::new(Sample::Word("+n", ANTIPODE_INK), "how much longer"));
    }
    if !authors.is_empty() {
        page.entry(their_entry(false));
    }
    page.note(reads(&rows));
    if rows.iter().any(|row| row.notification_storage != NotificationStorage::Sns) {
        page.note("AMQ and DynamoDB hand over one notification at a time: windows include the wait in that queue");
    }
    for row in &rows {
        page.say(sentence(row));
    }
    for row in &authors {
        page.say(of_the_authors(&sentence(row)));
    }

    let grid = Grid::new(panels.len(), panels_abreast(&panels));
    let (above, below, gap, foot) = (14.0, 15.0, 8.0, 11.0);
    let height = GROUP * storages.len() as f64;
    let body = grid.rows as f64 * (above + height + below) + (grid.rows - 1) as f64 * gap + foot;
    page.draw(body, |canvas, rect| {
        let names = storages.iter().map(|storage| canvas.fonts.width(post_name(*storage), 9.0, false));
        let left = rect.left + names.fold(0.0, f64::max) + TICK_GAP;
        let inner = Rect { left, right: rect.right - 4.0, bottom: rect.bottom - foot, ..rect };
        x_title(canvas, (inner.left, inner.right), rect.bottom - 2.0, "consistency window (ms)")?;
        for (index, (pair, notification)) in panels.iter().enumerate() {
            let (column, row) = grid.place(index);
            let cell = inner.cell((column, grid.columns), (row, grid.rows), (14.0, gap));
            let area = Rect { top: cell.top + above, bottom: cell.bottom - below, ..cell };
            let panel = Panel::new(canvas, area, x, Scale::Linear { low: storages.len() as f64, high: 0.0 });
            let room = |text: &str| canvas.fonts.width(text, TICK_SIZE, false) + 7.0;
            panel.x_axis(&logarithmic(&x, area.width(), true, &room), true)?;
            panel.y_axis(&[], false)?;
            panel.heading(ends(pair), &notified_by(pair, *notification, &source.nature))?;
            let looks = Looks::of(canvas, &rows, area.width());
            for (slot, storage) in storages.iter().enumerate() {
                let top = area.top + GROUP * slot as f64;
                if column == 0 {
                    let look = Type::new(9.0).across(HPos::Right).down(VPos::Center);
                    let at = Point::new(rect.left + (left - rect.left) - TICK_GAP, top + GROUP / 2.0);
                    canvas.text(at, post_name(*storage), look)?;
                }
                let row = rows.iter().find(|row| {
                    row.regions == **pair && row.notification_storage == *notification && row.post_storage == *storage
                });
                group(canvas, &panel, &looks, top, row.copied())?;
                let theirs = authors.iter().find(|theirs| row.is_some_and(|row| place(row) == place(theirs)));
                theirs.map(|theirs| their_group(canvas, &panel, top, theirs)).transpose()?;
            }
        }
        Ok(())
    })
}

/// Where the dots of a row stand.
fn place(row: &WindowRow) -> (&RegionPair, NotificationStorage, PostStorage) {
    (&row.regions, row.notification_storage, row.post_storage)
}

/// The authors' two medians.
fn their_group(canvas: &Canvas, panel: &Panel<'_>, top: f64, row: &WindowRow) -> Result<(), FigureError> {
    let at = |value: f64, y: f64| Point::new(panel.across(value).clamp(panel.rect.left, panel.rect.right), y);
    their_mark(canvas, at(row.original_p50_ms, top + OFF), ORIGINAL_INK)?;
    match antipode(row) {
        Some(value) => their_mark(canvas, at(value, top + ON), ANTIPODE_INK),
        None => Ok(()),
    }
}

/// What the panels show: region pair by region pair, and of each every notification storage.
fn panels<'r>(rows: &[&'r WindowRow]) -> Vec<(&'r RegionPair, NotificationStorage)> {
    let mut panels = Vec::new();
    for pair in first_seen(rows.iter().map(|row| &row.regions)) {
        let has = |kind| rows.iter().any(|row| row.regions == *pair && row.notification_storage == kind);
        panels.extend(NotificationStorage::ALL.iter().filter(|kind| has(**kind)).map(|kind| (pair, *kind)));
    }
    panels
}

/// As many panels in a row as notification storages, where each pair has all of them; else two.
fn panels_abreast(panels: &[(&RegionPair, NotificationStorage)]) -> usize {
    let pairs = first_seen(panels.iter().map(|(pair, _)| *pair)).len();
    match panels.len() / pairs.max(1) {
        several @ 2.. if several * pairs == panels.len() => several,
        _ => 2,
    }
}

/// The median with antipode on, if it was measured.
fn antipode(row: &WindowRow) -> Option<f64> {
    row.antipode_p50_ms.filter(|value| row.antipode_reads > 0 && value.is_finite())
}

/// One post storage: numbers, the dot of antipode off, and below it that of antipode on.
fn group(
    canvas: &Canvas,
    panel: &Panel<'_>,
    looks: &Looks,
    top: f64,
    row: Option<&WindowRow>,
) -> Result<(), FigureError> {
    let (left, right) = (panel.rect.left + 3.5, panel.rect.right);
    let Some(row) = row else {
        return canvas.text(Point::new(left, top + GROUP / 2.0), "no data", Type::new(8.0).color(SOFT));
    };
    let at = |value: f64| panel.across(value).clamp(panel.rect.left, panel.rect.right);
    let (off_y, on_y) = (top + OFF, top + ON);
    let off = at(row.original_p50_ms);
    if let Some(value) = antipode(row) {
        let on = at(value);
        canvas.line(&[Point::new(off, on_y), Point::new(on, on_y)], Stroke::solid(ANTIPODE, 1.4))?;
        canvas.marker(Marker::Diamond, Point::new(on, on_y), ANTIPODE)?;
    }
    canvas.marker(Marker::Circle, Point::new(off, off_y), ORIGINAL)?;
    let (label, ink) = match extra(row) {
        Some(extra) => (extra, ANTIPODE_INK),
        None => ("off only".to_owned(), SOFT),
    };
    let texts = [(left, median(row), looks.median), ((left + right) / 2.0, missed(row), looks.missed)];
    for (x, text, look) in texts.into_iter().chain([(right, label, looks.extra.color(ink))]) {
        canvas.text_on_paper(Point::new(x, top + 11.0), &text, look)?;
    }
    Ok(())
}

/// The type of the three numbers of a post storage, the same in all panels.
struct Looks {
    median: Type,
    missed: Type,
    extra: Type,
}

impl Looks {
    fn of(canvas: &Canvas, rows: &[&WindowRow], width: f64) -> Self {
        let fitted = |look: Type, texts: Vec<String>| {
            look.fitted_to_all(canvas.fonts, texts.iter().map(String::as_str), width / 3.0 - 4.5, LEAST)
        };
        let extras = rows.iter().map(|row| extra(row).unwrap_or_else(|| "off only".to_owned()));
        Self {
            median: fitted(Type::new(8.5).bold(), rows.iter().map(|row| median(row)).collect()),
            missed: fitted(Type::new(8.5).color(ORIGINAL), rows.iter().map(|row| missed(row)).collect())
                .across(HPos::Center),
            extra: fitted(Type::new(8.5).bold(), extras.collect()).across(HPos::Right),
        }
    }
}

fn median(row: &WindowRow) -> String {
    milliseconds(row.original_p50_ms)
}

/// Share of missed reads.
fn missed(row: &WindowRow) -> String {
    format!("{} %", percent(row.missed.value))
}

/// How much longer the median with antipode on is, in milliseconds.
fn extra(row: &WindowRow) -> Option<String> {
    let extra = row.extra_ms.or(antipode(row).map(|value| value - row.original_p50_ms));
    extra.filter(|extra| antipode(row).is_some() && extra.is_finite()).map(|extra| signed(extra, milliseconds))
}

/// How many reads stand behind a dot.
fn reads(rows: &[&WindowRow]) -> String {
    let counts = rows.iter().flat_map(|row| [row.original_reads, row.antipode_reads]).filter(|reads| *reads > 0);
    let (min, max) = counts.fold((u64::MAX, 0), |(min, max), reads| (min.min(reads), max.max(reads)));
    if min == max {
        format!("{} behind each dot", count(max, "read", "reads"))
    } else {
        format!("{}\u{2013}{} behind each dot", thousands(min as f64), count(max, "read", "reads"))
    }
}

fn sentence(row: &WindowRow) -> String {
    let antipode = match antipode(row) {
        Some(value) => {
            let extra = extra(row).map_or(String::new(), |extra| format!(" ({extra} ms)"));
            format!("antipode on {} ms{extra}", milliseconds(value))
        }
        None => "antipode on was not measured".to_owned(),
    };
    format!(
        "{}, {} with {}: antipode off {} ms, {} % of requests missed the post (95 % interval {}), {antipode}.",
        pair_name(&row.regions),
        post_name(row.post_storage),
        notification_name(row.notification_storage),
        milliseconds(row.original_p50_ms),
        percent(row.missed.value),
        share_range(row.missed, row.basis),
    )
}

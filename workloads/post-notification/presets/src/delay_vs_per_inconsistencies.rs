//! Artificial delay against the share of inconsistencies.

use matrix_analysis::tables::{DelayRow, Source};
use matrix_plan::{NotificationStorage, PostStorage, RegionPair};

use crate::{Drawing, Figure, FigureError};
use matrix_figures::draw::Grid;
use matrix_figures::draw::authors::{of_the_authors, their_entry, their_line, their_mark};
use matrix_figures::draw::format::{count, percent, thousands};
use matrix_figures::draw::palette::PAPER;
use matrix_figures::draw::panel::{TICK_GAP, TICK_SIZE, widest, x_title, y_title};
use matrix_figures::draw::ticks::{Tick, logarithmic, percentages};
use matrix_figures::draw::{Canvas, Entry, Panel, Point, Rect, Sample, Scale, Stroke};

use crate::shared::{ends, first_seen, look, notification_name, notified_by, page, pair_name, post_name, share_range};
use plotters::style::RGBColor;

const FIGURE: Figure = Figure::DelayVsPerInconsistencies;
/// Width of the piece of the axis that holds delay 0, in points.
const ZERO_PIECE: f64 = 40.0;
/// Distance of markers that share delay 0, in points.
const ASIDE: f64 = 8.0;
/// Least distance of two markers of a line, in points: the rim of a nearer one would wipe out the line between them.
const APART: f64 = 9.5;

/// What a panel shows.
type Shown<'r> = (&'r RegionPair, NotificationStorage);

/// Draws the share of inconsistencies against the artificial delay: one panel per region pair and notification storage, one
/// line per post storage. The authors' points stand in the panels and are of the storages that there are: dotted lines and hollow marks.
///
/// What was measured at delay 0 only is left out, and named, when there are panels with more.
///
/// # Errors
/// [`FigureError::NoData`] without a point to draw; otherwise only if plotters or the embedded font fail.
pub fn delay_vs_per_inconsistencies(
    rows: &[DelayRow],
    authors: &[DelayRow],
    source: &Source,
) -> Result<Drawing, FigureError> {
    let can_be_drawn = |row: &&DelayRow| row.planned > 0 && row.inconsistent.value.is_finite();
    let rows: Vec<&DelayRow> = rows.iter().filter(can_be_drawn).collect();
    let shown = |row: &&'_ DelayRow| (row.regions.clone(), row.notification_storage);
    let mut all = first_seen(rows.iter().map(shown));
    // Panels of one notification storage stand together.
    all.sort_by_key(|(_, notification)| *notification);
    let delayed = |panel: &Shown| rows.iter().any(|row| shows(*panel, row) && row.delay_ms > 0);
    let (mut panels, flat): (Vec<Shown<'_>>, Vec<Shown<'_>>) =
        all.iter().map(|(pair, notification)| (pair, *notification)).partition(delayed);
    let mut page =
        page(FIGURE, source, "Share of requests whose reader found no post, with its 95 % interval; antipode off");
    if panels.is_empty() {
        panels = flat;
    } else if !flat.is_empty() {
        let names: Vec<_> =
            flat.iter().map(|(pair, by)| format!("{}, {}", pair_name(pair), notification_name(*by))).collect();
        page.note(format!("delay 0 only, not shown: {}", names.join("; ")));
    }
    if panels.is_empty() {
        return Err(FigureError::NoData { figure: FIGURE.name(), needs: FIGURE.needs() });
    }
    let rows: Vec<&DelayRow> = rows.into_iter().filter(|row| panels.iter().any(|panel| shows(*panel, row))).collect();
    let storages: Vec<PostStorage> =
        PostStorage::ALL.iter().copied().filter(|kind| rows.iter().any(|row| row.post_storage == *kind)).collect();
    for storage in &storages {
        let look = look(*storage);
        let stroke = Stroke { color: look.color, width: 1.5, dashes: look.dashes };
        page.entry(Entry::new(Sample::Line { stroke, marker: Some(look.marker), band: true }, post_name(*storage)));
    }
    let is_here =
        |row: &&DelayRow| panels.iter().any(|panel| shows(*panel, row)) && storages.contains(&row.post_storage);
    let authors: Vec<&DelayRow> = authors.iter().filter(can_be_drawn).filter(is_here).collect();
    if !authors.is_empty() {
        page.entry(their_entry(true));
    }
    if let Some(lack) = rows.iter().find_map(|row| row.basis.lack()) {
        page.note(format!("no interval: {lack}"));
    }
    let lost: u64 = rows.iter().map(|row| row.lost).sum();
    if lost > 0 {
        page.note(format!("{} lost: intervals cover both bounds", count(lost, "request", "requests")));
    }
    for row in &rows {
        page.say(sentence(row));
    }
    for row in &authors {
        page.say(of_the_authors(&sentence(row)));
    }
    let all: Vec<&DelayRow> = rows.iter().chain(&authors).copied().collect();

    let grid = Grid::new(panels.len(), 2);
    let height = if grid.rows == 1 { 165.0 } else { 130.0 };
    let (above, below, gap) = (14.0, 14.0, 12.0);
    let foot = 12.0;
    let body = grid.rows as f64 * (above + height + below) + (grid.rows - 1) as f64 * gap + foot;
    page.draw(body, |canvas, rect| {
        let y = Scale::Linear { low: -4.0, high: 104.0 };
        let y_ticks = percentages(height);
        let left = rect.left + 13.0 + widest(canvas, &y_ticks) + TICK_GAP;
        let inner = Rect { left, right: rect.right - 2.0, bottom: rect.bottom - foot, ..rect };
        y_title(canvas, (inner.top + above, inner.bottom - below), rect.left, "inconsistencies (%)")?;
        x_title(canvas, (inner.left, inner.right), rect.bottom - 3.0, "artificial delay (ms)")?;
        for (index, &(pair, notification)) in panels.iter().enumerate() {
            let (column, row) = grid.place(index);
            let cell = inner.cell((column, grid.columns), (row, grid.rows), (16.0, gap));
            let area = Rect { top: cell.top + above, bottom: cell.bottom - below, ..cell };
            let (x, ticks) = x_scale(canvas, &all, area.width());
            let panel = Panel::new(canvas, area, x, y);
            panel.y_axis(&y_ticks, column == 0)?;
            panel.x_axis(&ticks, true)?;
            axis_break(canvas, &panel, x)?;
            panel.heading(ends(pair), &notified_by(pair, notification, &source.nature))?;
            let lines: Vec<(PostStorage, Vec<&DelayRow>)> = storages
                .iter()
                .map(|storage| (*storage, line_of(&rows, (pair, notification), *storage)))
                .filter(|(_, line)| !line.is_empty())
                .collect();
            for storage in &storages {
                let line = line_of(&authors, (pair, notification), *storage);
                draw_theirs(canvas, &panel, &line, look(*storage).color)?;
            }
            draw_lines(&panel, &lines)?;
        }
        Ok(())
    })
}

/// Whether a row belongs to a panel.
fn shows((pair, notification): Shown<'_>, row: &DelayRow) -> bool {
    row.regions == *pair && row.notification_storage == notification
}

/// The points of one line, by rising delay.
fn line_of<'r>(rows: &[&'r DelayRow], panel: Shown<'_>, storage: PostStorage) -> Vec<&'r DelayRow> {
    let mut line: Vec<_> =
        rows.iter().copied().filter(|row| shows(panel, row) && row.post_storage == storage).collect();
    line.sort_by_key(|row| row.delay_ms);
    line
}

/// The axis of delays, the same in every panel, and its ticks.
fn x_scale(canvas: &Canvas, rows: &[&DelayRow], width: f64) -> (Scale, Vec<Tick>) {
    let zero = rows.iter().any(|row| row.delay_ms == 0);
    let room = |text: &str| canvas.fonts.width(text, TICK_SIZE, false) + 7.0;
    let log = Scale::log_around(rows.iter().map(|row| row.delay_ms as f64), (0.03, 0.03));
    let Some(Scale::Log { low, high }) = log else { return (Scale::Zero, vec![Tick::major(0.0, "0")]) };
    let mut delays: Vec<u64> = rows.iter().map(|row| row.delay_ms).filter(|delay| *delay > 0).collect();
    delays.sort_unstable();
    delays.dedup();
    let marks = |scale: &Scale, length: f64| match delays.as_slice() {
        // Round numbers around a single delay would say nothing of the delay itself.
        [delay] => vec![Tick::major(*delay as f64, thousands(*delay as f64))],
        _ => logarithmic(scale, length, false, &room),
    };
    if zero {
        let scale = Scale::ZeroThenLog { piece: ZERO_PIECE / width, low, high };
        let mut ticks = vec![Tick::major(0.0, "0")];
        ticks.extend(marks(&scale, width - ZERO_PIECE));
        (scale, ticks)
    } else {
        let scale = Scale::Log { low, high };
        (scale, marks(&scale, width))
    }
}

/// Two slanted strokes where the axis leaves out what is between 0 and the first delay.
fn axis_break(canvas: &Canvas, panel: &Panel<'_>, x: Scale) -> Result<(), FigureError> {
    let Scale::ZeroThenLog { piece, .. } = x else { return Ok(()) };
    let (x, y) = (panel.rect.left + panel.rect.width() * piece, panel.rect.bottom);
    let slanted = |x: f64| [Point::new(x - 1.5, y + 4.0), Point::new(x + 1.5, y - 4.0)];
    let gap = [Point::new(x - 3.2, y + 1.5), Point::new(x - 0.2, y - 1.5), Point::new(x + 0.2, y - 1.5)];
    let gap = [gap[0], gap[1], gap[2], Point::new(x - 2.8, y + 1.5)];
    canvas.shape(&gap, plotters::style::Color::to_rgba(&PAPER))?;
    let ink = Stroke::solid(matrix_figures::draw::palette::INK, 0.8);
    canvas.line(&slanted(x - 3.0), ink)?;
    canvas.line(&slanted(x), ink)
}

/// The authors' points of one storage.
fn draw_theirs(canvas: &Canvas, panel: &Panel<'_>, line: &[&DelayRow], color: RGBColor) -> Result<(), FigureError> {
    let at = |row: &&DelayRow| (row.delay_ms as f64, row.inconsistent.value * 100.0);
    let points: Vec<_> = line.iter().filter(|row| row.delay_ms > 0).map(at).collect();
    if points.len() > 1 {
        panel.line(&points, their_line(color))?;
    }
    for (x, y) in line.iter().map(at) {
        their_mark(canvas, Point::new(panel.across(x), panel.down(y)), color)?;
    }
    Ok(())
}

fn draw_lines(panel: &Panel<'_>, lines: &[(PostStorage, Vec<&DelayRow>)]) -> Result<(), FigureError> {
    let share = |row: &DelayRow| row.inconsistent.value * 100.0;
    let at = |row: &&DelayRow| (row.delay_ms as f64, share(row));
    let end = |value: f64, row: &DelayRow| if value.is_finite() { value * 100.0 } else { share(row) };
    // Bands first, then lines, then markers: no line is hidden by the band of another.
    for (storage, line) in lines {
        let delayed: Vec<_> = line.iter().filter(|row| row.delay_ms > 0).collect();
        if delayed.len() > 1 {
            let low: Vec<_> = delayed.iter().map(|row| (row.delay_ms as f64, end(row.inconsistent.low, row))).collect();
            let high: Vec<_> =
                delayed.iter().map(|row| (row.delay_ms as f64, end(row.inconsistent.high, row))).collect();
            panel.band(&low, &high, look(*storage).color)?;
        }
    }
    for (storage, line) in lines {
        let look = look(*storage);
        let points: Vec<_> = line.iter().filter(|row| row.delay_ms > 0).map(at).collect();
        if points.len() > 1 {
            panel.line(&points, Stroke { color: look.color, width: 1.5, dashes: look.dashes })?;
        }
    }
    let at_zero = lines.iter().filter(|(_, line)| line.iter().any(|row| row.delay_ms == 0)).count();
    let mut zeros = 0;
    for (storage, line) in lines {
        let look = look(*storage);
        let lonely = line.iter().filter(|row| row.delay_ms > 0).count() == 1;
        let mut last: Option<Point> = None;
        for row in line {
            let mut aside = 0.0;
            if row.delay_ms == 0 {
                // Lines meet at 0; side by side their markers and intervals can be told apart.
                aside = (zeros as f64 - (at_zero - 1) as f64 / 2.0) * ASIDE;
                zeros += 1;
            }
            let (x, y) = at(row);
            if row.delay_ms == 0 || lonely {
                let range = (end(row.inconsistent.low, row), end(row.inconsistent.high, row));
                panel.interval(x, range, aside, look.color)?;
            }
            let at = Point::new(panel.across(x) + aside, panel.down(y));
            if last.is_none_or(|last| libm::hypot(at.x - last.x, at.y - last.y) >= APART) {
                panel.marker(look.marker, (x, y), aside, look.color)?;
                last = Some(at);
            }
        }
    }
    Ok(())
}

fn sentence(row: &DelayRow) -> String {
    format!(
        "{}, {} with {}, delay {} ms: {} % ({}).",
        pair_name(&row.regions),
        post_name(row.post_storage),
        notification_name(row.notification_storage),
        thousands(row.delay_ms as f64),
        percent(row.inconsistent.value),
        share_range(row.inconsistent, row.basis),
    )
}

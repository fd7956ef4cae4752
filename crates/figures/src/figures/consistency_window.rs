//! Median window per post storage, the extra of antipode on top, and the share of missed reads on the bar.

use matrix_analysis::tables::{Source, WindowRow};
use matrix_plan::PostStorage;
use plotters::style::text_anchor::{HPos, VPos};

use super::shared::{Grid, first_seen};
use crate::draw::format::{count, milliseconds, percent, share_range, signed, thousands};
use crate::draw::palette::{ANTIPODE, ANTIPODE_INK, INK, ORIGINAL, PAPER, SOFT, pair_name, post_name};
use crate::draw::panel::{TICK_GAP, TICK_SIZE, widest, y_title};
use crate::draw::scale::extent;
use crate::draw::ticks::logarithmic;
use crate::draw::{Canvas, Entry, Page, Panel, Point, Rect, Sample, Scale, Stroke, Type};
use crate::{Drawing, Figure, FigureError};

const FIGURE: Figure = Figure::ConsistencyWindow;
/// Line height of the labels on bars.
const LINE: f64 = 10.5;
/// Room above the tallest bar, for the extra.
const HEADROOM: f64 = LINE + 6.0;
/// The smallest type that a label may shrink to, in points.
const LEAST: f64 = 6.0;
/// Height of a part of a bar that can hold the labels of the original.
const ROOM: f64 = 3.0 * LINE + 5.0;

/// Draws the consistency window: one panel per region pair, one stacked bar per post storage.
///
/// # Errors
/// [`FigureError::NoData`] without a bar to draw; otherwise only if plotters or the embedded font fail.
pub fn consistency_window(rows: &[WindowRow], source: &Source) -> Result<Drawing, FigureError> {
    let rows: Vec<&WindowRow> =
        rows.iter().filter(|row| row.original_reads > 0 && row.original_p50_ms.is_finite()).collect();
    let Some(scale) = scale(&rows) else {
        return Err(FigureError::NoData { figure: FIGURE, needs: FIGURE.needs() });
    };
    let pairs = first_seen(rows.iter().map(|row| &row.regions));
    let storages: Vec<PostStorage> =
        PostStorage::ALL.iter().copied().filter(|kind| rows.iter().any(|row| row.post_storage == *kind)).collect();

    let mut page =
        Page::new(FIGURE, source, "Median time from writer start to post read, failed reads included; SNS, delay 0");
    page.entry(Entry::new(Sample::Fill(ORIGINAL), "original"));
    if rows.iter().any(|row| antipode(row).is_some()) {
        page.entry(Entry::new(Sample::Fill(ANTIPODE), "extra with antipode"));
        page.entry(Entry::new(Sample::Word("+n", ANTIPODE_INK), "the extra in ms"));
    }
    page.entry(Entry::new(Sample::Word("n %", ORIGINAL), "original reads that missed"));
    page.note(reads(&rows));
    for row in &rows {
        page.say(sentence(row));
    }

    let grid = Grid::new(pairs.len(), 2);
    let panel_height = if grid.rows == 1 { 172.0 } else { 150.0 };
    let (above, below, gap) = (14.0, 15.0, 8.0);
    let body = grid.rows as f64 * (above + panel_height + below) + (grid.rows - 1) as f64 * gap;
    page.draw(body, |canvas, rect| {
        let Scale::Log { low, high } = scale else { return Ok(()) };
        // The room for labels is given in points, so the axis goes on above the data by as much.
        let high = high * libm::pow(high / low, HEADROOM / (panel_height - HEADROOM));
        let y = Scale::Log { low, high };
        let ticks = logarithmic(&y, panel_height, false, &|_| TICK_SIZE + 4.0);
        let left = rect.left + 13.0 + widest(canvas, &ticks) + TICK_GAP;
        y_title(canvas, (rect.top + above, rect.bottom - below), rect.left, "consistency window (ms)")?;
        let inner = Rect { left, ..rect };
        for (index, pair) in pairs.iter().enumerate() {
            let (column, row) = grid.place(index);
            let cell = inner.cell((column, grid.columns), (row, grid.rows), (14.0, gap));
            let area = Rect { top: cell.top + above, bottom: cell.bottom - below, ..cell };
            let panel = Panel::new(canvas, area, Scale::Linear { low: 0.0, high: storages.len() as f64 }, y);
            panel.y_axis(&ticks, column == 0)?;
            panel.x_axis(&[], false)?;
            panel.heading(pair)?;
            let sizes = Sizes::of(canvas, &rows, &storages, panel.rect.width());
            for (slot, storage) in storages.iter().enumerate() {
                let row = rows.iter().find(|row| row.regions == **pair && row.post_storage == *storage);
                let slot = Slot { from: panel.across(slot as f64), to: panel.across(slot as f64 + 1.0) };
                draw_slot(canvas, &panel, slot, &sizes, *storage, row.copied())?;
            }
        }
        Ok(())
    })
}

/// Antipode's median, if it was measured.
fn antipode(row: &WindowRow) -> Option<f64> {
    row.antipode_p50_ms.filter(|value| row.antipode_reads > 0 && value.is_finite())
}

/// An axis that begins a decade below the lowest bar: on a logarithmic axis a bar has no natural foot, and the bar must
/// be tall enough to be written on.
fn scale(rows: &[&WindowRow]) -> Option<Scale> {
    let values = rows.iter().flat_map(|row| [Some(row.original_p50_ms), antipode(row)]).flatten();
    let (min, max) = extent(values.filter(|value| *value > 0.0))?;
    let low = libm::exp10((libm::log10(min) - 1.0).floor());
    Some(Scale::Log { low, high: max.max(low * 100.0) })
}

/// The type of labels: the same on all bars, unless a label is so long that all would become hard to read.
struct Sizes {
    name: Type,
    value: Type,
    missed: Type,
    extra: Type,
}

impl Sizes {
    fn of(canvas: &Canvas, rows: &[&WindowRow], storages: &[PostStorage], width: f64) -> Self {
        let slot = Slot { from: 0.0, to: width / storages.len().max(1) as f64 };
        let centred = |size: f64| Type::new(size).across(HPos::Center);
        let fitted = |look: Type, texts: Vec<String>, width: f64| {
            look.fitted_to_all(canvas.fonts, texts.iter().map(String::as_str), width, 7.5)
        };
        let names = storages.iter().map(|storage| post_name(*storage).to_owned()).collect();
        let values = rows.iter().map(|row| milliseconds(row.original_p50_ms)).collect();
        let shares = rows.iter().map(|row| missed(row)).collect();
        let extras = rows.iter().filter_map(|row| extra(row)).collect();
        Self {
            name: fitted(centred(9.0).down(VPos::Top), names, slot.room()),
            value: fitted(centred(9.0).bold(), values, slot.bar() - 3.0),
            missed: fitted(centred(8.5), shares, slot.bar() - 3.0),
            extra: fitted(centred(9.0).bold().color(ANTIPODE_INK), extras, slot.room()),
        }
    }
}

/// The piece of the horizontal axis that one bar stands in the middle of.
#[derive(Clone, Copy)]
struct Slot {
    from: f64,
    to: f64,
}

impl Slot {
    fn centre(self) -> f64 {
        (self.from + self.to) / 2.0
    }

    /// Width that labels may take: a patch of paper around them must stay off the axis.
    fn room(self) -> f64 {
        self.to - self.from - 3.5
    }

    /// Width of the bar.
    fn bar(self) -> f64 {
        ((self.to - self.from) * 0.8).min(50.0)
    }
}

fn draw_slot(
    canvas: &Canvas,
    panel: &Panel<'_>,
    slot: Slot,
    sizes: &Sizes,
    storage: PostStorage,
    row: Option<&WindowRow>,
) -> Result<(), FigureError> {
    let foot = panel.rect.bottom;
    let name = post_name(storage);
    let look = sizes.name.fitted(canvas.fonts, name, slot.room(), LEAST);
    canvas.text(Point::new(slot.centre(), foot + TICK_GAP), name, look)?;
    let Some(row) = row else {
        let look = Type::new(7.5).across(HPos::Center).color(SOFT);
        return canvas.text(Point::new(slot.centre(), foot - 4.0), "no data", look);
    };
    let bar = Rect {
        left: slot.centre() - slot.bar() / 2.0,
        right: slot.centre() + slot.bar() / 2.0,
        top: panel.down(row.original_p50_ms.max(f64::MIN_POSITIVE)).min(foot),
        bottom: foot,
    };
    canvas.fill(bar, ORIGINAL)?;
    let reached = antipode(row).map(|value| panel.down(value.max(f64::MIN_POSITIVE)).min(foot));
    // Where the labels may begin: below the line of an antipode that was no slower, if that leaves them room.
    let mut under = bar.top;
    let top = reached.map_or(bar.top, |reached| reached.min(bar.top));
    if let Some(reached) = reached {
        if reached < bar.top {
            canvas.fill(Rect { top: reached, bottom: bar.top, ..bar }, ANTIPODE)?;
        } else {
            // Antipode was no slower: a line across the bar shows where its median lies.
            let ends = [Point::new(bar.left - 2.0, reached), Point::new(bar.right + 2.0, reached)];
            canvas.line(&ends, Stroke::solid(ANTIPODE, 1.8))?;
            if (bar.top..bar.top + ROOM).contains(&reached) && foot - reached >= ROOM {
                under = reached + 1.0;
            }
        }
    }
    // The original's labels stand in its part of the bar; if that is too low, in the part above it; else over both.
    let (first, ink, over) = if bar.bottom - bar.top >= ROOM {
        (under + 4.0, PAPER, 0.0)
    } else if bar.top - top >= ROOM {
        (bar.top - ROOM + 4.0, INK, 0.0)
    } else {
        (top - ROOM + 2.0, ORIGINAL, ROOM - 4.0)
    };
    let lines = [
        (milliseconds(row.original_p50_ms), sizes.value),
        (missed(row), sizes.missed),
        ("missed".to_owned(), Type { size: sizes.missed.size - 1.0, ..sizes.missed }),
    ];
    for (index, (text, look)) in lines.into_iter().enumerate() {
        let look = look.fitted(canvas.fonts, &text, slot.bar() - 3.0, LEAST);
        let y = first + LINE * index as f64 + canvas.fonts.cap_height(look.size, look.bold);
        canvas.text(Point::new(slot.centre(), y), &text, look.color(ink))?;
    }
    let above = Point::new(slot.centre(), top - over - 3.5);
    let (label, look) = match extra(row) {
        Some(extra) => (extra, sizes.extra),
        None => ("no antipode".to_owned(), Type::new(7.5).across(HPos::Center).color(SOFT)),
    };
    let look = look.fitted(canvas.fonts, &label, slot.room(), LEAST);
    canvas.text_on_paper(above, &label, look)
}

/// Share of missed reads, as it stands on the bar.
fn missed(row: &WindowRow) -> String {
    format!("{} %", percent(row.missed.value))
}

/// The extra of antipode in milliseconds, as it stands on the bar.
fn extra(row: &WindowRow) -> Option<String> {
    let extra = row.extra_ms.or(antipode(row).map(|value| value - row.original_p50_ms));
    extra.filter(|extra| antipode(row).is_some() && extra.is_finite()).map(|extra| signed(extra, milliseconds))
}

/// How many reads stand behind a bar.
fn reads(rows: &[&WindowRow]) -> String {
    let counts = rows.iter().flat_map(|row| [row.original_reads, row.antipode_reads]).filter(|reads| *reads > 0);
    let (min, max) = counts.fold((u64::MAX, 0), |(min, max), reads| (min.min(reads), max.max(reads)));
    if min == max {
        format!("{} behind each bar", count(max, "read", "reads"))
    } else {
        format!("{}\u{2013}{} behind each bar", thousands(min as f64), count(max, "read", "reads"))
    }
}

fn sentence(row: &WindowRow) -> String {
    let antipode = match antipode(row) {
        Some(value) => {
            let extra = extra(row).map_or(String::new(), |extra| format!(" ({extra} ms)"));
            format!("with antipode {} ms{extra}", milliseconds(value))
        }
        None => "no antipode".to_owned(),
    };
    format!(
        "{}, {}: original {} ms, {} % of requests missed the post (95 % interval {}), {antipode}.",
        pair_name(&row.regions),
        post_name(row.post_storage),
        milliseconds(row.original_p50_ms),
        percent(row.missed.value),
        share_range(row.missed, row.basis),
    )
}

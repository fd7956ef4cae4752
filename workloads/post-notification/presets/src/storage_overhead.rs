//! Bytes that storages keep and carry, antipode off and on.

use matrix_analysis::tables::{OverheadRow, Source, StorageKind};
use matrix_plan::{NotificationStorage, PostStorage};
use plotters::style::text_anchor::{HPos, VPos};

use crate::{Drawing, Figure, FigureError};
use matrix_figures::draw::format::{bytes, signed, thousands, trimmed, two_digits};
use matrix_figures::draw::palette::{Marker, SOFT};
use matrix_figures::draw::panel::{TICK_GAP, TICK_SIZE, x_title};
use matrix_figures::draw::scale::extent;
use matrix_figures::draw::ticks::{linear, logarithmic};
use matrix_figures::draw::{Canvas, Entry, Panel, Point, Rect, Sample, Scale, Type};

use crate::shared::{ANTIPODE, ANTIPODE_INK, ORIGINAL, notification_name, page, post_name};

const FIGURE: Figure = Figure::StorageOverhead;
/// Thickness of a bar and height of all that belongs to one storage, in points.
const BAR: f64 = 9.5;
const GROUP: f64 = 29.0;
/// Room for the value at the end of a bar, and for the overhead beyond the axis, in points.
const VALUE: f64 = 66.0;
const OVERHEAD: f64 = 84.0;
/// Bars of which one is so many times another need a logarithmic axis.
const WIDE: f64 = 50.0;

/// Draws the storage overhead: a panel for posts and one for notifications, two bars per storage. On a logarithmic axis,
/// where the length of a bar means nothing, dots take the place of bars.
///
/// # Errors
/// [`FigureError::NoData`] without a bar to draw; otherwise only if plotters or the embedded font fail.
pub fn storage_overhead(rows: &[OverheadRow], source: &Source) -> Result<Drawing, FigureError> {
    let kinds: Vec<(StorageKind, Vec<&OverheadRow>)> = [StorageKind::Post, StorageKind::Notification]
        .into_iter()
        .map(|kind| {
            (kind, rows.iter().filter(|row| row.kind == kind && bars(row).iter().any(Option::is_some)).collect())
        })
        .filter(|(_, rows): &(_, Vec<_>)| !rows.is_empty())
        .collect();
    if kinds.is_empty() {
        return Err(FigureError::NoData { figure: FIGURE.name(), needs: FIGURE.needs() });
    }
    let mut page =
        page(FIGURE, source, "Logical bytes per object (averages): what the application writes and publishes; delay 0");
    let all = || kinds.iter().flat_map(|(_, rows)| rows);
    for (index, (color, label)) in [(ORIGINAL, "antipode off"), (ANTIPODE, "antipode on")].into_iter().enumerate() {
        if all().any(|row| bars(row)[index].is_some()) {
            page.entry(Entry::new(Sample::Fill(color), label));
        }
    }
    if all().any(|row| overhead(row).is_some()) {
        page.entry(Entry::new(Sample::Word("+n B", ANTIPODE_INK), "overhead"));
    }
    for row in all() {
        page.say(sentence(row));
    }
    let (above, below, gap) = (14.0, 28.0, 9.0);
    let heights: Vec<f64> = kinds.iter().map(|(_, rows)| above + GROUP * rows.len() as f64 + below).collect();
    let body = heights.iter().sum::<f64>() + gap * (kinds.len() - 1) as f64;
    page.draw(body, |canvas, rect| {
        let names = kinds.iter().flat_map(|(kind, rows)| rows.iter().map(|row| name(*kind, &row.storage)));
        let labels = names.map(|name| canvas.fonts.width(&name, 9.0, false)).fold(0.0, f64::max).min(110.0);
        let mut top = rect.top;
        for ((kind, rows), height) in kinds.iter().zip(&heights) {
            let area = Rect {
                left: rect.left + labels + TICK_GAP,
                right: rect.right - OVERHEAD,
                top: top + above,
                bottom: top + height - below,
            };
            block(canvas, area, rect, *kind, rows)?;
            top += height + gap;
        }
        Ok(())
    })
}

/// Averages of the two bars, where there are any.
fn bars(row: &OverheadRow) -> [Option<f64>; 2] {
    [(row.baseline_objects, row.baseline_average_bytes), (row.antipode_objects, row.antipode_average_bytes)]
        .map(|(objects, average)| (objects > 0 && average.is_finite() && average >= 0.0).then_some(average))
}

/// Overhead in bytes and in percent, where both sides were measured.
fn overhead(row: &OverheadRow) -> Option<(String, String)> {
    let both = bars(row).iter().all(Option::is_some) && row.overhead_bytes.is_finite();
    both.then(|| {
        let percent = match row.overhead_percent {
            percent if percent.is_finite() => format!("{} %", signed(percent, two_digits)),
            _ => "no bytes with antipode off".to_owned(),
        };
        (format!("{} B", signed(row.overhead_bytes, bytes)), percent)
    })
}

fn name(kind: StorageKind, storage: &str) -> String {
    let known = match kind {
        StorageKind::Post => storage.parse::<PostStorage>().ok().map(post_name),
        StorageKind::Notification => storage.parse::<NotificationStorage>().ok().map(notification_name),
    };
    known.map_or_else(|| storage.to_owned(), str::to_owned)
}

fn block(
    canvas: &Canvas,
    area: Rect,
    outer: Rect,
    kind: StorageKind,
    rows: &[&OverheadRow],
) -> Result<(), FigureError> {
    let scale = scale(rows, area.width());
    let panel = Panel::new(canvas, area, scale, Scale::Linear { low: rows.len() as f64, high: 0.0 });
    let room = |text: &str| canvas.fonts.width(text, TICK_SIZE, false) + 8.0;
    let ticks = match scale {
        Scale::Linear { high, .. } => {
            let unit = Unit::of(high);
            linear(0.0, high, (area.width() / 55.0) as usize, |value| trimmed(value / unit.bytes, 3))
        }
        _ => logarithmic(&scale, area.width(), false, &room),
    };
    panel.x_axis(&ticks, true)?;
    panel.y_axis(&[], false)?;
    let (heading, unit) = match (kind, scale) {
        (StorageKind::Post, Scale::Linear { high, .. }) => ("Post storages", Unit::of(high).name),
        (StorageKind::Notification, Scale::Linear { high, .. }) => ("Notification storages", Unit::of(high).name),
        (StorageKind::Post, _) => ("Post storages", "B"),
        (StorageKind::Notification, _) => ("Notification storages", "B"),
    };
    canvas.text(Point::new(outer.left, area.top - 5.0), heading, Type::new(9.0).bold())?;
    if rows.iter().any(|row| overhead(row).is_some()) {
        let look = Type::new(8.5).across(HPos::Right).color(SOFT);
        canvas.text(Point::new(outer.right, area.top - 5.0), "overhead", look)?;
    }
    x_title(canvas, (area.left, area.right), area.bottom + 24.0, &format!("logical bytes per object ({unit})"))?;
    for (index, row) in rows.iter().enumerate() {
        let middle = area.top + GROUP * (index as f64 + 0.5);
        let label = name(kind, &row.storage);
        let look = Type::new(9.0).across(HPos::Right).down(VPos::Center);
        let (label, look) = matrix_figures::draw::panel::fit(canvas, &label, area.left - outer.left - TICK_GAP, look);
        canvas.text(Point::new(area.left - TICK_GAP, middle), &label, look)?;
        for ((value, color), top) in
            bars(row).into_iter().zip([ORIGINAL, ANTIPODE]).zip([middle - BAR - 0.5, middle + 0.5])
        {
            bar(canvas, &panel, value, color, top)?;
        }
        if let Some((difference, percent)) = overhead(row) {
            let look = Type::new(8.5).across(HPos::Right).color(ANTIPODE_INK);
            canvas.text(Point::new(outer.right, middle - 2.0), &difference, look.bold())?;
            canvas.text(Point::new(outer.right, middle + 9.0), &percent, look)?;
        }
    }
    Ok(())
}

fn bar(
    canvas: &Canvas,
    panel: &Panel<'_>,
    value: Option<f64>,
    color: plotters::style::RGBColor,
    top: f64,
) -> Result<(), FigureError> {
    let (left, middle) = (panel.rect.left, top + BAR / 2.0);
    let look = Type::new(8.5).down(VPos::Center);
    let Some(value) = value else {
        return canvas.text_on_paper(Point::new(left + 4.0, middle), "no data", look.color(SOFT));
    };
    let right = panel.across(value).max(left);
    if panel.is_logarithmic() {
        canvas.marker(Marker::Circle, Point::new(right, middle), color)?;
    } else {
        canvas.fill(Rect { left, right, top, bottom: top + BAR }, color)?;
    }
    let label = format!("{} B", bytes(value));
    let look = look.fitted(canvas.fonts, &label, VALUE - 6.5, 6.0);
    canvas.text_on_paper(Point::new(right + 5.5, middle), &label, look)
}

/// From 0 where the bars allow it; else logarithmic, and from a decade below the shortest. Beyond the longest bar there
/// is room for its value.
fn scale(rows: &[&OverheadRow], width: f64) -> Scale {
    let stretch = width / (width - VALUE);
    match extent(rows.iter().flat_map(|row| bars(row)).flatten().filter(|value| *value > 0.0)) {
        Some((min, max)) if max / min > WIDE => {
            let low = libm::exp10((libm::log10(min) - 0.5).floor());
            Scale::Log { low, high: low * libm::pow(max / low, stretch) }
        }
        Some((_, max)) => Scale::Linear { low: 0.0, high: max * stretch },
        None => Scale::Linear { low: 0.0, high: 1.0 },
    }
}

/// The decimal unit that an axis counts in.
struct Unit {
    bytes: f64,
    name: &'static str,
}

impl Unit {
    fn of(high: f64) -> Self {
        match high {
            high if high >= 1e9 => Self { bytes: 1e9, name: "GB" },
            high if high >= 1e6 => Self { bytes: 1e6, name: "MB" },
            high if high >= 1e4 => Self { bytes: 1e3, name: "kB" },
            _ => Self { bytes: 1.0, name: "B" },
        }
    }
}

fn sentence(row: &OverheadRow) -> String {
    let [baseline, antipode] =
        bars(row).map(|value| value.map_or("no data".to_owned(), |value| format!("{} B", bytes(value))));
    let overhead = overhead(row).map_or(String::new(), |(bytes, percent)| format!(", overhead {bytes} ({percent})"));
    let kind = match row.kind {
        StorageKind::Post => "posts",
        StorageKind::Notification => "notifications",
    };
    format!(
        "{} ({kind}): antipode off {baseline} of {} objects, on {antipode} of {} objects{overhead}.",
        name(row.kind, &row.storage),
        thousands(row.baseline_objects as f64),
        thousands(row.antipode_objects as f64),
    )
}

//! Cumulative distributions of the window.

use matrix_analysis::tables::{LatencyCurve, Source};
use matrix_plan::{NotificationStorage, PostStorage, RegionPair};
use plotters::style::text_anchor::HPos;

use crate::{Drawing, Figure, FigureError};
use matrix_figures::draw::authors::{of_the_authors, their_entry, their_line};
use matrix_figures::draw::format::{count, milliseconds};
use matrix_figures::draw::palette::SOFT;
use matrix_figures::draw::panel::{TICK_GAP, TICK_SIZE, fit_arrow, widest, x_title, y_title};
use matrix_figures::draw::ticks::{logarithmic, percentages};
use matrix_figures::draw::{Entry, Panel, Point, Rect, Sample, Scale, Stroke, Type};

use crate::shared::{
    ANTIPODE, ANTIPODE_INK, ORIGINAL, ORIGINAL_INK, ends, first_seen, notification_name, notified_by, page, pair_name,
    post_name,
};

const FIGURE: Figure = Figure::VisibilityLatency;
/// Dashes of consistent reads alone.
const CONSISTENT: &[f64] = &[3.0, 2.0];

/// Draws the distributions of the window: a row per region pair and notification storage, a column per post storage, and in
/// each plot one curve for all reads and one for the consistent ones, antipode off and on. The authors' curves of
/// all reads stand in the plots that there are, dotted.
///
/// # Errors
/// [`FigureError::NoData`] without a curve to draw; otherwise only if plotters or the embedded font fail.
pub fn visibility_latency(
    curves: &[LatencyCurve],
    authors: &[LatencyCurve],
    source: &Source,
) -> Result<Drawing, FigureError> {
    let curves = drawn(curves);
    let mut authors = drawn(authors);
    authors.retain(|(their, _)| !their.consistent_only && curves.iter().any(|(curve, _)| is_beside(curve, their)));
    let windows = curves.iter().chain(&authors).flat_map(|(_, points)| points.iter().map(|(window, _)| *window));
    let Some(x) = Scale::log_around(windows, (0.04, 0.04)) else {
        return Err(FigureError::NoData { figure: FIGURE.name(), needs: FIGURE.needs() });
    };
    let mut rows: Vec<(&RegionPair, NotificationStorage)> = Vec::new();
    for pair in first_seen(curves.iter().map(|(curve, _)| &curve.regions)) {
        let has = |kind| curves.iter().any(|(c, _)| c.regions == *pair && c.notification_storage == kind);
        rows.extend(NotificationStorage::ALL.iter().filter(|kind| has(**kind)).map(|kind| (pair, *kind)));
    }
    let storages: Vec<PostStorage> =
        PostStorage::ALL.iter().copied().filter(|kind| curves.iter().any(|(c, _)| c.post_storage == *kind)).collect();

    let mut page = page(FIGURE, source, "Share of reads whose consistency window is at most so long; delay 0");
    for (antipode, consistent_only) in [(false, false), (false, true), (true, false), (true, true)] {
        if curves.iter().any(|(curve, _)| (curve.antipode, curve.consistent_only) == (antipode, consistent_only)) {
            let stroke = stroke(antipode, consistent_only);
            page.entry(Entry::new(
                Sample::Line { stroke, marker: None, band: false },
                label(antipode, consistent_only),
            ));
        }
    }
    if !authors.is_empty() {
        page.entry(their_entry(true));
    }
    if let Some(note) = without_consistent(&curves) {
        page.note(note);
    }
    for (curve, _) in &curves {
        page.say(sentence(curve));
    }
    for (curve, _) in &authors {
        page.say(of_the_authors(&sentence(curve)));
    }

    let height = match rows.len() {
        1 => 125.0,
        2..=4 => 88.0,
        _ => 56.0,
    };
    let (above, pair_heading, below, foot) = (11.0, 14.0, 14.0, 12.0);
    let row_height = pair_heading + height + below;
    let gap = 6.0;
    let body = above + rows.len() as f64 * (row_height + gap) - gap + foot;
    page.draw(body, |canvas, rect| {
        let y = Scale::Linear { low: -2.0, high: 102.0 };
        let y_ticks = percentages(height);
        let left = rect.left + 13.0 + widest(canvas, &y_ticks) + TICK_GAP;
        let inner = Rect { left, right: rect.right - 4.0, top: rect.top + above, bottom: rect.bottom - foot };
        y_title(canvas, (inner.top + pair_heading, inner.bottom - below), rect.left, "reads (%)")?;
        x_title(canvas, (inner.left, inner.right), rect.bottom - 3.0, "consistency window (ms)")?;
        for (row, (pair, notification)) in rows.iter().enumerate() {
            for (column, storage) in storages.iter().enumerate() {
                let cell = inner.cell((column, storages.len()), (row, rows.len()), (12.0, gap));
                let area = Rect { top: cell.top + pair_heading, bottom: cell.bottom - below, ..cell };
                if row == 0 {
                    let look = Type::new(9.5).bold().across(HPos::Center);
                    canvas.text(Point::new(area.centre().x, rect.top + 8.0), post_name(*storage), look)?;
                }
                if column == 0 {
                    let end = notified_by(pair, *notification, &source.nature);
                    let (text, look) =
                        fit_arrow(canvas, ends(pair), &end, inner.width(), Type::new(8.5).color(SOFT).bold());
                    canvas.text(Point::new(area.left, area.top - 4.5), &text, look)?;
                }
                let panel = Panel::new(canvas, area, x, y);
                let room = |text: &str| canvas.fonts.width(text, TICK_SIZE, false) + 6.0;
                panel.y_axis(&y_ticks, column == 0)?;
                panel.x_axis(&logarithmic(&x, area.width(), true, &room), true)?;
                let here: Vec<_> = curves
                    .iter()
                    .filter(|(curve, _)| {
                        curve.regions == **pair
                            && curve.post_storage == *storage
                            && curve.notification_storage == *notification
                    })
                    .collect();
                // All reads first: where nothing was missed the dashes of the consistent ones lie on that line.
                for (curve, points) in here.iter().filter(|(curve, _)| !curve.consistent_only) {
                    panel.line(points, stroke(curve.antipode, false))?;
                }
                for (curve, points) in here.iter().filter(|(curve, _)| curve.consistent_only) {
                    panel.line(points, stroke(curve.antipode, true))?;
                }
                let beside = |(their, _): &&(&LatencyCurve, _)| here.iter().any(|(curve, _)| is_beside(curve, their));
                for (curve, points) in authors.iter().filter(beside) {
                    panel.line(points, their_line(if curve.antipode { ANTIPODE_INK } else { ORIGINAL_INK }))?;
                }
                if here.is_empty() {
                    canvas.text(area.centre(), "no data", Type::new(8.0).color(SOFT).centred())?;
                }
            }
        }
        Ok(())
    })
}

/// The curves that have points to draw, each with them.
fn drawn(curves: &[LatencyCurve]) -> Vec<(&LatencyCurve, Vec<(f64, f64)>)> {
    let points = curves.iter().map(|curve| (curve, steps(curve)));
    points.filter(|(curve, points)| curve.reads > 0 && !points.is_empty()).collect()
}

/// Whether two curves stand in the same plot.
fn is_beside(curve: &LatencyCurve, other: &LatencyCurve) -> bool {
    (&curve.regions, curve.post_storage, curve.notification_storage)
        == (&other.regions, other.post_storage, other.notification_storage)
}

/// Names the curves that do not exist because every read missed the post.
fn without_consistent(curves: &[(&LatencyCurve, Vec<(f64, f64)>)]) -> Option<String> {
    let has = |all: &LatencyCurve| {
        curves.iter().any(|(curve, _)| {
            curve.consistent_only
                && (&curve.regions, curve.post_storage, curve.notification_storage, curve.antipode)
                    == (&all.regions, all.post_storage, all.notification_storage, all.antipode)
        })
    };
    let missing: Vec<String> = curves
        .iter()
        .filter(|(curve, _)| !curve.consistent_only && !has(curve))
        .map(|(curve, _)| {
            let (post, by) = (post_name(curve.post_storage), notification_name(curve.notification_storage));
            format!("{post} {} ({}, {by})", treatment(curve.antipode), pair_name(&curve.regions))
        })
        .collect();
    (!missing.is_empty()).then(|| format!("no consistent read: {}", missing.join(", ")))
}

/// The curve as points of the plot, from 0 % up; points that a logarithmic axis cannot hold are left out.
fn steps(curve: &LatencyCurve) -> Vec<(f64, f64)> {
    let finite = curve.points.iter().filter(|p| p.window_ms.is_finite() && p.window_ms > 0.0 && p.share.is_finite());
    let mut points: Vec<_> = finite.map(|point| (point.window_ms, point.share.clamp(0.0, 1.0) * 100.0)).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    if let Some(first) = points.first().filter(|first| first.1 > 0.0).copied() {
        points.insert(0, (first.0, 0.0));
    }
    points
}

/// All reads: a broad line. Consistent reads: dark dashes, so thin that both are seen where they coincide.
fn stroke(antipode: bool, consistent_only: bool) -> Stroke {
    match (antipode, consistent_only) {
        (false, false) => Stroke::solid(ORIGINAL, 2.4),
        (false, true) => Stroke { color: ORIGINAL_INK, width: 1.1, dashes: CONSISTENT },
        (true, false) => Stroke::solid(ANTIPODE, 2.4),
        (true, true) => Stroke { color: ANTIPODE_INK, width: 1.1, dashes: CONSISTENT },
    }
}

fn label(antipode: bool, consistent_only: bool) -> String {
    format!("{}, {}", treatment(antipode), if consistent_only { "consistent reads" } else { "all reads" })
}

fn treatment(antipode: bool) -> &'static str {
    if antipode { "antipode on" } else { "antipode off" }
}

fn sentence(curve: &LatencyCurve) -> String {
    let median = curve.points.iter().find(|point| point.share >= 0.5);
    let median = median.map_or(String::new(), |point| format!(", half within {} ms", milliseconds(point.window_ms)));
    format!(
        "{}, {} with {}, {}: {}{median}.",
        pair_name(&curve.regions),
        post_name(curve.post_storage),
        notification_name(curve.notification_storage),
        label(curve.antipode, curve.consistent_only),
        count(curve.reads, "read", "reads"),
    )
}

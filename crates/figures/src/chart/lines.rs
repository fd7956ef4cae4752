//! Lines with the bands of their intervals.

use super::{ChartLine, ChartMark, ChartPanel, did_not_finish, disturbed};
use crate::FigureError;
use crate::draw::authors::{their_line, their_mark};
use crate::draw::palette::series;
use crate::draw::{Panel, Point, Stroke};

/// With `log`, a number that is not above 0 has no place: its line has a gap there.
pub(super) fn draw(panel: &Panel<'_>, chart: &ChartPanel, log: bool) -> Result<(), FigureError> {
    // Bands first, then lines, then markers: no line is hidden by the band of another.
    for line in ours(chart) {
        for part in bands(line, log) {
            let ends = || part.iter().filter_map(|mark| Some((mark.x, mark.estimate?)));
            let low: Vec<_> = ends().map(|(x, estimate)| (x, panel.clamped(estimate.low))).collect();
            let high: Vec<_> = ends().map(|(x, estimate)| (x, panel.clamped(estimate.high))).collect();
            panel.band(&low, &high, series(line.series).color)?;
        }
    }
    for line in &chart.lines {
        let (look, stroke) = (series(line.series), stroke(line));
        for part in line.marks.split(|mark| !mark.has_place(log)) {
            let points: Vec<(f64, f64)> = part.iter().filter_map(|mark| Some((mark.x, mark.estimate?.value))).collect();
            if points.len() > 1 {
                panel.line(&points, stroke)?;
            }
            for (x, y) in points.into_iter().filter(|_| line.theirs) {
                their_mark(panel.canvas, Point::new(panel.across(x), panel.down(y)), look.color)?;
            }
        }
    }
    let failures = ours(chart).filter(|line| line.marks.iter().any(|mark| mark.estimate.is_none())).count();
    let mut failed = 0;
    for line in ours(chart) {
        let look = series(line.series);
        for mark in &line.marks {
            match mark.estimate {
                Some(_) if !mark.has_place(log) => {}
                Some(estimate) => {
                    if estimate.is_bounded() {
                        let range = (panel.clamped(estimate.low), panel.clamped(estimate.high));
                        panel.interval(mark.x, range, 0.0, look.color)?;
                    }
                    if let Some((low, high)) = mark.across.filter(|(low, high)| low.is_finite() && high.is_finite()) {
                        let y = panel.down(estimate.value);
                        let ends = [low, high].map(|end| Point::new(panel.across(end), y));
                        panel.canvas.line(&ends, Stroke::solid(look.color, 0.9))?;
                    }
                    panel.marker(look.marker, (mark.x, estimate.value), 0.0, look.color)?;
                    if mark.disturbed {
                        disturbed(panel.canvas, Point::new(panel.across(mark.x), panel.down(estimate.value)))?;
                    }
                }
                None => {
                    let y = panel.rect.bottom - 6.0 - 8.0 * f64::from(failed);
                    did_not_finish(panel.canvas, Point::new(panel.across(mark.x), y), look.color)?;
                }
            }
        }
        if line.marks.iter().any(|mark| mark.estimate.is_none()) && failures > 1 {
            failed += 1;
        }
    }
    Ok(())
}

/// Steps of cumulative distributions: each begins at 0, and rises where a value was.
pub(super) fn steps(panel: &Panel<'_>, chart: &ChartPanel) -> Result<(), FigureError> {
    for line in &chart.lines {
        let mut points: Vec<(f64, f64)> = Vec::with_capacity(line.marks.len() * 2);
        for mark in &line.marks {
            let Some(estimate) = mark.estimate else { continue };
            let before = points.last().map_or(0.0, |(_, share)| *share);
            points.extend([(mark.x, before), (mark.x, estimate.value)]);
        }
        panel.line(&points, stroke(line))?;
        if let (true, Some((x, share))) = (!line.theirs && line.marks.iter().any(|mark| mark.disturbed), points.last())
        {
            disturbed(panel.canvas, Point::new(panel.across(*x), panel.down(*share)))?;
        }
    }
    Ok(())
}

/// The parts of a line that have a band: a gap in the line is a gap in its band.
pub(super) fn bands(line: &ChartLine, log: bool) -> impl Iterator<Item = &[ChartMark]> {
    let bounded =
        move |mark: &ChartMark| mark.has_place(log) && mark.estimate.is_some_and(|estimate| estimate.is_bounded());
    line.marks.split(move |mark| !bounded(mark)).filter(|part| part.len() > 1)
}

/// One's own lines.
pub(super) fn ours(chart: &ChartPanel) -> impl Iterator<Item = &ChartLine> {
    chart.lines.iter().filter(|line| !line.theirs)
}

fn stroke(line: &ChartLine) -> Stroke {
    let look = series(line.series);
    if line.theirs { their_line(look.color) } else { Stroke { color: look.color, width: 1.5, dashes: look.dashes } }
}

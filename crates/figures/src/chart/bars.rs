//! Bars, in groups.

use super::{ChartPanel, did_not_finish};
use crate::FigureError;
use crate::draw::palette::series;
use crate::draw::{Canvas, Panel, Point, Rect};

/// Share of a group's room that its bars take.
const FILLED: f64 = 0.8;

pub(super) fn draw(canvas: &Canvas, panel: &Panel<'_>, chart: &ChartPanel, all: usize) -> Result<(), FigureError> {
    let room = panel.across(1.0) - panel.across(0.0);
    let width = room * FILLED / all.max(1) as f64;
    let foot = panel.down(panel.clamped(0.0));
    for line in &chart.lines {
        let look = series(line.series);
        let aside = (line.series as f64 - (all.max(1) - 1) as f64 / 2.0) * width;
        for mark in &line.marks {
            let centre = panel.across(mark.x) + aside;
            match mark.estimate {
                Some(estimate) => {
                    let head = panel.down(panel.clamped(estimate.value));
                    let (top, bottom) = (head.min(foot), head.max(foot));
                    let bar = Rect { left: centre - width * 0.45, right: centre + width * 0.45, top, bottom };
                    canvas.fill(bar, look.color)?;
                    if estimate.low.is_finite() && estimate.high.is_finite() {
                        let range = (panel.clamped(estimate.low), panel.clamped(estimate.high));
                        panel.interval(mark.x, range, aside, crate::draw::palette::INK)?;
                    }
                }
                None => did_not_finish(canvas, Point::new(centre, foot - 6.0), look.color)?,
            }
        }
    }
    Ok(())
}

//! Bars, in groups.

use super::{ChartLine, ChartPanel, did_not_finish, disturbed};
use crate::FigureError;
use crate::draw::palette::{INK, PAPER, series};
use crate::draw::{Canvas, Panel, Point, Rect, Stroke};

/// Share of a group's room that its bars take.
const FILLED: f64 = 0.8;

/// Groups of bars. Where the authors' stand beside one's own, each series has two, the authors' hollow.
pub(super) fn draw(
    canvas: &Canvas,
    panel: &Panel<'_>,
    chart: &ChartPanel,
    (all, against): (usize, bool),
) -> Result<(), FigureError> {
    let of_series = if against { 2 } else { 1 };
    let all = all.max(1) * of_series;
    let room = panel.across(1.0) - panel.across(0.0);
    let width = room * FILLED / all as f64;
    let foot = panel.down(panel.clamped(0.0));
    for line in &chart.lines {
        let look = series(line.series);
        let slot = line.series * of_series + usize::from(line.theirs);
        let aside = (slot as f64 - (all - 1) as f64 / 2.0) * width;
        for mark in &line.marks {
            let centre = panel.across(mark.x) + aside;
            match mark.estimate {
                Some(estimate) => {
                    let head = panel.down(panel.clamped(estimate.value));
                    let (top, bottom) = (head.min(foot), head.max(foot));
                    let bar = Rect { left: centre - width * 0.45, right: centre + width * 0.45, top, bottom };
                    if line.theirs {
                        canvas.frame(bar, Stroke::solid(look.color, 1.0))?;
                        continue;
                    }
                    canvas.fill(bar, look.color)?;
                    if estimate.is_bounded() {
                        let range = (panel.clamped(estimate.low), panel.clamped(estimate.high));
                        panel.interval(mark.x, range, aside, INK)?;
                    }
                    if mark.disturbed {
                        disturbed(canvas, Point::new(centre, head))?;
                    }
                }
                None if line.theirs => {}
                None => did_not_finish(canvas, Point::new(centre, foot - 6.0), look.color)?,
            }
        }
    }
    Ok(())
}

/// One bar for each place, of its parts on top of each other, and where there are the authors' theirs beside it, hollow.
pub(super) fn stacked(
    canvas: &Canvas,
    panel: &Panel<'_>,
    chart: &ChartPanel,
    against: bool,
) -> Result<(), FigureError> {
    let width = (panel.across(1.0) - panel.across(0.0)) * FILLED * if against { 0.5 } else { 0.75 };
    let aside = if against { width / 2.0 } else { 0.0 };
    stacks(canvas, panel, chart, (false, width, -aside))?;
    stacks(canvas, panel, chart, (true, width, aside))
}

/// Where a part has no number there is no bar: it would look like a smaller sum.
fn stacks(
    canvas: &Canvas,
    panel: &Panel<'_>,
    chart: &ChartPanel,
    (theirs, width, aside): (bool, f64, f64),
) -> Result<(), FigureError> {
    let lines: Vec<&ChartLine> = chart.lines.iter().filter(|line| line.theirs == theirs).collect();
    let mut places: Vec<f64> = lines.iter().flat_map(|line| &line.marks).map(|mark| mark.x).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    for place in places {
        let centre = panel.across(place) + aside;
        let parts = || {
            let lines = lines.iter();
            lines.flat_map(|line| line.marks.iter().filter(|mark| mark.x == place).map(|mark| (line.series, mark)))
        };
        if parts().any(|(_, mark)| mark.estimate.is_none()) {
            if !theirs {
                did_not_finish(canvas, Point::new(centre, panel.down(panel.clamped(0.0)) - 6.0), INK)?;
            }
            continue;
        }
        // What is below 0 hangs from it.
        let (mut up, mut down) = (0.0, 0.0);
        for (number, mark) in parts() {
            let value = mark.estimate.map_or(0.0, |estimate| estimate.value);
            let foot = if value < 0.0 { &mut down } else { &mut up };
            let ends = (panel.down(panel.clamped(*foot)), panel.down(panel.clamped(*foot + value)));
            *foot += value;
            let (top, bottom) = (ends.0.min(ends.1), ends.0.max(ends.1));
            let bar = Rect { left: centre - width / 2.0, right: centre + width / 2.0, top, bottom };
            if theirs {
                canvas.frame(bar, Stroke::solid(series(number).color, 1.0))?;
            } else {
                canvas.fill(bar, series(number).color)?;
                canvas.frame(bar, Stroke::solid(PAPER, 0.6))?;
            }
        }
        if !theirs && parts().any(|(_, mark)| mark.disturbed) {
            disturbed(canvas, Point::new(centre, panel.down(panel.clamped(up))))?;
        }
    }
    Ok(())
}

//! Heat maps: a field for each place across and each series, coloured by its number.

use plotters::style::text_anchor::{HPos, VPos};

use super::{Chart, ChartMark, ChartPanel, DISTURBED, scales};
use crate::draw::Grid;
use crate::draw::palette::{BLANK, GRID, SOFT, heat, readable_on};
use crate::draw::panel::{fit, x_title, y_title};
use crate::draw::scale::extent;
use crate::draw::{Canvas, Page, Point, Rect, Stroke, Type};
use crate::{Drawing, FigureError};

const LABEL: f64 = 8.5;
const BETWEEN: f64 = 1.5;

pub(super) fn draw(chart: &Chart, page: Page) -> Result<Drawing, FigureError> {
    let values = chart.marks().filter_map(|(_, mark)| mark.estimate).map(|estimate| estimate.value);
    let (low, high) = extent(values).ok_or_else(|| FigureError::empty(&chart.name, FigureError::NO_RESULT))?;
    let shade = |value: f64| {
        let place = |value: f64| if chart.y.log && low > 0.0 { libm::log(value) } else { value };
        let (from, to) = (place(low), place(high));
        if to > from { (place(value) - from) / (to - from) } else { 0.5 }
    };
    let grid = Grid::new(chart.panels.len(), 2);
    let headed = chart.panels.iter().any(|panel| panel.heading.is_some());
    let field = (120.0 / chart.series.len().max(1) as f64).clamp(16.0, 34.0);
    let (above, below, gap, foot) = (if headed { 14.0 } else { 4.0 }, 14.0, 12.0, 24.0);
    let height = field * chart.series.len() as f64;
    let body = grid.rows as f64 * (above + height + below) + (grid.rows - 1) as f64 * gap + foot;
    page.draw(body, |canvas, rect| {
        let look = Type::new(LABEL);
        let widest = chart.series.iter().map(|name| canvas.fonts.width(name, LABEL, false)).fold(0.0, f64::max);
        let widest = widest.min(rect.width() / 4.0);
        let inner = Rect { left: rect.left + 13.0 + widest + 5.0, bottom: rect.bottom - foot, ..rect };
        y_title(canvas, (inner.top + above, inner.bottom - below), rect.left, &chart.rows)?;
        x_title(canvas, (inner.left, inner.right), inner.bottom + 9.0, &chart.x.text)?;
        shades(
            canvas,
            Rect { top: inner.bottom + 15.0, bottom: inner.bottom + 22.0, ..inner },
            (low, high),
            &chart.y.text,
        )?;
        for (index, panel) in chart.panels.iter().enumerate() {
            let (column, row) = grid.place(index);
            let cell = inner.cell((column, grid.columns), (row, grid.rows), (16.0, gap));
            let area = Rect { top: cell.top + above, bottom: cell.bottom - below, ..cell };
            if let Some(heading) = &panel.heading {
                let (text, look) = fit(canvas, heading, area.width(), Type::new(9.0).bold());
                canvas.text(Point::new(area.centre().x, area.top - 4.0), &text, look.across(HPos::Center))?;
            }
            let counts = (chart.categories.len(), chart.series.len());
            for (number, name) in chart.series.iter().enumerate().filter(|_| column == 0) {
                let at = area.cell((0, 1), (number, counts.1), (0.0, BETWEEN)).centre();
                let (text, look) = fit(canvas, name, widest, look);
                canvas.text(Point::new(area.left - 5.0, at.y), &text, look.across(HPos::Right).down(VPos::Center))?;
            }
            for (number, name) in chart.categories.iter().enumerate() {
                let at = area.cell((number, counts.0), (0, 1), (BETWEEN, 0.0));
                let (text, look) = fit(canvas, name, at.width(), look);
                let look = look.across(HPos::Center).down(VPos::Top);
                canvas.text(Point::new(at.centre().x, area.bottom + 4.0), &text, look)?;
            }
            for series in 0..counts.1 {
                for place in 0..counts.0 {
                    let rect = area.cell((place, counts.0), (series, counts.1), (BETWEEN, BETWEEN));
                    one(canvas, rect, mark(panel, series, place), &shade)?;
                }
            }
        }
        Ok(())
    })
}

fn mark(panel: &ChartPanel, series: usize, place: usize) -> Option<&ChartMark> {
    let line = panel.lines.iter().find(|line| line.series == series)?;
    line.marks.iter().find(|mark| mark.x == place as f64)
}

fn one(canvas: &Canvas, rect: Rect, mark: Option<&ChartMark>, shade: &dyn Fn(f64) -> f64) -> Result<(), FigureError> {
    let Some(mark) = mark else { return canvas.fill(rect, BLANK) };
    let Some(estimate) = mark.estimate else {
        canvas.fill(rect, BLANK)?;
        return canvas.text(rect.centre(), "DNF", Type::new(6.5).bold().color(SOFT).centred());
    };
    let color = heat(shade(estimate.value));
    canvas.fill(rect, color)?;
    canvas.frame(rect, Stroke::solid(GRID, 0.4))?;
    let star = if mark.disturbed { DISTURBED } else { "" };
    let text = format!("{}{star}", scales::label(estimate.value));
    let look = Type::new(LABEL).fitted(canvas.fonts, &text, rect.width() - 2.0, 4.5);
    canvas.text(rect.centre(), &text, look.color(readable_on(color)).centred())
}

/// The shades with the numbers that they stand for.
fn shades(canvas: &Canvas, rect: Rect, (low, high): (f64, f64), text: &str) -> Result<(), FigureError> {
    const STEPS: usize = 24;
    let bar = Rect { left: rect.centre().x - 60.0, right: rect.centre().x + 60.0, ..rect };
    for step in 0..STEPS {
        canvas.fill(bar.cell((step, STEPS), (0, 1), (0.0, 0.0)), heat(step as f64 / (STEPS - 1) as f64))?;
    }
    canvas.frame(bar, Stroke::solid(GRID, 0.4))?;
    let look = Type::new(7.5).down(VPos::Center);
    let y = bar.centre().y;
    canvas.text(Point::new(bar.left - 4.0, y), &format!("{text}: {}", scales::label(low)), look.across(HPos::Right))?;
    canvas.text(Point::new(bar.right + 4.0, y), &scales::label(high), look.across(HPos::Left))
}

//! The table of a figure: what it shows, as CSV.

use super::panels::Panel;
use super::spec::{Across, FigureSpec};
use crate::axes::AxisSet;
use crate::series::Estimate;
use crate::text;

/// The table of a figure. `across` is the name of what is across.
#[must_use]
pub fn csv(figure: &FigureSpec, axes: &AxisSet, across: &str, panels: &[Panel]) -> String {
    let name = |axis: Option<usize>| axis.and_then(|axis| axes.axes.get(axis)).map(|axis| axis.name.clone());
    let mut head: Vec<String> = [name(figure.panel), name(figure.series)].into_iter().flatten().collect();
    if let Across::Metric { along, .. } = figure.x {
        head.extend(name(Some(along)));
        head.extend([across.to_owned(), format!("{across}_low"), format!("{across}_high")]);
    } else {
        head.push(across.to_owned());
    }
    let own = ["value", "low", "high", "rounds"].map(|name| text::free_name("figure", name, &head));
    head.extend(own);
    let three = |estimate: Option<Estimate>| {
        [estimate.map(|e| e.value), estimate.map(|e| e.low), estimate.map(|e| e.high)].map(text::exact)
    };
    let mut lines = Vec::new();
    for panel in panels {
        for series in &panel.lines {
            for mark in &series.marks {
                let mut line: Vec<String> =
                    [&panel.panel, &series.series].into_iter().flatten().map(ToString::to_string).collect();
                line.push(mark.x.to_string());
                if matches!(figure.x, Across::Metric { .. }) {
                    line.extend(three(mark.across));
                }
                line.extend(three(mark.estimate));
                line.push(mark.estimate.map(|e| e.rounds).unwrap_or(0).to_string());
                lines.push(line);
            }
        }
    }
    text::csv(&head, &lines)
}

//! Attempts over time, as an SVG.

use std::fmt::Write as _;

use minijinja::HtmlEscape;

/// Attempts that one picture shows.
const MOST: usize = 2000;

/// Widest picture, in its own units.
const WIDTH: f64 = 1000.0;

/// Height of a lane, in the same units.
const LANE: f64 = 12.0;

/// An attempt on the time line, in milliseconds since 1970.
pub(super) struct Bar<T> {
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
    pub(super) status: &'static str,
    /// What its title is made of, if it is drawn.
    pub(super) of: T,
}

/// Draws attempts as bars over time, those that overlap in lanes of their own. Titles are escaped.
pub(super) fn gantt<T>(mut bars: Vec<Bar<T>>, title: impl Fn(&T) -> String) -> String {
    bars.sort_by_key(|bar| (bar.start_ms, bar.end_ms));
    let all = bars.len();
    bars.truncate(MOST);
    let (Some(first), Some(last)) = (bars.first().map(|bar| bar.start_ms), bars.iter().map(|bar| bar.end_ms).max())
    else {
        return String::new();
    };
    let scale = WIDTH / (last - first).max(1) as f64;
    let mut free: Vec<i64> = Vec::new();
    let mut rects = String::new();
    for bar in &bars {
        let lane = free.iter().position(|end| *end <= bar.start_ms).unwrap_or(free.len());
        if lane == free.len() {
            free.push(bar.end_ms);
        } else if let Some(end) = free.get_mut(lane) {
            *end = bar.end_ms;
        }
        let (x, width) = ((bar.start_ms - first) as f64 * scale, (bar.end_ms - bar.start_ms) as f64 * scale);
        let _ = write!(
            rects,
            "<rect x=\"{x:.2}\" y=\"{:.0}\" width=\"{:.2}\" height=\"{:.0}\" class=\"state-{}\"><title>{}</title></rect>",
            lane as f64 * LANE,
            width.max(0.5),
            LANE - 2.0,
            bar.status,
            HtmlEscape(&title(&bar.of)),
        );
    }
    let seconds = (last - first) as f64 / 1e3;
    let mut label = format!("{} attempts over {}", bars.len(), super::text::duration(seconds));
    if all > bars.len() {
        let _ = write!(label, ", the first of {all}");
    }
    let height = free.len() as f64 * LANE;
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\" preserveAspectRatio=\"none\" height=\"{}\">{rects}</svg>\
         <p class=\"small\">{}</p>",
        HtmlEscape(&label),
        height.clamp(24.0, 360.0),
        HtmlEscape(&label)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_that_overlap_have_lanes_of_their_own_and_titles_are_text() {
        let bar = |start_ms, end_ms| Bar { start_ms, end_ms, status: "done", of: "<b>\"x\"" };
        let title = |of: &&str| (*of).to_owned();
        let svg = gantt(vec![bar(0, 10), bar(5, 20), bar(10, 30)], title);
        assert_eq!(svg.matches("y=\"0\"").count(), 2, "{svg}");
        assert_eq!(svg.matches("y=\"12\"").count(), 1, "{svg}");
        assert!(svg.contains("&lt;b&gt;") && !svg.contains("<b>"), "{svg}");
        assert_eq!(gantt(Vec::new(), title), "");
    }
}

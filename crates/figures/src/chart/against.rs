//! The authors' numbers in the chart of one's own.

use super::{Chart, ChartPanel, Kind};

impl Chart {
    /// Whether the authors' chart has numbers of the same kind: drawn alike, on axes of the same names and units.
    #[must_use]
    pub fn is_comparable(&self, theirs: &Self) -> bool {
        (self.kind, &self.x.text, &self.y.text, self.categories.is_empty())
            == (theirs.kind, &theirs.x.text, &theirs.y.text, theirs.categories.is_empty())
    }

    /// Draws the authors' numbers into it: in the panels, over the places and in the colours of the same names, hollow and
    /// dotted. A heat map, whose colours are its numbers, gets rows of theirs.
    pub fn put_against(&mut self, theirs: Self) {
        let rows = self.kind == Kind::Heat;
        if rows && self.series.iter().all(String::is_empty) {
            self.series = vec!["these results".to_owned()];
        }
        let name = |name: &String| match (rows, name.is_empty()) {
            (true, true) => "the authors'".to_owned(),
            (true, false) => format!("{name} (the authors')"),
            (false, _) => name.clone(),
        };
        let series: Vec<usize> = theirs.series.iter().map(|of| place(&mut self.series, name(of))).collect();
        let places: Vec<usize> = theirs.categories.iter().map(|of| place(&mut self.categories, of.clone())).collect();
        for ChartPanel { heading, mut lines } in theirs.panels {
            for line in &mut lines {
                line.series = series.get(line.series).copied().unwrap_or(line.series);
                line.theirs = !rows;
                for mark in &mut line.marks {
                    mark.x = places.get(mark.x as usize).map_or(mark.x, |place| *place as f64);
                }
            }
            match self.panels.iter_mut().find(|panel| panel.heading == heading) {
                Some(same) => same.lines.extend(lines),
                None => self.panels.push(ChartPanel { heading, lines }),
            }
        }
    }
}

/// The place of a name among names, to which it is added where it is new.
fn place(names: &mut Vec<String>, name: String) -> usize {
    names.iter().position(|known| *known == name).unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use super::super::{ChartLine, ChartMark, Estimate, Title};
    use super::*;

    fn chart(kind: Kind, series: &[(&str, f64)]) -> Chart {
        let line = |(series, (_, value)): (usize, &(&str, f64))| ChartLine {
            series,
            theirs: false,
            marks: vec![ChartMark {
                x: 0.0,
                across: None,
                estimate: Some(Estimate { value: *value, low: f64::NAN, high: f64::NAN }),
                disturbed: false,
            }],
        };
        Chart {
            name: "speed".to_owned(),
            title: "Speed".to_owned(),
            subtitle: String::new(),
            experiment: "kv".to_owned(),
            notes: Vec::new(),
            kind,
            x: Title { text: "threads".to_owned(), log: false },
            y: Title { text: "speed".to_owned(), log: false },
            rows: "engine".to_owned(),
            categories: vec!["1".to_owned()],
            series: series.iter().map(|(name, _)| (*name).to_owned()).collect(),
            panels: vec![ChartPanel { heading: None, lines: series.iter().enumerate().map(line).collect() }],
        }
    }

    #[test]
    fn the_authors_numbers_have_the_colours_of_the_same_series_and_add_to_nothing() {
        for kind in [Kind::Lines, Kind::Bars, Kind::Stacked, Kind::Steps] {
            let mut ours = chart(kind, &[("slow", 1.0), ("fast", 2.0)]);
            let alone = ours.draw().unwrap().svg;
            ours.put_against(chart(kind, &[("fast", 3.0), ("other", 4.0), ("slow", 5.0)]));
            assert_eq!(ours.series, ["slow", "fast", "other"]);
            let lines: Vec<_> = ours.panels[0].lines.iter().map(|line| (line.series, line.theirs)).collect();
            assert_eq!(lines, [(0, false), (1, false), (1, true), (2, true), (0, true)]);
            let drawn = ours.draw().unwrap().svg;
            assert!(drawn.contains("The authors': fast, ") && !alone.contains("The authors'"), "{kind:?}");
        }
        // Their stack stands beside one's own, which stays as high as its own numbers: 3, and not 3 + 12.
        let mut ours = chart(Kind::Stacked, &[("slow", 1.0), ("fast", 2.0)]);
        ours.put_against(chart(Kind::Stacked, &[("slow", 4.0), ("fast", 8.0)]));
        let axes = super::super::scales::Axes::of(&ours).unwrap();
        let crate::draw::Scale::Linear { high, .. } = axes.y else { panic!("a linear axis") };
        assert!(high > 12.0 && high < 13.0, "{high}");
    }

    #[test]
    fn one_round_has_an_axis_of_its_values_and_no_band_in_the_legend() {
        let mut one = chart(Kind::Lines, &[("slow", 1.5)]);
        let mark = |x: f64, value: f64, half: f64| ChartMark {
            x,
            across: None,
            estimate: Some(Estimate { value, low: value - half, high: value + half }),
            disturbed: false,
        };
        one.panels[0].lines[0].marks = vec![mark(0.0, 1.5, f64::INFINITY), mark(1.0, 2.5, f64::INFINITY)];
        let crate::draw::Scale::Linear { low, high } = super::super::scales::Axes::of(&one).unwrap().y else {
            panic!("a linear axis")
        };
        assert!(low == 0.0 && high > 2.5 && high < 3.0, "{low} to {high}");
        assert!(!one.has_band(0));
        // A band has two ends: one bounded point has an interval, but no band.
        one.panels[0].lines[0].marks[1] = mark(1.0, 2.5, 0.5);
        assert!(!one.has_band(0));
        one.panels[0].lines[0].marks[0] = mark(0.0, 1.5, 0.5);
        assert!(one.has_band(0) && !one.has_band(1));
    }

    /// A mark with a number whose interval reaches a tenth of it to both sides.
    fn mark_of(x: f64, value: f64) -> ChartMark {
        let half = value.abs() / 10.0;
        let estimate = Some(Estimate { value, low: value - half, high: value + half });
        ChartMark { x, across: None, estimate, disturbed: false }
    }

    #[test]
    fn what_has_no_place_on_a_logarithmic_axis_is_left_out_of_it_and_counted() {
        let drawn = |log: bool, values: [f64; 4]| {
            let mut line = chart(Kind::Lines, &[("slow", 1.0)]);
            line.categories.clear();
            line.y.log = log;
            line.panels[0].lines[0].marks = (0..).map(f64::from).zip(values).map(|(x, y)| mark_of(x, y)).collect();
            (line.has_band(0), line.draw().map(|drawing| drawing.svg))
        };
        let note = "1 at 0 or below, without a place on a logarithmic axis";
        let (has_band, svg) = drawn(true, [1.0, 0.0, 4.0, 8.0]);
        let svg = svg.unwrap();
        assert!(has_band && svg.contains(note));
        let (_, all) = drawn(true, [1.0, 2.0, 4.0, 8.0]);
        let (all, (_, linear)) = (all.unwrap(), drawn(false, [1.0, 0.0, 4.0, 8.0]));
        assert!(!all.contains("without a place") && !linear.unwrap().contains("without a place"));
        // A mark, its interval and the two ends of a line that lead to it are not drawn.
        let elements = |svg: &str| svg.matches("<path").count() + svg.matches("<poly").count();
        assert!(elements(&svg) < elements(&all), "{} and {}", elements(&svg), elements(&all));
        // What is above and below a gap is no band.
        assert!(!drawn(true, [1.0, 0.0, 4.0, -1.0]).0);
        let (_, none) = drawn(true, [0.0, -1.0, 0.0, -2.0]);
        let why = "nothing to draw for `speed`: none of its numbers is above 0, as a logarithmic axis needs";
        assert_eq!(none.unwrap_err().to_string(), why);

        let mut bars = chart(Kind::Bars, &[("slow", 0.0), ("fast", 2.0)]);
        bars.y.log = true;
        assert!(bars.draw().unwrap().svg.contains(note));
        let mut heat = chart(Kind::Heat, &[("slow", 0.0), ("fast", 2.0)]);
        heat.y.log = true;
        assert!(heat.draw().unwrap().svg.contains("colours are not logarithmic: a number is not above 0"));
    }

    #[test]
    fn an_axis_across_that_is_not_logarithmic_as_it_should_be_is_said() {
        let drawn = |first: f64| {
            let mut line = chart(Kind::Lines, &[("slow", 1.0)]);
            line.categories.clear();
            line.x.log = true;
            line.panels[0].lines[0].marks = vec![mark_of(first, 1.0), mark_of(10.0, 2.0)];
            line.draw().unwrap().svg
        };
        let note = "the axis across is not logarithmic: not everything on it is above 0";
        assert!(drawn(0.0).contains(note) && !drawn(1.0).contains("the axis across"));
    }

    #[test]
    fn a_heat_map_gets_rows_of_the_authors_and_other_units_are_no_comparison() {
        let mut ours = chart(Kind::Heat, &[("slow", 1.0)]);
        ours.put_against(chart(Kind::Heat, &[("slow", 3.0)]));
        assert_eq!(ours.series, ["slow", "slow (the authors')"]);
        assert!(ours.panels[0].lines.iter().all(|line| !line.theirs));
        let mut other = chart(Kind::Heat, &[("slow", 1.0)]);
        assert!(ours.is_comparable(&other));
        other.y.text = "speed (B)".to_owned();
        assert!(!ours.is_comparable(&other));
    }
}

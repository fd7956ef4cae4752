//! Tables in LaTeX: a row for each place across, a column for each series.

use matrix_core::FigureSpec;
use matrix_core::figure::{Mark, Panel};
use matrix_core::judge::number;

use crate::declared::{About, words};

/// The table of a figure with these numbers: a `tabular`, which needs no package. What it shows, and where its numbers come
/// from, stands in comments above it.
#[must_use]
pub(crate) fn latex(figure: &FigureSpec, about: &About<'_>, panels: &[Panel]) -> String {
    let series = about.series(figure, panels);
    let columns = series.len().max(1);
    let mut text = String::new();
    let mut line = |words: String| {
        text.push_str(&words);
        text.push('\n');
    };
    let comment = |words: &str| format!("% {}", words.replace(['\n', '\r'], " "));
    line(comment(&format!("{} of experiment {}", about.measured(figure), about.experiment)));
    line(comment(&about.subtitle(figure)));
    about.notes.iter().for_each(|note| line(comment(note)));
    line(format!("\\begin{{tabular}}{{l{}}}", "r".repeat(columns)));
    line("\\hline".to_owned());
    let across = escaped(&words(&about.across(figure)));
    let heads: Vec<String> = match series.is_empty() {
        true => vec![escaped(&about.measured(figure))],
        false => series.iter().map(|value| escaped(&about.named(figure.series, value))).collect(),
    };
    line(format!("{across} & {} \\\\", heads.join(" & ")));
    line("\\hline".to_owned());
    for panel in panels {
        if let Some(value) = &panel.panel {
            let heading = escaped(&about.named(figure.panel, value));
            line(format!("\\multicolumn{{{}}}{{l}}{{{heading}}} \\\\", columns + 1));
        }
        for place in about.places(figure, panels) {
            let mark = |series: Option<&&matrix_core::Value>| {
                let line = panel.lines.iter().find(|line| line.series.as_ref() == series.copied())?;
                line.marks.iter().find(|mark| mark.x == *place)
            };
            let marks: Vec<Option<&Mark>> = match series.is_empty() {
                true => vec![mark(None)],
                false => series.iter().map(|value| mark(Some(value))).collect(),
            };
            if marks.iter().all(Option::is_none) {
                continue;
            }
            let fields: Vec<String> = marks.into_iter().map(field).collect();
            line(format!("{} & {} \\\\", escaped(&about.place_name(figure, place)), fields.join(" & ")));
        }
    }
    line("\\hline".to_owned());
    line("\\end{tabular}".to_owned());
    text
}

fn field(mark: Option<&Mark>) -> String {
    let Some(mark) = mark else { return "--".to_owned() };
    let Some(estimate) = mark.estimate else { return "DNF".to_owned() };
    let star = if mark.disturbed { "$^{*}$" } else { "" };
    if !estimate.is_bounded() {
        return format!("${}${star}", number(estimate.value));
    }
    format!("${}$ [${}$, ${}$]{star}", number(estimate.value), number(estimate.low), number(estimate.high))
}

/// Words as LaTeX prints them.
fn escaped(words: &str) -> String {
    let mut text = String::with_capacity(words.len());
    for letter in words.chars() {
        match letter {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => text.extend(['\\', letter]),
            '~' => text.push_str("\\textasciitilde{}"),
            '^' => text.push_str("\\textasciicircum{}"),
            '\\' => text.push_str("\\textbackslash{}"),
            '<' => text.push_str("\\textless{}"),
            '>' => text.push_str("\\textgreater{}"),
            letter if letter.is_control() => text.push(' '),
            letter => text.push(letter),
        }
    }
    text
}

//! What figures say besides their numbers.

use matrix_command::Cell;
use matrix_command::results::{self, Loaded};
use matrix_core::FigureSpec;
use matrix_figures::{About, Chart, Picture, picture};

use super::fixture::{EXPERIMENT, faster, store};
use crate::chosen::{Chosen, Texts, newest};
use crate::figures::about;

/// The only figure of an experiment, of which these cells are done.
fn only_figure<T>(
    text: &str,
    latency: impl Fn(&Cell) -> Option<i64>,
    of: impl Fn(&FigureSpec, &About<'_>, &Loaded<'_>) -> T,
) -> T {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder.path().join("store"), text, None, latency);
    let chosen = Chosen::of_runs(&store, &newest(&store, &Texts::new()).unwrap()).unwrap();
    let loaded = results::load(&store, &chosen[0].experiment, &chosen[0].cells, None).unwrap();
    let figure = &chosen[0].experiment.figures[0];
    of(figure, &about(&loaded, figure), &loaded)
}

/// A table in LaTeX.
fn table(text: &str, latency: impl Fn(&Cell) -> Option<i64>) -> String {
    only_figure(text, latency, |figure, about, loaded| match picture(figure, about, loaded).1.unwrap() {
        Picture::Latex(text) => text,
        Picture::Drawing(_) => panic!("a drawing"),
    })
}

#[test]
fn a_figure_names_its_rows_its_points_and_what_was_not_run() {
    let text = EXPERIMENT
        .replace("better = \"lower\"", "where = \"latency_us > 0\"")
        .replace("kind = \"line\"", "kind = \"table\"\nwhere = { threads = [1, 2] }");
    let all = table(&text, faster(4));
    assert!(
        all.contains("% mean latency = mean(latency_us) where latency_us > 0, with 95 % intervals over 3 rounds\n")
    );
    assert!(all.contains("\n% only (threads = 1 or threads = 2)\n") && !all.contains("not run"), "{all}");
    // The slow engine with two threads has one round, and the fast one none.
    let some = table(&text, |cell| {
        let place = (cell.point[0].to_string(), cell.point[1].to_string(), cell.round);
        match (place.0.as_str(), place.1.as_str(), place.2) {
            ("fast", "2", _) => None,
            ("slow", "2", round) if round > 1 => None,
            _ => faster(4)(cell),
        }
    });
    assert!(some.contains("with 95 % intervals over 1 to 3 rounds\n"), "{some}");
    assert!(some.contains("\n% 5 cells not run\n"), "{some}");
}

#[test]
fn a_column_whose_name_ends_with_its_unit_has_it_once() {
    let ecdf = EXPERIMENT
        .replace("kind = \"line\"\nx = \"threads\"\ny = \"mean_latency\"", "kind = \"ecdf\"\nx = \"latency_us\"");
    let ecdf = ecdf.replace("series = \"engine\"", "series = \"engine\"\nwhere = { threads = 1 }");
    let across = only_figure(&ecdf, faster(4), |figure, about, loaded| {
        Chart::declared(figure, about, &figure.panels(loaded)).x.text
    });
    assert_eq!(across, "latency (us)");
}

#[test]
fn a_figure_without_a_ratio_says_why_it_has_none() {
    let text = EXPERIMENT.replace("series = \"engine\"", "ratio_to = { engine = \"slow\" }");
    let why = |latency: &dyn Fn(&Cell) -> Option<i64>| {
        only_figure(&text, latency, |figure, about, loaded| {
            ["line", "table"].map(|kind| {
                let mut figure = figure.clone();
                if kind == "table" {
                    figure.kind = matrix_core::figure::FigureKind::Table;
                }
                picture(&figure, about, loaded).1.unwrap_err().to_string()
            })
        })
    };
    let said = |why: &str| [(); 2].map(|()| format!("nothing to draw for `scaling`: {why}"));
    assert_eq!(why(&|_| Some(0)), said("a number is 0 or less, which has no ratio"));
    assert_eq!(why(&|_| None), said("none of its cells has a result"));
}

//! Figures: what is read, what is refused, and their numbers against plain loops.

use std::collections::BTreeMap;

use crate::problem::Problem;
use proptest::prelude::*;
use toml::de::DeTable;

use super::*;
use crate::axes::{Axis, AxisSet, Point};
use crate::claims::{Known, KnownMetric};
use crate::filter::Field;
use crate::read::{Reading, Table};
use crate::relation::{Context, Group};
use crate::series::{Estimate, Measured, Number, Range, Series, by_point, mean};
use crate::value::{Kind, Value};

fn axes() -> AxisSet {
    let texts = |values: &[&str]| values.iter().map(|value| Value::Text((*value).to_owned())).collect();
    AxisSet {
        axes: vec![
            Axis::plain("engine", Kind::Text, texts(&["slow", "fast"])),
            Axis::plain("clients", Kind::Whole, [8, 2, 4].map(Value::Whole).to_vec()),
        ],
    }
}

fn points() -> Vec<Point> {
    let axes = axes();
    let engines = axes.axes[0].values.iter();
    engines
        .flat_map(|engine| axes.axes[1].values.iter().map(move |clients| vec![engine.clone(), clients.clone()]))
        .collect()
}

fn read(text: &str) -> (Vec<FigureSpec>, Vec<Problem>) {
    let text = format!("[[figure]]\n{text}");
    let (document, _) = DeTable::parse_recoverable(&text);
    let mut problems = Vec::new();
    let root = Table::of(document.get_ref(), 0..0, "the experiment", &["figure"], &mut problems);
    let metric = |name: &str| KnownMetric { name: name.to_owned(), higher_is_better: None, source: 0 };
    let columns = [("t", Kind::Whole), ("phase", Kind::Text)].map(|(name, kind)| Field { name: name.to_owned(), kind });
    let known = Known {
        source: &text,
        axes: &axes(),
        metrics: &[metric("latency"), metric("throughput")],
        sources: &[("rows".to_owned(), columns.to_vec()), ("log".to_owned(), Vec::new())],
        points: &points(),
        reading: Reading::Given,
    };
    let figures = parse(&root, &known, &mut problems);
    (figures, problems)
}

fn figure(text: &str) -> FigureSpec {
    let (mut figures, problems) = read(text);
    assert!(problems.is_empty(), "{problems:?}");
    figures.pop().unwrap()
}

#[test]
fn what_is_across_follows_from_its_name() {
    let x = |text: &str| figure(&format!("name = \"f\"\nseries = \"engine\"\n{text}")).x;
    assert_eq!(x("kind = \"line\"\nx = \"clients\"\ny = \"latency\""), Across::Axis(1));
    let where_ = "where = \"clients = 2\"";
    let column = |column| Across::Column { source: 0, column };
    assert_eq!(x(&format!("kind = \"bars\"\nx = \"phase\"\ny = \"latency\"\n{where_}")), column(1));
    assert_eq!(x(&format!("kind = \"ecdf\"\nx = \"t\"\nfrom = \"rows\"\n{where_}")), column(0));
    let along = "kind = \"line\"\nx = \"throughput\"\ny = \"latency\"\nalong = \"clients\"";
    assert_eq!(x(along), Across::Metric { metric: 1, along: 1 });
}

#[test]
fn what_a_figure_cannot_show_is_told() {
    let told = |text: &str| {
        let (_, problems) = read(&format!("name = \"f\"\n{text}"));
        let shown = |problem: &Problem| format!("{}: {}", problem.message, problem.label.clone().unwrap_or_default());
        problems.iter().map(shown).collect::<Vec<_>>().join("; ")
    };
    let lines = [
        "kind = \"pie\"\nx = \"clients\"\ny = \"latency\"",
        "kind = \"line\"\nx = \"cleints\"\ny = \"latency\"\nseries = \"engine\"",
        "kind = \"line\"\nx = \"throughput\"\ny = \"latency\"\nseries = \"engine\"",
        "kind = \"bars\"\nx = \"throughput\"\ny = \"latency\"\nalong = \"clients\"",
        "kind = \"line\"\nx = \"clients\"\ny = \"latency\"\nseries = \"engine\"\nalong = \"clients\"",
        "kind = \"bars\"\nstack = true\nx = \"clients\"\ny = \"latency\"\nwhere = \"engine = fast\"",
        "kind = \"line\"\nstack = true\nx = \"clients\"\ny = \"latency\"\nseries = \"engine\"",
        "kind = \"heat\"\nx = \"clients\"\ny = \"latency\"\nwhere = \"engine = fast\"",
        "kind = \"ecdf\"\nx = \"t\"\ny = \"latency\"",
        "kind = \"ecdf\"\nx = \"t\"\nseries = \"engine\"",
        "kind = \"ecdf\"\nx = \"phase\"\nfrom = \"rows\"",
        "kind = \"ecdf\"\nx = \"t\"\nfrom = \"rows\"\nseries = \"engine\"\nratio_to = { engine = \"slow\" }",
        "kind = \"ecdf\"\nx = \"t\"\nfrom = \"rows\"\nseries = \"engine\"",
        "kind = \"line\"\nx = \"phase\"\ny = \"latency\"\nfrom = \"log\"\nseries = \"engine\"",
        "kind = \"line\"\nx = \"clients\"\ny = \"latency\"\nwhere = \"clients = 16\"",
    ];
    insta::assert_snapshot!(lines.map(told).join("\n"));
}

#[test]
fn an_axis_that_can_never_be_logarithmic_is_a_mistake_in_a_file() {
    let told = |text: &str| {
        let (figures, problems) = read(&format!("name = \"f\"\ny = \"latency\"\n{text}"));
        assert_eq!(figures.len(), 1);
        problems.into_iter().map(|problem| problem.label.unwrap_or_default()).collect::<Vec<_>>()
    };
    let words = "series = \"clients\"\nx = \"engine\"";
    let numbers = "series = \"engine\"\nx = \"clients\"";
    let place = ["bars and fields stand side by side"];
    assert_eq!(told(&format!("kind = \"line\"\n{words}\nlog = [\"x\", \"y\"]")), ["has words, not numbers"]);
    assert_eq!(told(&format!("kind = \"line\"\n{numbers}\nlog = [\"x\", \"y\"]")), [""; 0]);
    for kind in ["bars", "heat"] {
        assert_eq!(told(&format!("kind = \"{kind}\"\n{numbers}\nlog = [\"x\", \"y\"]")), place);
    }
    assert_eq!(told(&format!("kind = \"table\"\n{numbers}\nlog = [\"x\", \"y\"]")), ["a table has no axes"; 2]);
}

/// Numbers of a small experiment, some of which are missing.
struct Fake {
    axes: AxisSet,
    /// By metric: point, round and number.
    cells: Vec<Vec<Measured>>,
    disturbed: Vec<Point>,
}

impl Numbers for Fake {
    fn context(&self, _: Option<usize>) -> Context<'_> {
        Context { axes: &self.axes, paired: None, higher_is_better: None, range: Range::Any, alpha: 0.05 }
    }

    fn series(&self, metric: usize) -> Vec<Series> {
        by_point(&self.cells[metric])
    }

    fn series_by(&self, metric: usize, _: usize, _: usize) -> (Axis, Vec<Series>) {
        // The column is the number of clients again.
        let axis = Axis { name: "phase".to_owned(), ..self.axes.axes[1].clone() };
        let longer = |measured: &Measured| {
            let mut measured = measured.clone();
            measured.point.push(measured.point[1].clone());
            measured
        };
        (axis, by_point(&self.cells[metric].iter().map(longer).collect::<Vec<_>>()))
    }

    fn distributions(
        &self,
        _: usize,
        _: usize,
        most: usize,
        group: &dyn Fn(&Point) -> Option<Group>,
    ) -> BTreeMap<Group, (Vec<(f64, f64)>, usize)> {
        let groups = points().iter().filter_map(group).collect::<std::collections::BTreeSet<_>>();
        groups.into_iter().map(|group| (group, (vec![(1.0, 0.5), (2.0, 1.0)], most.min(3)))).collect()
    }

    fn disturbed(&self) -> Vec<&Point> {
        self.disturbed.iter().collect()
    }
}

fn fake(numbers: &[Option<f64>], disturbed: usize) -> Fake {
    let mut cells = vec![Vec::new(), Vec::new()];
    let mut numbers = numbers.iter().copied();
    for metric in &mut cells {
        for point in points() {
            for round in 1..=3 {
                metric.push(Measured {
                    point: point.clone(),
                    round,
                    value: numbers.next().flatten().map(Number::from),
                });
            }
        }
    }
    Fake { axes: axes(), cells, disturbed: points().into_iter().skip(disturbed).take(1).collect() }
}

impl Fake {
    fn mean(&self, metric: usize, point: &Point) -> Option<Estimate> {
        let values: Vec<f64> = self.cells[metric]
            .iter()
            .filter(|cell| cell.point == *point)
            .filter_map(|cell| Some(cell.value?.value))
            .collect();
        mean(&values, 0.05)
    }
}

proptest! {
    #[test]
    fn marks_are_the_numbers_of_their_points(
        numbers in prop::collection::vec(prop::option::weighted(0.7, 0.5f64..9.0), 36), disturbed in 0usize..7,
    ) {
        let fake = fake(&numbers, disturbed);
        let line = figure("name = \"f\"\nkind = \"line\"\nx = \"clients\"\ny = \"latency\"\nseries = \"engine\"");
        let along = figure("name = \"f\"\nkind = \"line\"\nx = \"throughput\"\ny = \"latency\"\nalong = \"clients\"\nseries = \"engine\"");
        let column = figure("name = \"f\"\nkind = \"bars\"\nx = \"phase\"\ny = \"latency\"\npanel = \"clients\"\nseries = \"engine\"");
        let heat = figure("name = \"f\"\nkind = \"heat\"\nx = \"clients\"\ny = \"latency\"\nseries = \"engine\"");
        prop_assert_eq!(heat.panels(&fake), line.panels(&fake));
        let panels = line.panels(&fake);
        prop_assert_eq!(panels.len(), 1);
        for (found, engine) in panels[0].lines.iter().zip(["slow", "fast"]) {
            prop_assert_eq!(&found.series, &Some(Value::Text(engine.to_owned())));
            // The order of the file, not of the numbers.
            prop_assert_eq!(found.marks.iter().map(|mark| mark.x.clone()).collect::<Vec<_>>(), [8, 2, 4].map(Value::Whole));
            for mark in &found.marks {
                let point = vec![Value::Text(engine.to_owned()), mark.x.clone()];
                prop_assert_eq!(mark.estimate, fake.mean(0, &point));
                prop_assert_eq!(mark.disturbed, fake.disturbed.contains(&point));
            }
        }
        for line in &along.panels(&fake)[0].lines {
            for mark in &line.marks {
                let point = vec![line.series.clone().unwrap(), mark.x.clone()];
                prop_assert_eq!(mark.across, fake.mean(1, &point));
                prop_assert_eq!(mark.estimate, fake.mean(0, &point).filter(|_| mark.across.is_some()));
            }
        }
        let panels = column.panels(&fake);
        prop_assert_eq!(panels.len(), 3);
        for panel in &panels {
            for line in &panel.lines {
                for mark in &line.marks {
                    prop_assert_eq!(Some(&mark.x), panel.panel.as_ref());
                    let point = vec![line.series.clone().unwrap(), mark.x.clone()];
                    prop_assert_eq!(mark.estimate, fake.mean(0, &point));
                }
            }
        }
    }
}

#[test]
fn tables_hold_what_figures_show() {
    let numbers: Vec<Option<f64>> = (0..36).map(|n| (n % 5 > 0).then_some(f64::from(n))).collect();
    let fake = fake(&numbers, 6);
    let shown = |text: &str, across: &str| {
        let figure = figure(&format!("name = \"f\"\nseries = \"engine\"\n{text}"));
        csv(&figure, &axes(), across, &figure.panels(&fake))
    };
    insta::assert_snapshot!(shown(
        "kind = \"line\"\nx = \"throughput\"\ny = \"latency\"\nalong = \"clients\"",
        "throughput"
    ));
    let ecdf = "kind = \"ecdf\"\nx = \"t\"\nfrom = \"rows\"\npanel = \"clients\"";
    insta::assert_snapshot!(shown(ecdf, "t"));
    // A column that is called as one of ours.
    assert!(shown(ecdf, "value").starts_with("clients,engine,value,figure_value,low,high,rounds\n"));
}

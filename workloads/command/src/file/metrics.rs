//! `[[metric]]`: one number for a cell.

use matrix_core::Problem;
use matrix_core::axes::AxisSet;
use matrix_core::metric::{self, Function, Term};
use matrix_core::read::{self, Table};
use matrix_core::{Filter, Metric};

use super::service::Service;
use super::sources::Source;

pub(super) const KEYS: &[&str] = &["name", "is", "where", "from", "better", "unit"];

/// What a run itself costs, with its unit.
pub const RUN: [(&str, &str); 5] =
    [("wall_s", "s"), ("user_s", "s"), ("system_s", "s"), ("max_rss_bytes", "B"), ("exit", "1")];

/// Reads every `[[metric]]`.
pub(super) fn metrics(
    root: &Table<'_>,
    text: &str,
    axes: &AxisSet,
    sources: &[Source],
    services: &[Service],
    problems: &mut Vec<Problem>,
) -> Vec<Metric> {
    let mut run: Vec<String> = RUN.iter().map(|(name, _)| format!("run.{name}")).collect();
    for service in services {
        // What a process costs on another host, this one does not know.
        let known = RUN.iter().filter(|(name, _)| service.on.is_none() || ["wall_s", "exit"].contains(name));
        run.extend(known.map(|(name, _)| format!("service.{}.{name}", service.name)));
    }
    let mut metrics: Vec<Metric> = Vec::new();
    for table in read::tables(root, "metric", "[[metric]]", KEYS, problems) {
        let Some(metric) = one(&table, text, sources, &run, problems) else { continue };
        if metrics.iter().any(|other| other.name == metric.name) || axes.position(&metric.name).is_some() {
            let problem = Problem::new(format!("`{}` is taken", metric.name)).at(table.span());
            problems.push(problem.label("by an earlier metric or an axis"));
        }
        metrics.push(metric);
    }
    metrics
}

fn one(
    table: &Table<'_>,
    text: &str,
    sources: &[Source],
    run: &[String],
    problems: &mut Vec<Problem>,
) -> Option<Metric> {
    let name = table.require("name", "name = \"p99\"", problems).and_then(|value| {
        let name = read::text(value, "a metric's name", problems)?;
        if !read::is_identifier(name) {
            let problem = Problem::new(format!("`{name}` is no name of a metric")).at(value.span());
            problems.push(problem.label("a small letter, then small letters, digits and `_`"));
            return None;
        }
        Some(name.to_owned())
    });
    let source = match table.get("from") {
        None if sources.len() > 1 && !is_of_no_rows(table, run) => {
            let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
            let problem = Problem::new("a metric lacks `from`").at(table.span()).label("of which source?");
            problems.push(problem.help(format!("sources: {}", names.join(", "))));
            None
        }
        None => Some(0),
        Some(value) => {
            let wanted = read::text(value, "`from`", problems)?;
            let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
            read::position(wanted, value.span(), "source", &names, problems)
        }
    };
    let higher_is_better = match table.get("better") {
        None => None,
        Some(value) => {
            let word = read::text(value, "`better`", problems)?;
            read::position(word, value.span(), "direction", &["higher", "lower"], problems).map(|word| word == 0)
        }
    };
    let fields = sources.get(source?)?.fields();
    let is = table.require("is", "is = \"p99(latency_us)\"", problems)?;
    let written = read::text(is, "`is`", problems)?;
    let expression = metric::expression(written, &fields, run);
    let expression = read::noted(expression, written, text, &is.span(), problems);
    let filter = table.get("where").map(|value| {
        let filter = read::text(value, "`where`", problems)?;
        read::noted(Filter::parse(filter, &fields), filter, text, &value.span(), problems)
    });
    let unit = table.get("unit").map(|value| read::words(value, "`unit`", problems));
    let (numerator, denominator) = expression?;
    let unit = match unit {
        Some(unit) => unit,
        None => unit_of(&numerator, denominator.as_ref(), sources.get(source?)?),
    };
    Some(Metric {
        name: name?,
        text: written.to_owned(),
        numerator,
        denominator,
        source: source?,
        filter: filter.map_or(Some(None), |filter| filter.map(Some))?,
        higher_is_better,
        unit,
    })
}

/// Whether a metric is of what the run cost alone, so that no source matters to it.
fn is_of_no_rows(table: &Table<'_>, run: &[String]) -> bool {
    let written = table.get("is").and_then(|is| is.get_ref().as_str()).filter(|_| table.get("where").is_none());
    let terms = written.and_then(|written| metric::expression(written, &[], run).ok());
    let of_rows = |term: &Term| matches!(term, Term::Aggregate(..));
    terms.is_some_and(|(above, below)| !of_rows(&above) && !below.as_ref().is_some_and(of_rows))
}

/// The unit that follows from the columns.
fn unit_of(numerator: &Term, denominator: Option<&Term>, source: &Source) -> Option<String> {
    let of = |term: &Term| match term {
        Term::Aggregate(Function::Count | Function::Share, _) | Term::Number(_) => Some("1".to_owned()),
        Term::Aggregate(_, column) => Some(source.columns.get((*column)?)?.unit.clone()),
        Term::Run(name) => {
            let name = name.rsplit('.').next()?;
            Some(RUN.iter().find(|(known, _)| *known == name)?.1.to_owned())
        }
    };
    match denominator {
        None => of(numerator),
        Some(denominator) => match (of(numerator)?, of(denominator)?) {
            (one, other) if other == "1" => Some(one),
            (one, other) if one == other => Some("1".to_owned()),
            (one, other) if one == "1" => Some(format!("1/{other}")),
            (one, other) => Some(format!("{one}/{other}")),
        },
    }
}

#[cfg(test)]
mod tests {
    use crate::file::Experiment;

    #[test]
    fn a_metric_of_what_the_run_cost_needs_no_source_and_every_other_one_does() {
        let problems = |metric: &str| {
            let text = format!(
                "schema = 2\nname = \"t\"\nworkload = \"command\"\n[axes]\na = [1]\n[command]\nrun = [\"x\"]\n\
                 rows = {{ ops = \"csv:stdout\", all = \"kv:stderr\" }}\n[columns.ops]\nt = {{ unit = \"us\", type = \"integer\" }}\n\
                 [columns.all]\nn = {{ unit = \"1\", type = \"integer\" }}\n[[metric]]\nname = \"m\"\n{metric}\n"
            );
            match Experiment::parse(&text) {
                Ok(_) => String::new(),
                Err(problems) => problems.to_string(),
            }
        };
        for metric in ["is = \"run.user_s\"", "is = \"run.user_s / run.wall_s\"", "from = \"ops\"\nis = \"mean(t)\""] {
            assert_eq!(problems(metric), "", "{metric}");
        }
        for metric in [
            "is = \"count()\"",
            "is = \"mean(t) / run.wall_s\"",
            "is = \"run.wall_s / sum(n)\"",
            "is = \"run.wall_s\"\nwhere = \"t > 0\"",
        ] {
            assert_eq!(problems(metric), "a metric lacks `from`", "{metric}");
        }
    }
}

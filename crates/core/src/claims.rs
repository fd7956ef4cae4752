//! Claims: statements about results that a machine can check.

mod unused;

use std::ops::Range;

use crate::Problem;
use toml::de::DeValue;

use crate::axes::AxisSet;
use crate::expand::{self, Pattern, pattern};
use crate::filter::{Field, Filter};
use crate::read::{self, Reading, Table};
use crate::relation::Relation;
use crate::value::{Kind, Value};

/// Which points are meant.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Selection {
    /// All of them.
    #[default]
    All,
    /// Those with these values.
    Pattern(Pattern),
    /// Those that match.
    Filter(Filter),
}

impl Selection {
    /// Whether a point is meant.
    #[must_use]
    pub fn matches(&self, point: &[Value]) -> bool {
        match self {
            Self::All => true,
            Self::Pattern(pattern) => expand::matches(pattern, point),
            Self::Filter(filter) => filter.matches(&|axis| point.get(axis)),
        }
    }

    /// The points as a filter says them; none if all are meant.
    #[must_use]
    pub fn words(&self, axes: &AxisSet) -> Option<String> {
        match self {
            Self::All => None,
            Self::Filter(filter) => Some(filter.as_str().to_owned()),
            Self::Pattern(pattern) => {
                let parts = axes.axes.iter().zip(pattern).filter_map(|(axis, values)| {
                    let values = values.as_ref()?.iter().map(|value| format!("{} = {value}", axis.name));
                    let values = values.collect::<Vec<_>>();
                    Some(if values.len() == 1 { values.join("") } else { format!("({})", values.join(" or ")) })
                });
                Some(parts.collect::<Vec<_>>().join(" and ")).filter(|words| !words.is_empty())
            }
        }
    }

    /// Reads `where`: a table of values, or a filter over axes.
    pub fn parse(value: &read::Value<'_>, source: &str, axes: &AxisSet, problems: &mut Vec<Problem>) -> Option<Self> {
        let DeValue::String(text) = value.get_ref() else {
            return pattern(value, "where", axes, problems).map(Self::Pattern);
        };
        let filter = Filter::parse(text, &fields(axes));
        read::noted(filter, text, source, &value.span(), problems).map(Self::Filter)
    }
}

/// Axes as fields of filters, by position.
#[must_use]
pub fn fields(axes: &AxisSet) -> Vec<Field> {
    axes.axes.iter().map(|axis| Field { name: axis.name.clone(), kind: axis.kind }).collect()
}

/// What a number must keep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
    /// Between these.
    Within(f64, f64),
}

/// What a claim states.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// A metric keeps a bound.
    Bound {
        /// The metric, by position.
        metric: usize,
        /// The bound.
        bound: Bound,
    },
    /// A boolean column is true in every row.
    EveryRow {
        /// The source, by position.
        source: usize,
        /// The column, by position.
        column: usize,
    },
    /// The selected value of an axis is better than every other one.
    BestOver {
        /// The metric, by position.
        metric: usize,
        /// The axis, by position.
        axis: usize,
    },
    /// A metric rises or falls along an axis.
    Trend {
        /// The metric, by position.
        metric: usize,
        /// Whether it rises.
        rises: bool,
        /// The axis, by position.
        along: usize,
    },
    /// Nothing here covers it.
    Uncovered(String),
}

/// A claim. Where it stands says nothing of what it states: two are equal without it.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Its name.
    pub id: String,
    /// Where the paper makes it.
    pub paper: Option<String>,
    /// What it says, in words.
    pub says: String,
    /// The points that it is about.
    pub selection: Selection,
    /// What it states.
    pub statement: Statement,
    /// What is done with numbers first.
    pub relation: Relation,
    /// Whether one measurement is enough: verdicts are then met or unmet.
    pub point: bool,
    /// What is judged instead of the bound where the results are of another processor than the authors'.
    pub elsewhere: Option<Bound>,
    /// Where it stands.
    pub place: Range<usize>,
}

impl PartialEq for Claim {
    fn eq(&self, other: &Self) -> bool {
        let Self { id, paper, says, selection, statement, relation, point, elsewhere, place: _ } = self;
        (id, paper, says, point, elsewhere) == (&other.id, &other.paper, &other.says, &other.point, &other.elsewhere)
            && (selection, statement, relation) == (&other.selection, &other.statement, &other.relation)
    }
}

/// A metric that claims and figures may name.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownMetric {
    /// Its name.
    pub name: String,
    /// Whether larger is better, if that is known.
    pub higher_is_better: Option<bool>,
    /// The source that it is of, by position.
    pub source: usize,
}

/// What claims may name.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The text of the file.
    pub source: &'a str,
    /// The axes.
    pub axes: &'a AxisSet,
    /// The metrics.
    pub metrics: &'a [KnownMetric],
    /// Names of sources, each with its columns.
    pub sources: &'a [(String, Vec<Field>)],
    /// The points of the experiment.
    pub points: &'a [Vec<Value>],
    /// Whether rules hold that are later than the text's schema.
    pub reading: Reading,
}

/// Keys of a `[[claim]]`.
pub const KEYS: &[&str] = &[
    "id",
    "paper",
    "source",
    "says",
    "where",
    "metric",
    "from",
    "ratio_to",
    "over",
    "at_least",
    "at_most",
    "within",
    "every_row",
    "best_over",
    "trend",
    "along",
    "basis",
    "elsewhere",
    "uncovered",
];

const BOUNDS: &[&str] = &["at_least", "at_most", "within"];

/// Reads every `[[claim]]`.
pub fn parse(root: &Table<'_>, known: &Known<'_>, problems: &mut Vec<Problem>) -> Vec<Claim> {
    let tables = read::tables(root, "claim", "[[claim]]", KEYS, problems);
    let mut claims: Vec<Claim> = Vec::new();
    for (number, table) in tables.iter().enumerate() {
        let Some(claim) = claim(table, number, known, problems) else { continue };
        if claims.iter().any(|other| other.id == claim.id) {
            let problem = Problem::new(format!("two claims are called `{}`", claim.id));
            let place = table.get("id").map_or_else(|| table.span(), read::Value::span);
            problems.push(problem.at(place).label("taken by an earlier one"));
        }
        claims.push(claim);
    }
    claims
}

fn claim(table: &Table<'_>, number: usize, known: &Known<'_>, problems: &mut Vec<Problem>) -> Option<Claim> {
    let paper = table.get("paper").and_then(|value| read::words(value, "`paper`", problems));
    table.get("source").and_then(|value| read::words(value, "`source`", problems));
    if let Some(value) = table.get("uncovered") {
        let why = read::words(value, "`uncovered`", problems)?;
        let id = match table.get("id") {
            Some(value) => read::text(value, "`id`", problems)?.to_owned(),
            None => format!("uncovered-{}", number + 1),
        };
        let says = table.get("says").and_then(|value| read::words(value, "`says`", problems));
        if known.reading == Reading::Given {
            unused::by(&Statement::Uncovered(String::new()), table, problems);
        }
        return Some(Claim {
            id,
            says: says.or_else(|| paper.clone()).unwrap_or_default(),
            paper,
            selection: Selection::All,
            statement: Statement::Uncovered(why),
            relation: Relation::default(),
            point: false,
            elsewhere: None,
            place: table.span(),
        });
    }
    let id = table.require("id", "id = \"C1\"", problems).and_then(|value| read::words(value, "`id`", problems));
    let says = table.require("says", "says = \"...\"", problems);
    let says = says.and_then(|value| read::words(value, "`says`", problems));
    let selection = match table.get("where") {
        Some(value) => Selection::parse(value, known.source, known.axes, problems)?,
        None => Selection::All,
    };
    if let Some(value) = table.get("where")
        && !known.points.is_empty()
        && !known.points.iter().any(|point| selection.matches(point))
    {
        let problem = Problem::new("`where` matches no point of the experiment").at(value.span());
        problems.push(problem.label("selects nothing"));
    }
    let relation = Relation::parse(table, known.axes, problems);
    let statement = statement(table, known, problems);
    let point = match table.get("basis") {
        None => false,
        Some(value) => read::one_of(value, "`basis`", "basis", &["interval", "point"], problems)? == "point",
    };
    let statement = statement?;
    if known.reading == Reading::Given {
        unused::by(&statement, table, problems);
        unused::baseline(&relation, &selection, table, known, problems);
    }
    let elsewhere = match table.get("elsewhere") {
        None => None,
        Some(value) => {
            let table = Table::open(value, "`elsewhere`", BOUNDS, problems)?;
            if !matches!(statement, Statement::Bound { .. }) {
                let problem = Problem::new("`elsewhere` is for a claim that bounds a metric").at(value.span());
                problems.push(problem.label("nothing else depends on the machine"));
                return None;
            }
            Some(bound(&table, problems)?)
        }
    };
    let place = table.span();
    Some(Claim { id: id?, paper, says: says?, selection, statement, relation, point, elsewhere, place })
}

/// The bound that a table states; that it states none or several is a problem.
fn bound(table: &Table<'_>, problems: &mut Vec<Problem>) -> Option<Bound> {
    let present: Vec<&str> = BOUNDS.iter().copied().filter(|key| table.get(key).is_some()).collect();
    let misspelt = |problem: &Problem| {
        let inside = |span: &Range<usize>| table.span().start <= span.start;
        problem.message.starts_with("unknown key") && problem.span.as_ref().is_some_and(inside)
    };
    if present.is_empty() && problems.iter().any(misspelt) {
        return None;
    }
    let [key] = present[..] else {
        let problem = Problem::new(if present.is_empty() { "no bound is stated" } else { "several bounds are stated" });
        problems.push(problem.at(table.span()).label("write one of at_least, at_most and within"));
        return None;
    };
    let value = table.get(key)?;
    if key != "within" {
        let number = number(value, key, problems)?;
        return Some(if key == "at_least" { Bound::AtLeast(number) } else { Bound::AtMost(number) });
    }
    let table = Table::open(value, "`within`", &["value", "percent"], problems)?;
    let target = table.require("value", "value = 1.0", problems).and_then(|v| number(v, "value", problems));
    let percent = table.require("percent", "percent = 5", problems).and_then(|v| number(v, "percent", problems));
    let (target, percent) = (target?, percent?);
    if percent < 0.0 {
        problems.push(Problem::new("`percent` cannot be negative").at(value.span()).label("out of bounds"));
        return None;
    }
    let margin = target.abs() * percent / 100.0;
    Some(Bound::Within(target - margin, target + margin))
}

fn number(value: &read::Value<'_>, key: &str, problems: &mut Vec<Problem>) -> Option<f64> {
    read::number(value, &format!("`{key}`"), |_| true, "expected a number", problems)
}

/// The metric that a table names.
pub fn metric(table: &Table<'_>, key: &str, known: &Known<'_>, problems: &mut Vec<Problem>) -> Option<usize> {
    let value = table.require(key, &format!("{key} = \"throughput\""), problems)?;
    let name = read::text(value, &format!("`{key}`"), problems)?;
    let names: Vec<&str> = known.metrics.iter().map(|metric| metric.name.as_str()).collect();
    read::position(name, value.span(), "metric", &names, problems)
}

/// The axis that a table names.
pub fn axis(table: &Table<'_>, key: &str, axes: &AxisSet, problems: &mut Vec<Problem>) -> Option<usize> {
    let value = table.get(key)?;
    let name = read::text(value, &format!("`{key}`"), problems)?;
    read::position(name, value.span(), "axis", &axes.names(), problems)
}

fn statement(table: &Table<'_>, known: &Known<'_>, problems: &mut Vec<Problem>) -> Option<Statement> {
    if let Some(value) = table.get("every_row") {
        let name = read::text(value, "`every_row`", problems)?;
        let from = table.get("from").map(|value| read::text(value, "`from`", problems));
        let wanted = from.flatten();
        let source = match wanted {
            None => 0,
            Some(wanted) => {
                let names: Vec<&str> = known.sources.iter().map(|(name, _)| name.as_str()).collect();
                read::position(wanted, table.span(), "source", &names, problems)?
            }
        };
        let columns = known.sources.get(source).map(|(_, columns)| columns.as_slice()).unwrap_or_default();
        let column = columns.iter().position(|column| column.name == name && column.kind == Kind::Boolean);
        if column.is_none() {
            let names: Vec<&str> =
                columns.iter().filter(|column| column.kind == Kind::Boolean).map(|c| c.name.as_str()).collect();
            problems.push(read::unknown("boolean column", name, value.span(), &names));
        }
        return Some(Statement::EveryRow { source, column: column? });
    }
    let metric = metric(table, "metric", known, problems);
    if let Some(value) = table.get("best_over") {
        let axis = axis(table, "best_over", known.axes, problems)?;
        if known.metrics.get(metric?)?.higher_is_better.is_none() {
            let problem = Problem::new("`best_over` needs to know what is better").at(value.span());
            problems
                .push(problem.label("the metric lacks `better`").help("write `better = \"higher\"` in the [[metric]]"));
        }
        return Some(Statement::BestOver { metric: metric?, axis });
    }
    if let Some(value) = table.get("trend") {
        let rises = read::one_of(value, "`trend`", "trend", &["increasing", "decreasing"], problems)? == "increasing";
        table.require("along", "along = \"threads\"", problems)?;
        let along = axis(table, "along", known.axes, problems)?;
        return Some(Statement::Trend { metric: metric?, rises, along });
    }
    let bound = bound(table, problems)?;
    Some(Statement::Bound { metric: metric?, bound })
}

#[cfg(test)]
mod tests;

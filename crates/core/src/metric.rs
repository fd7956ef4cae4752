//! Metrics: one number for a cell, from its rows and from what its run cost.

use crate::Problem;
use crate::stats::nearest_rank;

use crate::filter::{Field, Filter};
use crate::series::Range;
use crate::value::Kind;

/// What a metric does with the values of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// The mean.
    Mean,
    /// The sum.
    Sum,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// How many values there are.
    Count,
    /// A percentile by the nearest-rank method: a value that was measured.
    Percentile(u8),
    /// The share of `true`.
    Share,
}

const FUNCTIONS: [&str; 10] = ["mean", "sum", "min", "max", "count", "share", "p50", "p90", "p95", "p99"];

/// A part of a metric.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    /// A function of the values of a column; of all rows without one.
    Aggregate(Function, Option<usize>),
    /// Something that the run itself cost, for example `run.wall_s`.
    Run(String),
    /// A number.
    Number(f64),
}

/// A metric as an experiment declares it.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// The expression as written.
    pub text: String,
    /// What is divided.
    pub numerator: Term,
    /// By what, if by anything.
    pub denominator: Option<Term>,
    /// The source whose rows it is of, by position.
    pub source: usize,
    /// Which rows count.
    pub filter: Option<Filter>,
    /// Whether larger values are better, if the metric says so.
    pub higher_is_better: Option<bool>,
    /// The unit, if it is known.
    pub unit: Option<String>,
}

/// Reads the expression of a metric over these columns: `p99(latency_us)`, `sum(bytes) / run.wall_s`.
///
/// # Errors
/// What is wrong with it, with its place in `text`.
pub fn expression(text: &str, columns: &[Field], run: &[String]) -> Result<(Term, Option<Term>), Problem> {
    let mut parts = text.split('/');
    let (first, second, third) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    if third.is_some() {
        let problem = Problem::new("a metric is one term or the quotient of two").at(0..text.len());
        return Err(problem.label("has more than one `/`"));
    }
    let numerator = term(first, 0, columns, run)?;
    let denominator = second.map(|second| term(second, first.len() + 1, columns, run)).transpose()?;
    Ok((numerator, denominator))
}

fn term(text: &str, offset: usize, columns: &[Field], run: &[String]) -> Result<Term, Problem> {
    let start = offset + text.len() - text.trim_start().len();
    let words = text.trim();
    let place = start..start + words.len().max(1);
    if words.is_empty() {
        return Err(Problem::new("a metric lacks a term").at(place).label("expected for example `mean(latency_us)`"));
    }
    if let Some((name, rest)) = words.split_once('(') {
        let Some(column) = rest.strip_suffix(')') else {
            return Err(Problem::new("a parenthesis is not closed").at(place).label("expected `)` at the end"));
        };
        let (name, column) = (name.trim(), column.trim());
        let function = function(name).map_err(|problem| problem.at(start..start + name.len()))?;
        if column.is_empty() && function == Function::Count {
            return Ok(Term::Aggregate(function, None));
        }
        let at = start + words.find('(').unwrap_or(0) + 1;
        let at = at..at + rest.len().saturating_sub(1).max(1);
        let Some(position) = columns.iter().position(|field| field.name == column) else {
            let known: Vec<&str> = columns.iter().map(|field| field.name.as_str()).collect();
            return Err(crate::read::unknown("column", column, at, &known));
        };
        let kind = columns[position].kind;
        let fits = match function {
            Function::Count => true,
            Function::Share => kind == Kind::Boolean,
            _ => kind.is_number(),
        };
        if !fits {
            let wanted = if function == Function::Share { "a boolean column" } else { "a column of numbers" };
            let problem = Problem::new(format!("`{name}` needs {wanted}")).at(at);
            return Err(problem.label(format!("`{column}` is {}", kind.name())));
        }
        return Ok(Term::Aggregate(function, Some(position)));
    }
    if let Some(number) = words.parse::<f64>().ok().filter(|number| number.is_finite()) {
        return Ok(Term::Number(number));
    }
    if run.iter().any(|known| known == words) {
        return Ok(Term::Run(words.to_owned()));
    }
    let mut known: Vec<&str> = run.iter().map(String::as_str).collect();
    let functions: Vec<String> = FUNCTIONS.iter().map(|function| format!("{function}(COLUMN)")).collect();
    known.extend(functions.iter().map(String::as_str));
    if columns.iter().any(|field| field.name == words) {
        let problem = Problem::new(format!("`{words}` is a column: one number for a cell is needed")).at(place);
        return Err(problem.label(format!("for example `mean({words})`")));
    }
    Err(crate::read::unknown("term", words, place, &known))
}

fn function(name: &str) -> Result<Function, Problem> {
    let percentile = name.strip_prefix('p').and_then(|digits| digits.parse::<u8>().ok());
    Ok(match (name, percentile) {
        ("mean", _) => Function::Mean,
        ("sum", _) => Function::Sum,
        ("min", _) => Function::Min,
        ("max", _) => Function::Max,
        ("count", _) => Function::Count,
        ("share", _) => Function::Share,
        (_, Some(percentile @ 1..=99)) => Function::Percentile(percentile),
        _ => {
            return Err(Problem::new(format!("unknown function `{name}`")).unknown(
                name,
                "known, and p1 to p99",
                &FUNCTIONS,
            ));
        }
    })
}

/// The values of one column, as far as a metric uses them.
#[derive(Clone, Copy, Debug)]
pub enum Numbers<'a> {
    /// Whole numbers.
    Whole(&'a [i64]),
    /// Real numbers.
    Real(&'a [f64]),
    /// Booleans.
    Boolean(&'a [bool]),
    /// How many values of another type there are.
    Other(usize),
}

impl Function {
    /// The function of these values; none where there is nothing to compute it of. Whole numbers are summed exactly,
    /// real ones in their order.
    #[must_use]
    pub fn of(self, values: Numbers<'_>) -> Option<f64> {
        match (self, values) {
            (Self::Count, Numbers::Whole(values)) => Some(values.len() as f64),
            (Self::Count, Numbers::Real(values)) => Some(values.len() as f64),
            (Self::Count, Numbers::Boolean(values)) => Some(values.len() as f64),
            (Self::Count, Numbers::Other(count)) => Some(count as f64),
            (Self::Share, Numbers::Boolean(values)) if !values.is_empty() => {
                Some(values.iter().filter(|value| **value).count() as f64 / values.len() as f64)
            }
            (Self::Sum | Self::Mean, Numbers::Whole(values)) => {
                let sum: i128 = values.iter().map(|value| i128::from(*value)).sum();
                self.of_sum(sum as f64, values.len())
            }
            (Self::Sum | Self::Mean, Numbers::Real(values)) => self.of_sum(values.iter().sum(), values.len()),
            (Self::Min, Numbers::Whole(values)) => values.iter().min().map(|value| *value as f64),
            (Self::Max, Numbers::Whole(values)) => values.iter().max().map(|value| *value as f64),
            (Self::Min, Numbers::Real(values)) => values.iter().copied().min_by(f64::total_cmp),
            (Self::Max, Numbers::Real(values)) => values.iter().copied().max_by(f64::total_cmp),
            (Self::Percentile(percentile), Numbers::Whole(values)) => {
                order_statistic(&mut values.to_vec(), percentile, i64::cmp).map(|value| value as f64)
            }
            (Self::Percentile(percentile), Numbers::Real(values)) => {
                order_statistic(&mut values.to_vec(), percentile, f64::total_cmp)
            }
            _ => None,
        }
    }

    fn of_sum(self, sum: f64, count: usize) -> Option<f64> {
        match self {
            Self::Sum => Some(sum),
            _ => (count > 0).then(|| sum / count as f64),
        }
    }
}

fn order_statistic<T: Copy>(
    values: &mut [T],
    percentile: u8,
    order: impl FnMut(&T, &T) -> std::cmp::Ordering,
) -> Option<T> {
    if values.is_empty() {
        return None;
    }
    let rank = nearest_rank(f64::from(percentile) / 100.0, values.len() as u64);
    let place = usize::try_from(rank.saturating_sub(1)).ok()?;
    Some(*values.select_nth_unstable_by(place, order).1)
}

impl Metric {
    /// Which numbers it can have, as far as its expression says: columns may hold negative numbers, whatever their unit.
    #[must_use]
    pub fn range(&self) -> Range {
        let of = |term: &Term| match term {
            Term::Aggregate(Function::Share, _) => Range::Share,
            Term::Aggregate(Function::Count, _) => Range::NotNegative,
            Term::Number(number) if *number >= 0.0 => Range::NotNegative,
            // The exit code of a program that has none is -1.
            Term::Run(name) if !name.ends_with(".exit") => Range::NotNegative,
            Term::Aggregate(..) | Term::Number(_) | Term::Run(_) => Range::Any,
        };
        match (of(&self.numerator), self.denominator.as_ref().map(of)) {
            (range, None) => range,
            (Range::Any, _) | (_, Some(Range::Any)) => Range::Any,
            _ => Range::NotNegative,
        }
    }

    /// The metric, where `term` says what each part of it is. None where a part is not known, or what it is divided by
    /// is 0.
    #[must_use]
    pub fn value(&self, term: &dyn Fn(&Term) -> Option<f64>) -> Option<f64> {
        let numerator = term(&self.numerator)?;
        let value = match &self.denominator {
            None => numerator,
            Some(denominator) => numerator / term(denominator)?,
        };
        value.is_finite().then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A percentile against counting: the smallest value that at least so many do not exceed.
        #[test]
        fn percentiles_and_sums_are_those_of_counting(values in proptest::collection::vec(-50i64..50, 1..80), p in 1u8..100) {
            let found = Function::Percentile(p).of(Numbers::Whole(&values)).unwrap();
            let enough = |limit: i64| values.iter().filter(|v| **v <= limit).count() * 100 >= usize::from(p) * values.len();
            let wanted = values.iter().copied().filter(|v| enough(*v)).min().unwrap();
            prop_assert_eq!(found, wanted as f64);
            let real: Vec<f64> = values.iter().map(|v| *v as f64).collect();
            for function in [Function::Percentile(p), Function::Mean, Function::Sum, Function::Min, Function::Max] {
                prop_assert_eq!(function.of(Numbers::Whole(&values)), function.of(Numbers::Real(&real)));
            }
        }
    }

    #[test]
    fn whole_numbers_are_summed_exactly() {
        assert_eq!(Function::Sum.of(Numbers::Whole(&[i64::MAX, i64::MAX, -i64::MAX, -i64::MAX, 3])), Some(3.0));
        assert_eq!(Function::Mean.of(Numbers::Whole(&[])), None);
        assert_eq!(Function::Sum.of(Numbers::Whole(&[])), Some(0.0));
    }

    #[test]
    fn what_a_metric_can_be_follows_from_its_expression() {
        let columns = [("drift_us", Kind::Whole), ("found", Kind::Boolean)]
            .map(|(name, kind)| Field { name: name.to_owned(), kind });
        let run = ["run.wall_s", "run.exit"].map(str::to_owned);
        for (text, range) in [
            ("share(found)", Range::Share),
            ("share(found) / 0.01", Range::NotNegative),
            ("count() / run.wall_s", Range::NotNegative),
            ("run.wall_s", Range::NotNegative),
            ("run.exit", Range::Any),
            ("mean(drift_us)", Range::Any),
            ("sum(drift_us) / run.wall_s", Range::Any),
            ("-1 / run.wall_s", Range::Any),
        ] {
            let (numerator, denominator) = expression(text, &columns, &run).unwrap();
            let (name, text) = ("m".to_owned(), text.to_owned());
            let metric = Metric {
                name,
                text,
                numerator,
                denominator,
                source: 0,
                filter: None,
                higher_is_better: None,
                unit: None,
            };
            assert_eq!(metric.range(), range, "{}", metric.text);
        }
    }

    #[test]
    fn bad_expressions_are_told_with_their_place() {
        let columns = [("latency_us", Kind::Whole), ("found", Kind::Boolean)]
            .map(|(name, kind)| Field { name: name.to_owned(), kind });
        let run = ["run.wall_s".to_owned()];
        let shown = |text: &str| {
            let problem = expression(text, &columns, &run).unwrap_err();
            let at = problem.span.clone().and_then(|span| text.get(span)).unwrap_or_default();
            format!("{} [{at}] {}", problem.message, problem.label.clone().unwrap_or_default())
        };
        assert!(expression("sum(latency_us) / run.wall_s", &columns, &run).is_ok());
        insta::assert_snapshot!(
            ["p99(latency)", "avg(latency_us)", "mean(found)", "share(latency_us)", "latency_us", "sum(latency_us) / run.wall", "sum(latency_us) /", "p100(latency_us)"].map(shown).join("\n"),
            @r"
        unknown column `latency` [latency] did you mean `latency_us`?
        unknown function `avg` [avg] unknown
        `mean` needs a column of numbers [found] `found` is true or false
        `share` needs a boolean column [latency_us] `latency_us` is a whole number
        `latency_us` is a column: one number for a cell is needed [latency_us] for example `mean(latency_us)`
        unknown term `run.wall` [run.wall] did you mean `run.wall_s`?
        a metric lacks a term [] expected for example `mean(latency_us)`
        unknown function `p100` [p100] unknown
        "
        );
    }
}

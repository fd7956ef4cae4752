//! Numbers in relation to others: the ratio to a baseline, and the mean or best over some axes.

use std::collections::BTreeMap;

use crate::Problem;

use crate::axes::AxisSet;
use crate::expand::{Pattern, pattern};
use crate::read::{self, Table};
use crate::series::{Counts, Estimate, Number, Range, Series, estimate, mean, welch};
use crate::stats::MIN_ROUNDS;
use crate::text::counted;
use crate::value::Value;

/// How the numbers of several points become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combine {
    /// The geometric mean.
    Geomean,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// The best, by what the metric says is better.
    Best,
}

/// What is done with the numbers before they are judged or drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Relation {
    /// The baseline: the same point but for these values.
    pub ratio_to: Option<Pattern>,
    /// Axes that are combined, and how.
    pub over: Option<(Combine, Vec<usize>)>,
}

/// A point, or several that were combined (then without the combined axes).
pub type Group = Vec<Option<Value>>;

/// A number in its relation.
#[derive(Clone, Debug, PartialEq)]
pub struct Related {
    /// What it is of.
    pub group: Group,
    /// The number, where there is one.
    pub estimate: Option<Estimate>,
    /// Why there is none, or why its interval says nothing.
    pub why: Option<String>,
}

/// What relations need to know besides numbers.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The axes.
    pub axes: &'a AxisSet,
    /// The treatment, whose values share blocks.
    pub paired: Option<usize>,
    /// Whether larger is better, if that was said.
    pub higher_is_better: Option<bool>,
    /// Which numbers the metric can have.
    pub range: Range,
    /// One less the coverage of intervals.
    pub alpha: f64,
}

impl Relation {
    /// Reads `ratio_to` and `over`.
    pub fn parse(table: &Table<'_>, axes: &AxisSet, problems: &mut Vec<Problem>) -> Self {
        let ratio_to = table.get("ratio_to").and_then(|value| {
            let pattern = pattern(value, "ratio_to", axes, problems)?;
            if pattern.iter().flatten().any(|values| values.len() != 1) || pattern.iter().all(Option::is_none) {
                let problem = Problem::new("`ratio_to` names one value for each of some axes").at(value.span());
                problems.push(problem.label("for example { engine = \"lmdb\" }"));
                return None;
            }
            Some(pattern)
        });
        Self { ratio_to, over: table.get("over").and_then(|value| over(value, axes, problems)) }
    }

    /// The numbers of the selected points in their relation, in the order of points. Baselines may be any of `all`.
    #[must_use]
    pub fn apply(&self, all: &[Series], selected: &dyn Fn(&[Value]) -> bool, context: &Context<'_>) -> Vec<Related> {
        let known: BTreeMap<&[Value], &Series> = all.iter().map(|series| (series.point.as_slice(), series)).collect();
        let mut groups: Vec<(Group, Vec<&Series>)> = Vec::new();
        for series in all.iter().filter(|series| selected(&series.point)) {
            if self.ratio_to.as_ref().is_some_and(|baseline| crate::expand::matches(baseline, &series.point)) {
                continue;
            }
            let group = self.group(&series.point);
            match groups.iter_mut().find(|(known, _)| *known == group) {
                Some((_, members)) => members.push(series),
                None => groups.push((group, vec![series])),
            }
        }
        groups
            .into_iter()
            .map(|(group, members)| match self.one(&members, &known, context) {
                Ok((estimate, why)) => Related { group, estimate: Some(estimate), why },
                Err(why) => Related { group, estimate: None, why: Some(why) },
            })
            .collect()
    }

    fn group(&self, point: &[Value]) -> Group {
        let combined = |axis: usize| self.over.as_ref().is_some_and(|(_, axes)| axes.contains(&axis));
        point.iter().enumerate().map(|(axis, value)| (!combined(axis)).then(|| value.clone())).collect()
    }

    /// The number of one group, and why its interval says nothing, if so; else why there is no number.
    fn one(
        &self,
        members: &[&Series],
        known: &BTreeMap<&[Value], &Series>,
        context: &Context<'_>,
    ) -> Result<(Estimate, Option<String>), String> {
        let numbers = self.combined(members, context)?;
        let Some(baseline) = &self.ratio_to else {
            let estimate = estimate(&numbers, context.range, context.alpha).ok_or("no result")?;
            return Ok((estimate, too_few(&estimate, "an interval")));
        };
        let of = |member: &&Series| {
            let replaced = |(value, other): (&Value, &Option<Vec<Value>>)| match other.as_deref() {
                Some([other]) => other.clone(),
                _ => value.clone(),
            };
            let point: Vec<Value> = member.point.iter().zip(baseline).map(replaced).collect();
            let found = known.get(point.as_slice()).copied();
            found.ok_or_else(|| format!("its baseline {} is not in the experiment", context.axes.show(&point)))
        };
        let others = members.iter().map(of).collect::<Result<Vec<_>, _>>()?;
        let base = self.combined(&others, context).map_err(|why| format!("the baseline: {why}"))?;
        let shared = members.iter().zip(&others).all(|(one, other)| {
            let differ = one.point.iter().zip(&other.point).enumerate().filter(|(_, (one, other))| one != other);
            differ.map(|(axis, _)| axis).all(|axis| Some(axis) == context.paired)
        });
        ratio(&numbers, &base, shared, context.alpha)
    }

    /// The numbers of several points as one a round. Rounds that one of them lacks are left out.
    fn combined(&self, members: &[&Series], context: &Context<'_>) -> Result<BTreeMap<u32, Number>, String> {
        let Some(first) = members.first() else { return Err("no result".to_owned()) };
        let mut combined = BTreeMap::new();
        for round in first.rounds.keys() {
            let numbers: Option<Vec<Number>> = members.iter().map(|member| member.rounds.get(round).copied()).collect();
            let Some(numbers) = numbers else { continue };
            let number = match &self.over {
                None => numbers.first().copied(),
                Some((how, _)) => combine(*how, &numbers, context.higher_is_better),
            };
            let number = number.ok_or("a number is 0 or less, which has no geometric mean")?;
            combined.insert(*round, number);
        }
        if combined.is_empty() { Err("no result".to_owned()) } else { Ok(combined) }
    }
}

/// Why the interval of an estimate says nothing, if it is of too few rounds.
fn too_few(estimate: &Estimate, what: &str) -> Option<String> {
    (estimate.rounds < MIN_ROUNDS).then(|| format!("{}: {what} needs {MIN_ROUNDS}", counted(estimate.rounds, "round")))
}

fn combine(how: Combine, numbers: &[Number], higher_is_better: Option<bool>) -> Option<Number> {
    let order = |one: &Number, other: &Number| one.value.total_cmp(&other.value);
    let max = || numbers.iter().copied().max_by(order);
    let min = || numbers.iter().copied().min_by(order);
    match how {
        Combine::Geomean if numbers.iter().any(|number| number.value <= 0.0) => None,
        Combine::Geomean => {
            let logarithms = numbers.iter().map(|number| libm::log(number.value)).sum::<f64>();
            let counts: Option<Vec<Counts>> = numbers.iter().map(|number| number.counts).collect();
            let sum = |counts: Vec<Counts>| {
                let add = |sum: Counts, of: Counts| Counts { trues: sum.trues + of.trues, all: sum.all + of.all };
                counts.into_iter().reduce(add)
            };
            Some(Number { value: libm::exp(logarithms / numbers.len() as f64), counts: counts.and_then(sum) })
        }
        Combine::Max => max(),
        Combine::Min => min(),
        Combine::Best => {
            if higher_is_better.unwrap_or(true) {
                max()
            } else {
                min()
            }
        }
    }
}

/// The ratio of two series: by round where they share blocks, else of independent rounds.
fn ratio(
    numbers: &BTreeMap<u32, Number>,
    base: &BTreeMap<u32, Number>,
    shared: bool,
    alpha: f64,
) -> Result<(Estimate, Option<String>), String> {
    if numbers.values().chain(base.values()).any(|number| number.value <= 0.0) {
        return Err("a number is 0 or less, which has no ratio".to_owned());
    }
    let log = |number: &Number| libm::log(number.value);
    let logs = |numbers: &BTreeMap<u32, Number>| numbers.values().map(log).collect::<Vec<_>>();
    let found = if shared {
        let pairs = numbers.iter().filter_map(|(round, number)| Some(log(number) - log(base.get(round)?)));
        mean(&pairs.collect::<Vec<_>>(), alpha)
    } else {
        welch(&logs(numbers), &logs(base), alpha)
    };
    let found = found.ok_or("no round has both sides")?;
    Ok((found.exp(), too_few(&found, "a ratio")))
}

const OVER: &[&str] = &["geomean", "max", "min", "best"];

fn over(value: &read::Value<'_>, axes: &AxisSet, problems: &mut Vec<Problem>) -> Option<(Combine, Vec<usize>)> {
    let table = Table::open(value, "`over`", OVER, problems)?;
    let present: Vec<&str> = OVER.iter().copied().filter(|key| table.get(key).is_some()).collect();
    let [key] = present[..] else {
        let problem = Problem::new("`over` says one way to combine").at(value.span());
        problems.push(problem.label("for example { geomean = [\"dataset\"] }"));
        return None;
    };
    let how = match key {
        "geomean" => Combine::Geomean,
        "max" => Combine::Max,
        "min" => Combine::Min,
        _ => Combine::Best,
    };
    let names = read::texts(table.get(key)?, "`over`", problems)?;
    let positions: Option<Vec<usize>> = names
        .iter()
        .map(|(name, place)| read::position(name, place.clone(), "axis", &axes.names(), problems))
        .collect();
    Some((how, positions?))
}

#[cfg(test)]
#[path = "relation_tests.rs"]
mod tests;

//! What stands in a claim and would change nothing: each is a mistake in a file.

use super::{KEYS, Known, Selection, Statement};
use crate::Problem;
use crate::expand;
use crate::read::Table;
use crate::relation::Relation;
use crate::value::Value;

/// Keys that every claim may have, whatever it states.
const ALWAYS: [&str; 4] = ["id", "paper", "source", "says"];

/// Notes every key that what a claim states does not use.
pub(super) fn by(statement: &Statement, table: &Table<'_>, problems: &mut Vec<Problem>) {
    let (name, used): (&str, &[&str]) = match statement {
        Statement::Uncovered(_) => ("uncovered", &[]),
        Statement::EveryRow { .. } => ("every_row", &["where", "from"]),
        Statement::BestOver { .. } => ("best_over", &["where", "metric", "over", "basis"]),
        Statement::Trend { .. } => ("trend", &["where", "metric", "over", "along", "basis"]),
        Statement::Bound { .. } => {
            let name = super::BOUNDS.iter().copied().find(|key| table.get(key).is_some()).unwrap_or("metric");
            (name, &["where", "metric", "ratio_to", "over", "basis", "elsewhere"])
        }
    };
    keys(table, name, used, problems);
}

/// Notes every key besides `name` and those that it uses.
pub(super) fn keys(table: &Table<'_>, name: &str, used: &[&str], problems: &mut Vec<Problem>) {
    let is_used = |key: &str| key == name || used.contains(&key) || ALWAYS.contains(&key);
    for key in KEYS.iter().filter(|key| !is_used(key)) {
        let Some(place) = table.key_span(key) else { continue };
        let with: Vec<String> = used.iter().map(|key| format!("`{key}`")).collect();
        let help = match with.is_empty() {
            true => format!("`{name}` stands alone: what is stated besides is another claim"),
            false => format!("`{name}` goes with {}: what is stated besides is another claim", with.join(", ")),
        };
        let problem = Problem::new(format!("`{key}` does not go with `{name}`")).at(place);
        problems.push(problem.label("would be ignored").help(help));
    }
}

/// Notes that `where` leaves nothing but the baseline.
pub(super) fn baseline(
    relation: &Relation,
    selection: &Selection,
    table: &Table<'_>,
    known: &Known<'_>,
    problems: &mut Vec<Problem>,
) {
    let (Some(baseline), Some(value)) = (&relation.ratio_to, table.get("where")) else { return };
    let is_baseline = |point: &&Vec<Value>| expand::matches(baseline, point);
    let (of_baseline, others): (Vec<_>, Vec<_>) = known.points.iter().partition(is_baseline);
    let selects_any = |points: &[&Vec<Value>]| points.iter().any(|point| selection.matches(point));
    // Where the experiment has no other points, it is not `where` that leaves none.
    if selects_any(&of_baseline) && !others.is_empty() && !selects_any(&others) {
        let problem = Problem::new("`where` matches only the baseline of `ratio_to`").at(value.span());
        let help = "`where` names the points that are compared with the baseline";
        problems.push(problem.label("nothing to compare with it").help(help));
    }
}

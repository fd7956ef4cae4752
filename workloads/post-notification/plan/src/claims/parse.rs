//! `[[claim]]`: reading claims from the experiment's file.

use super::claim::{Bound, Check, Claim};
use super::metric::Metric;
use crate::experiment::selector::{Selector, Values, selector};
use crate::point::Axes;
use crate::problem::Problem;
use crate::regions::Regions;
use matrix_core::read::{Reading, values};
use matrix_core::walk::{Table, Value, boolean, name, number, slug, text, words};

/// Keys of a claim.
pub(crate) const KEYS: &[&str] =
    &["id", "says", "source", "where", "every_row", "metric", "at_most", "at_least", "within", "pool"];

/// Keys of `within`.
pub(crate) const WITHIN_KEYS: &[&str] = &["value", "percent"];

const NAME: &str = "[[claim]]";
const BOUNDS: [&str; 3] = ["at_most", "at_least", "within"];

/// Reads all claims of the document. `points` are those of the experiment; none when something is wrong with them.
pub(crate) fn claims(
    root: &Table<'_>,
    known: &Regions,
    points: &[Axes],
    reading: Reading,
    problems: &mut Vec<Problem>,
) -> Vec<Claim> {
    let mut claims: Vec<Claim> = Vec::new();
    let mut ids: Vec<&str> = Vec::new();
    for value in values(root, "claim", "write `[[claim]]`", problems) {
        if let Some(id) = value.get_ref().get("id")
            && let Some(text) = id.get_ref().as_str()
        {
            if ids.contains(&text) {
                let problem = Problem::new(format!("two claims are called `{text}`")).at(id.span());
                problems.push(problem.label("this id is taken"));
            }
            ids.push(text);
        }
        let read = claim(value, known, points, problems);
        if let Some(claim) = &read
            && reading == Reading::Given
        {
            pools_rounds_only(claim, value, points, problems);
        }
        claims.extend(read);
    }
    claims
}

fn claim(value: &Value<'_>, known: &Regions, points: &[Axes], problems: &mut Vec<Problem>) -> Option<Claim> {
    let table = Table::open(value, NAME, KEYS, problems)?;
    let id = table.require("id", "id = \"antipode-prevents\"", problems);
    let id = id.and_then(|id| slug(id, "the id of a claim", problems));
    let says = table.require("says", "says = \"...\"", problems);
    let says = says.and_then(|says| words(says, "`says`", problems));
    let source = match table.get("source") {
        Some(source) => Some(words(source, "`source`", problems)?),
        None => None,
    };
    let cells = match table.get("where") {
        Some(place) => {
            let cells = selector(place, "`where`", Values::Many, known, problems);
            if let Some(cells) = &cells
                && !points.is_empty()
                && !points.iter().any(|axes| cells.matches(axes))
            {
                problems.push(
                    Problem::new("this `where` matches nothing")
                        .at(place.span())
                        .label("no cell of the experiment has these values")
                        .help("`matrix plan` lists the cells"),
                );
            }
            cells
        }
        None => Some(Selector::default()),
    };
    let check = check(&table, problems);
    Some(Claim { id: id?, says: says?, source, cells: cells?, check: check? })
}

fn check(table: &Table<'_>, problems: &mut Vec<Problem>) -> Option<Check> {
    match (table.get("every_row"), table.get("metric")) {
        (Some(every_row), None) => {
            let extra = BOUNDS.into_iter().chain(["pool"]).find_map(|key| Some((key, table.key_span(key)?)));
            if let Some((key, at)) = extra {
                let problem = Problem::new(format!("`{key}` does not go with `every_row`")).at(at);
                problems.push(problem.label("belongs to a `metric`"));
                return None;
            }
            every_row_check(every_row, problems)
        }
        (None, Some(metric)) => {
            let metric = name::<Metric>(metric, "a metric", problems);
            let bound = bound(table, problems);
            let pool = table.get("pool").map_or(Some(false), |pool| boolean(pool, "`pool`", problems));
            Some(Check::Metric { metric: metric?, bound: bound?, pool: pool? })
        }
        (both, _) => {
            let (message, label) = match both {
                Some(_) => ("a claim has both `every_row` and `metric`", "keep one of them"),
                None => ("a claim has neither `every_row` nor `metric`", "what must hold?"),
            };
            let help = "write `every_row = \"consistent\"`, or a `metric` with `at_most`, `at_least` or `within`";
            let at = table.key_span("every_row").unwrap_or_else(|| table.span());
            problems.push(Problem::new(message).at(at).label(label).help(help));
            None
        }
    }
}

/// Rounds repeat one point and may be judged as one; what differs in an axis is not one sample.
fn pools_rounds_only(claim: &Claim, value: &Value<'_>, points: &[Axes], problems: &mut Vec<Problem>) {
    let Check::Metric { pool: true, .. } = claim.check else { return };
    let about: Vec<&Axes> = points.iter().filter(|axes| claim.is_about(axes)).collect();
    let Some((first, others)) = about.split_first().filter(|(_, others)| !others.is_empty()) else { return };
    let differ = |same: &dyn Fn(&Axes, &Axes) -> bool| others.iter().any(|other| !same(first, other));
    let axes: [(&str, bool); 5] = [
        ("post_storage", differ(&|a, b| a.combination.post_storage == b.combination.post_storage)),
        (
            "notification_storage",
            differ(&|a, b| a.combination.notification_storage == b.combination.notification_storage),
        ),
        ("regions", differ(&|a, b| a.combination.regions == b.combination.regions)),
        ("delay_ms", differ(&|a, b| a.delay_ms == b.delay_ms)),
        ("antipode", differ(&|a, b| a.antipode == b.antipode)),
    ];
    let names: Vec<&str> = axes.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect();
    let place = value.get_ref().get("pool").map_or_else(|| value.span(), |pool| pool.span());
    problems.push(
        Problem::new(format!("`pool` would take {} points for one sample", about.len()))
            .at(place)
            .label(format!("they differ in {}", names.join(", ")))
            .help(format!(
                "`pool = true` takes the rounds of one point together: name one value of {} in `where`, or leave `pool` \
                 out to judge each point",
                names.join(", ")
            )),
    );
}

fn every_row_check(value: &Value<'_>, problems: &mut Vec<Problem>) -> Option<Check> {
    let said = text(value, "`every_row`", problems)?;
    if said == "consistent" {
        return Some(Check::EveryRowConsistent);
    }
    let problem = Problem::new(format!("unknown property `{said}`")).at(value.span());
    problems.push(problem.unknown(said, "known", &["consistent"]));
    None
}

fn bound(table: &Table<'_>, problems: &mut Vec<Problem>) -> Option<Bound> {
    let mut said = BOUNDS.into_iter().filter_map(|key| Some((key, table.get(key)?)));
    let Some((key, value)) = said.next() else {
        let problem = Problem::new("a `metric` needs a bound").at(table.span()).label("none is given");
        problems.push(problem.help("write `at_most = 10`, `at_least = 10` or `within = { value = 10, percent = 5 }`"));
        return None;
    };
    if let Some((other, _)) = said.next() {
        let at = table.key_span(other).unwrap_or_else(|| table.span());
        let problem = Problem::new(format!("`{key}` and `{other}` exclude each other")).at(at);
        problems.push(problem.label(format!("`{key}` is set as well")));
        return None;
    }
    let any = |_: f64| true;
    match key {
        "at_most" => number(value, "`at_most`", any, "must be a number", problems).map(Bound::AtMost),
        "at_least" => number(value, "`at_least`", any, "must be a number", problems).map(Bound::AtLeast),
        _ => within(value, problems),
    }
}

fn within(value: &Value<'_>, problems: &mut Vec<Problem>) -> Option<Bound> {
    const EXAMPLE: &str = "within = { value = 375.04, percent = 5 }";
    let table = Table::open(value, "`within`", WITHIN_KEYS, problems)?;
    let centre = table.require("value", EXAMPLE, problems);
    let centre = centre.and_then(|value| number(value, "`value`", |_| true, "must be a number", problems));
    let percent = table.require("percent", EXAMPLE, problems);
    let percent =
        percent.and_then(|value| number(value, "`percent`", |percent| percent > 0.0, "must be above 0", problems));
    Some(Bound::Within { value: centre?, percent: percent? })
}

//! From axes and matrices to points.

use std::collections::BTreeMap;

use crate::Problem;
use toml::de::DeValue;

use crate::axes::{AxisSet, Point};
use crate::read::{self, Table};
use crate::value::Value;

/// Most points of an experiment.
const MAX_POINTS: usize = 1_000_000;

/// A `[[matrix]]`: a part of an experiment that has a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Minutes that a person is busy with it, as the author states.
    pub human_minutes: Option<f64>,
    /// Its points; another matrix may have some of them as well.
    pub points: Vec<Point>,
}

/// Reads every `[[matrix]]` and expands it. Without one, there is a single matrix without a name: the whole cross-product.
pub fn matrices(root: &Table<'_>, axes: &AxisSet, problems: &mut Vec<Problem>) -> Vec<Matrix> {
    if axes.axes.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut count = 0;
    let mut add = |matrix: Option<Matrix>, place: std::ops::Range<usize>, problems: &mut Vec<Problem>| {
        count += matrix.as_ref().map_or(0, |matrix| matrix.points.len());
        if count > MAX_POINTS {
            problems.push(Problem::new(format!("more than {MAX_POINTS} points")).at(place).label("too many"));
            return false;
        }
        found.extend(matrix);
        true
    };
    let tables = read::values(root, "matrix", "write each as [[matrix]]", problems);
    if tables.is_empty() {
        let all: Vec<Vec<Value>> = axes.axes.iter().map(|axis| axis.values.clone()).collect();
        let place = root.key_span("axes").unwrap_or_default();
        let points = product(&all, &place, problems);
        add(points.map(|points| Matrix { name: None, human_minutes: None, points }), place, problems);
    }
    for value in tables {
        if !add(matrix(value, axes, problems), value.span(), problems) {
            break;
        }
    }
    found
}

/// The points of some matrices: each once, in the order of the axes' values.
#[must_use]
pub fn points(matrices: &[Matrix], axes: &AxisSet) -> Vec<Point> {
    // The rank of values, not the values, keys the set: the order is the file's.
    let ranked = matrices.iter().flat_map(|matrix| &matrix.points).map(|point| (axes.ranks(point), point.clone()));
    ranked.collect::<BTreeMap<Vec<usize>, Point>>().into_values().collect()
}

/// The cross-product of lists of values, the last varying fastest.
fn product(lists: &[Vec<Value>], place: &std::ops::Range<usize>, problems: &mut Vec<Problem>) -> Option<Vec<Point>> {
    let size = lists.iter().try_fold(1usize, |size, list| size.checked_mul(list.len()));
    if size.is_none_or(|size| size > MAX_POINTS) {
        let problem = Problem::new(format!("more than {MAX_POINTS} points")).at(place.clone());
        problems.push(problem.label("too many"));
        return None;
    }
    let mut points = vec![Vec::with_capacity(lists.len())];
    for list in lists {
        let extended = points.iter().flat_map(|point: &Point| {
            list.iter().map(|value| {
                let mut point = point.clone();
                point.push(value.clone());
                point
            })
        });
        points = extended.collect();
    }
    Some(points)
}

fn matrix(value: &read::Value<'_>, axes: &AxisSet, problems: &mut Vec<Problem>) -> Option<Matrix> {
    let entries = read::any_table(value, "[[matrix]]", problems)?;
    let mut lists: Vec<Option<Vec<Value>>> = vec![None; axes.axes.len()];
    let (mut name, mut human_minutes, mut exclude, mut include) = (None, None, None, None);
    let before = problems.len();
    for (key, place, value) in read::entries(entries) {
        match key {
            "name" => name = read::slug(value, "a matrix's name", problems),
            // An axis may have been called so before this was a key.
            "human_minutes" if axes.position(key).is_none() => human_minutes = minutes(value, problems),
            "exclude" => exclude = Some(value),
            "include" => include = Some(value),
            _ => match axes.position(key) {
                Some(position) => lists[position] = some_values(value, axes, position, problems),
                None => {
                    let mut known = axes.names();
                    known.extend(["name", "human_minutes", "exclude", "include"]);
                    problems.push(read::unknown("axis", key, place, &known));
                }
            },
        }
    }
    let lists: Vec<Vec<Value>> = lists
        .into_iter()
        .zip(&axes.axes)
        .map(|(list, axis)| {
            list.unwrap_or_else(|| axis.default.clone().map_or_else(|| axis.values.clone(), |default| vec![default]))
        })
        .collect();
    if problems.len() > before {
        return None;
    }
    let mut points = product(&lists, &value.span(), problems)?;
    for item in exclude.map(|value| read::items(value, "`exclude`", problems)).unwrap_or_default().unwrap_or_default() {
        let pattern = pattern(item, "exclude", axes, problems)?;
        let before = points.len();
        points.retain(|point| !matches(&pattern, point));
        if points.len() == before {
            let problem = Problem::new("`exclude` matches no point of its matrix").at(item.span());
            problems.push(problem.label("leaves out nothing"));
        }
    }
    for item in include.map(|value| read::items(value, "`include`", problems)).unwrap_or_default().unwrap_or_default() {
        let pattern = pattern(item, "include", axes, problems)?;
        let point: Option<Point> = pattern
            .iter()
            .zip(&axes.axes)
            .map(|(values, axis)| match values.as_deref() {
                Some([value]) => Some(value.clone()),
                Some(_) => None,
                None => axis.default.clone(),
            })
            .collect();
        let Some(point) = point else {
            let missing = pattern.iter().zip(&axes.axes).find(|(values, axis)| match values.as_deref() {
                Some([_]) => false,
                Some(_) => true,
                None => axis.default.is_none(),
            });
            let name = missing.map(|(_, axis)| axis.name.as_str()).unwrap_or_default();
            let problem = Problem::new(format!("`include` needs one value of axis `{name}`")).at(item.span());
            problems.push(problem.label("an included point names every axis that has no default"));
            return None;
        };
        points.push(point);
    }
    Some(Matrix { name, human_minutes, points })
}

/// Minutes of a person's time.
fn minutes(value: &read::Value<'_>, problems: &mut Vec<Problem>) -> Option<f64> {
    read::number(value, "`human_minutes`", |minutes| minutes >= 0.0, "minutes of a person's time: 0 or more", problems)
}

/// The values of an axis that a matrix names: a list, or one.
fn some_values(
    value: &read::Value<'_>,
    axes: &AxisSet,
    position: usize,
    problems: &mut Vec<Problem>,
) -> Option<Vec<Value>> {
    let axis = &axes.axes[position];
    let DeValue::Array(items) = value.get_ref() else { return axis.value(value, problems).map(|value| vec![value]) };
    if items.is_empty() {
        let problem = Problem::new(format!("`{}` is empty", axis.name)).at(value.span());
        problems.push(problem.label("expected at least one value"));
        return None;
    }
    let mut found = Vec::new();
    for item in items.iter() {
        let read = axis.value(item, problems)?;
        if found.contains(&read) {
            let problem = Problem::new(format!("`{}` names a value twice", axis.name)).at(item.span());
            problems.push(problem.label("stands in the list already"));
            return None;
        }
        found.push(read);
    }
    Some(found)
}

/// Values that points must have, by position; `None` where any will do.
pub type Pattern = Vec<Option<Vec<Value>>>;

/// Reads a table of values by axis, as `exclude`, `include`, `where` and `ratio_to` have.
pub fn pattern(value: &read::Value<'_>, what: &str, axes: &AxisSet, problems: &mut Vec<Problem>) -> Option<Pattern> {
    let entries = read::any_table(value, &format!("`{what}`"), problems)?;
    let mut pattern: Pattern = vec![None; axes.axes.len()];
    let before = problems.len();
    for (key, place, value) in read::entries(entries) {
        match axes.position(key) {
            Some(position) => pattern[position] = some_values(value, axes, position, problems),
            None => problems.push(read::unknown("axis", key, place, &axes.names())),
        }
    }
    (problems.len() == before).then_some(pattern)
}

/// Whether a point has the values of a pattern.
#[must_use]
pub fn matches(pattern: &Pattern, point: &[Value]) -> bool {
    pattern.iter().zip(point).all(|(values, value)| values.as_ref().is_none_or(|values| values.contains(value)))
}

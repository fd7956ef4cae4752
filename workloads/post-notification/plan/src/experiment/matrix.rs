//! `[[matrix]]`: a cross-product of axes, less what it excludes, plus what it includes.

use std::ops::Range;

use super::selector::{Selector, Values, selector};
use super::{axis, expand};
use crate::axes::{NotificationStorage, PostStorage, RegionPair};
use crate::point::{Axes, Combination};
use crate::problem::Problem;
use crate::regions::Regions;
use matrix_core::read::values;
use matrix_core::walk::{Table, Value, list, slug};

/// Keys of a matrix.
pub(crate) const KEYS: &[&str] =
    &["name", "post_storage", "notification_storage", "regions", "delay_ms", "antipode", "exclude", "include"];

const NAME: &str = "[[matrix]]";

/// A matrix; the values of each axis are in order and differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    pub(crate) span: Range<usize>,
    /// Its name.
    pub name: String,
    pub(crate) post_storage: Vec<PostStorage>,
    pub(crate) notification_storage: Vec<NotificationStorage>,
    pub(crate) regions: Vec<RegionPair>,
    pub(crate) delay_ms: Vec<u64>,
    pub(crate) antipode: Vec<bool>,
    pub(crate) exclude: Vec<Selector>,
    pub(crate) include: Vec<Axes>,
}

impl Matrix {
    /// Whether a point is one of its own.
    #[must_use]
    pub fn contains(&self, axes: &Axes) -> bool {
        let combination = &axes.combination;
        let named = self.post_storage.contains(&combination.post_storage)
            && self.notification_storage.contains(&combination.notification_storage)
            && self.regions.contains(&combination.regions)
            && self.delay_ms.contains(&axes.delay_ms)
            && self.antipode.contains(&axes.antipode);
        (named && !self.exclude.iter().any(|exclude| exclude.matches(axes))) || self.include.contains(axes)
    }
}

/// Reads all matrices of the document.
pub(crate) fn matrices(root: &Table<'_>, known: &Regions, problems: &mut Vec<Problem>) -> Vec<Matrix> {
    let mut matrices: Vec<Matrix> = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for value in values(root, "matrix", "write `[[matrix]]`", problems) {
        // A name counts as taken even if something else is wrong with its matrix.
        if let Some(name) = value.get_ref().get("name")
            && let Some(text) = name.get_ref().as_str()
        {
            if names.contains(&text) {
                let problem = Problem::new(format!("two matrices are called `{text}`")).at(name.span());
                problems.push(problem.label("this name is taken"));
            }
            names.push(text);
        }
        matrices.extend(matrix(value, known, problems));
    }
    matrices
}

fn matrix(value: &Value<'_>, known: &Regions, problems: &mut Vec<Problem>) -> Option<Matrix> {
    let before = problems.len();
    let table = Table::open(value, NAME, KEYS, problems)?;
    let name = table.require("name", "name = \"baseline\"", problems);
    let name = name.and_then(|name| slug(name, "the name of a matrix", problems));
    let post_storage = required(&table, "post_storage", "[\"mysql\", \"s3\"]", problems, axis::post_storage);
    let notification_storage =
        required(&table, "notification_storage", "[\"sns\"]", problems, axis::notification_storage);
    let regions =
        required(&table, "regions", "[\"eu->us\"]", problems, |value, problems| axis::regions(value, known, problems));
    let delay_ms = table.require("delay_ms", "delay_ms = [0]", problems);
    let delay_ms = delay_ms.and_then(|value| axis::delays(value, "`delay_ms`", problems));
    let antipode = required(&table, "antipode", "[false, true]", problems, axis::antipode);
    let exclude = exclude(&table, known, problems);
    let include = include(&table, known, problems);
    let matrix = Matrix {
        span: table.span(),
        name: name?,
        post_storage: post_storage?,
        notification_storage: notification_storage?,
        regions: regions?,
        delay_ms: delay_ms?,
        antipode: antipode?,
        exclude: exclude.iter().map(|(_, selector)| selector.clone()).collect(),
        include,
    };
    for (span, selector) in &exclude {
        if !expand::meets(&matrix, selector) {
            problems.push(
                Problem::new(format!("this exclude matches nothing in matrix `{}`", matrix.name))
                    .at(span.clone())
                    .label("no cell has these values")
                    .help("an exclude removes cells that the axes of its own matrix name"),
            );
        }
    }
    (problems.len() == before).then_some(matrix)
}

fn required<T: Ord>(
    table: &Table<'_>,
    key: &str,
    example: &str,
    problems: &mut Vec<Problem>,
    read: impl FnMut(&Value<'_>, &mut Vec<Problem>) -> Option<T>,
) -> Option<Vec<T>> {
    let value = table.require(key, &format!("{key} = {example}"), problems)?;
    list(value, &format!("`{key}`"), problems, read)
}

fn selectors<'a>(table: &Table<'a>, key: &str, problems: &mut Vec<Problem>) -> &'a [Value<'a>] {
    values(table, key, &format!("write `{key} = [{{ post_storage = \"s3\", delay_ms = 100 }}]`"), problems)
}

fn exclude(table: &Table<'_>, known: &Regions, problems: &mut Vec<Problem>) -> Vec<(Range<usize>, Selector)> {
    let mut excludes = Vec::new();
    for value in selectors(table, "exclude", problems) {
        let Some(selector) = selector(value, "an exclude", Values::One, known, problems) else { continue };
        if selector.is_empty() {
            problems.push(Problem::new("an exclude names no axis").at(value.span()).label("would remove every cell"));
        } else {
            excludes.push((value.span(), selector));
        }
    }
    excludes
}

fn include(table: &Table<'_>, known: &Regions, problems: &mut Vec<Problem>) -> Vec<Axes> {
    let mut includes = Vec::new();
    for value in selectors(table, "include", problems) {
        let Some(selector) = selector(value, "an include", Values::One, known, problems) else { continue };
        let missing: Vec<&str> = axis::KEYS.into_iter().filter(|key| value.get_ref().get(*key).is_none()).collect();
        if let Some(axes) = whole(selector) {
            includes.push(axes);
        } else {
            let problem = Problem::new("an include must name every axis").at(value.span());
            problems.push(problem.label(format!("`{}` is missing", missing.join("`, `"))));
        }
    }
    includes
}

/// The one point that a selector with one value for every axis names.
fn whole(selector: Selector) -> Option<Axes> {
    fn only<T>(values: Option<Vec<T>>) -> Option<T> {
        values?.pop()
    }
    Some(Axes {
        combination: Combination {
            post_storage: only(selector.post_storage)?,
            notification_storage: only(selector.notification_storage)?,
            regions: only(selector.regions)?,
        },
        delay_ms: only(selector.delay_ms)?,
        antipode: only(selector.antipode)?,
    })
}

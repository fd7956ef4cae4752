//! Selectors: the values of axes in `exclude`, `include` and `where`.

use toml::de::DeValue;

use super::axis;
use crate::axes::{NotificationStorage, PostStorage, RegionPair};
use crate::point::{Axes, Combination};
use crate::problem::Problem;
use crate::regions::Regions;
use matrix_core::walk::{Table, Value, list};

/// Accepted values per axis; an axis that is not named accepts all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// Post storages.
    pub post_storage: Option<Vec<PostStorage>>,
    /// Notification storages.
    pub notification_storage: Option<Vec<NotificationStorage>>,
    /// Region pairs.
    pub regions: Option<Vec<RegionPair>>,
    /// Delays, in milliseconds.
    pub delay_ms: Option<Vec<u64>>,
    /// Antipode off or on.
    pub antipode: Option<Vec<bool>>,
}

impl Selector {
    /// Whether every axis has an accepted value.
    #[must_use]
    pub fn matches(&self, axes: &Axes) -> bool {
        fn accepts<T: PartialEq>(accepted: &Option<Vec<T>>, value: &T) -> bool {
            accepted.as_ref().is_none_or(|accepted| accepted.contains(value))
        }
        let Combination { post_storage, notification_storage, regions } = &axes.combination;
        accepts(&self.post_storage, post_storage)
            && accepts(&self.notification_storage, notification_storage)
            && accepts(&self.regions, regions)
            && accepts(&self.delay_ms, &axes.delay_ms)
            && accepts(&self.antipode, &axes.antipode)
    }

    /// Whether any axis is named.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether a selector's axes may have several values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    /// One value each, as in `exclude` and `include`.
    One,
    /// One value or a list, as in `where`.
    Many,
}

/// Reads a selector called `what`; `None` when something is wrong with it.
pub(crate) fn selector(
    value: &Value<'_>,
    what: &'static str,
    values: Values,
    known: &Regions,
    problems: &mut Vec<Problem>,
) -> Option<Selector> {
    let before = problems.len();
    let table = Table::open(value, what, &axis::KEYS, problems)?;
    let selector = Selector {
        post_storage: some(&table, "post_storage", values, problems, axis::post_storage),
        notification_storage: some(&table, "notification_storage", values, problems, axis::notification_storage),
        regions: some(&table, "regions", values, problems, |value, problems| axis::regions(value, known, problems)),
        delay_ms: match table.get("delay_ms") {
            Some(value) if values == Values::Many && value.get_ref().is_table() => {
                axis::delays(value, "`delay_ms`", problems)
            }
            _ => some(&table, "delay_ms", values, problems, axis::delay),
        },
        antipode: some(&table, "antipode", values, problems, axis::antipode),
    };
    (problems.len() == before).then_some(selector)
}

fn some<T: Ord>(
    table: &Table<'_>,
    key: &str,
    values: Values,
    problems: &mut Vec<Problem>,
    mut read: impl FnMut(&Value<'_>, &mut Vec<Problem>) -> Option<T>,
) -> Option<Vec<T>> {
    let value = table.get(key)?;
    match value.get_ref() {
        DeValue::Array(_) if values == Values::Many => list(value, &format!("`{key}`"), problems, read),
        _ => read(value, problems).map(|value| vec![value]),
    }
}

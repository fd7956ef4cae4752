//! Filters and what they match.

use std::cmp::Ordering;

use matrix_core::filter::grammar::{Expression, Operator, parse};

use crate::axes::{NotificationStorage, PostStorage, RegionPair};
use crate::point::Axes;
use crate::problem::Problems;
use crate::regions::Regions;

use super::fields::AxesOf;

/// A filter: comparisons of fields with values, joined by `and`, `or`, `not` and parentheses.
///
/// Fields are `post_storage`, `notification_storage`, `regions`, `delay_ms`, `antipode` (`on`/`off` or `true`/`false`)
/// and `round`. All can be compared by `=` and `!=`, `delay_ms` and `round` also by `<`, `<=`, `>` and `>=`.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    text: String,
    expression: Expression<(Field, Operator)>,
}

/// A field and the value it is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Field {
    /// `post_storage`
    PostStorage(PostStorage),
    /// `notification_storage`
    NotificationStorage(NotificationStorage),
    /// `regions`
    Regions(RegionPair),
    /// `delay_ms`
    DelayMs(u64),
    /// `antipode`
    Antipode(bool),
    /// `round`
    Round(u64),
}

impl Filter {
    /// Reads a filter; `regions` are those that it may name.
    ///
    /// # Errors
    /// When it is no filter, with places in `text`.
    pub fn parse(text: &str, regions: &Regions) -> Result<Self, Problems> {
        let expression = parse(text, &AxesOf(regions)).map_err(Problems::from)?;
        Ok(Self { text: text.to_owned(), expression })
    }

    /// The filter as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a cell passes.
    #[must_use]
    pub fn matches(&self, axes: &Axes, round: u32) -> bool {
        self.expression.holds(&|(field, operator)| operator.holds(field.compare(axes, round)))
    }
}

impl Field {
    /// How a cell's value stands to this one.
    fn compare(&self, axes: &Axes, round: u32) -> Ordering {
        match self {
            Self::PostStorage(value) => axes.combination.post_storage.cmp(value),
            Self::NotificationStorage(value) => axes.combination.notification_storage.cmp(value),
            Self::Regions(value) => axes.combination.regions.cmp(value),
            Self::DelayMs(value) => axes.delay_ms.cmp(value),
            Self::Antipode(value) => axes.antipode.cmp(value),
            Self::Round(value) => u64::from(round).cmp(value),
        }
    }
}
